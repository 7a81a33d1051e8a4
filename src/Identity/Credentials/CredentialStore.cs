// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using Muster.Identity.Certificates;

namespace Muster.Identity.Credentials;

/// <summary>
/// The folder in which a cell keeps its identities and its authority: <c>identities.json</c>, <c>authority.pem</c>,
/// <c>authority.key</c>, the first <c>admin.token</c>, and <c>addresses</c>, where the Register says how it is reached.
/// The roles' processes and the command line share it: whoever changes it holds the lock file, whoever reads sees one
/// whole state, because a change replaces the file. Any thread.
/// </summary>
internal sealed class CredentialStore(string folder, Action<string>? flushFolder = null)
{
    private const string AdminName = "admin";
    private const int SerialBytes = 40;

    private static readonly TimeSpan s_lockTimeout = TimeSpan.FromSeconds(10);

    public string Folder { get; } = folder;

    public string AdminTokenPath => Path.Combine(Folder, "admin.token");

    public string AddressesPath => Path.Combine(Folder, "addresses");

    public bool Exists => File.Exists(BookPath);

    private string BookPath => Path.Combine(Folder, "identities.json");

    /// <summary>The folder of a cell's identities inside its state folder.</summary>
    public static string FolderOf(string stateFolder) => Path.Combine(stateFolder, "auth");

    /// <summary>
    /// Makes the authority, an identity "admin" with every right, and its token's file, unless they are there. Of
    /// several that do so at once one does it.
    /// </summary>
    /// <returns>Whether they were made now.</returns>
    public bool Init(string cell, long nowUnixMs)
    {
        SecretFile.MakeFolder(Folder);
        using var held = Lock();
        if (Exists)
        {
            return false;
        }

        using var authority = CertificateAuthority.Create(cell, DateTimeOffset.FromUnixTimeMilliseconds(nowUnixMs));
        authority.Save(Folder, flushFolder);
        var token = TokenText.Create() with { Fingerprint = authority.Fingerprint };

        // Numbers begin somewhere, so that those of a folder made anew do not meet those of the one that was lost.
        var number = RandomNumberGenerator.GetInt32(1, 1 << 15);
        var admin = new Credential
        {
            Id = token.Id,
            Name = AdminName,
            Number = (ushort)number,
            Grants = Grants.Everything,
            TokenHash = TokenText.HashOf(token.Secret),
            CreatedUnixMs = nowUnixMs,
        };
        SecretFile.Replace(AdminTokenPath, Encoding.ASCII.GetBytes(token + "\n"), flushFolder);

        // Last: with it the folder counts.
        Save(new CredentialBook(cell, 1, number + 1, 1, [admin]));
        return true;
    }

    /// <summary>Throws <see cref="CredentialsUnusableException"/> when there is none or it is damaged.</summary>
    public CredentialBook Load()
    {
        try
        {
            return CredentialJson.Read(SecretFile.Read(BookPath));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new CredentialsUnusableException(
                $"the identities in {Folder} cannot be read ({problem.Message}); 'muster auth init' makes new ones "
                + "where there are none",
                problem);
        }
    }

    public CertificateAuthority LoadAuthority() => CertificateAuthority.Load(Folder);

    /// <summary>Changes the book: nobody else does meanwhile, and all see the change as soon as this returns.</summary>
    public CredentialBook Change(Func<CredentialBook, CredentialBook> change)
    {
        using var held = Lock();
        var book = change(Load());
        Save(book);
        return book;
    }

    /// <summary>The first bytes of the file, which every change changes; null: it cannot be read.</summary>
    public string? Peek()
    {
        try
        {
            using var file = new FileStream(
                BookPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            Span<byte> first = stackalloc byte[SerialBytes];
            return Encoding.ASCII.GetString(first[..file.ReadAtLeast(first, SerialBytes, throwOnEndOfStream: false)]);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void Save(CredentialBook book) => SecretFile.Replace(BookPath, CredentialJson.Write(book), flushFolder);

    private FileStream Lock()
    {
        var deadline = Environment.TickCount64 + (long)s_lockTimeout.TotalMilliseconds;
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(Folder, "lock"), new FileStreamOptions
                {
                    Mode = FileMode.OpenOrCreate,
                    Access = FileAccess.ReadWrite,
                    Share = FileShare.None,
                    UnixCreateMode = SecretFile.FileMode,
                    BufferSize = 0,
                });
            }
            catch (IOException problem) when (problem is not (DirectoryNotFoundException or FileNotFoundException))
            {
                if (Environment.TickCount64 >= deadline)
                {
                    throw new CredentialsUnusableException(
                        $"another program has held {Folder}/lock for {s_lockTimeout.TotalSeconds:0} s", problem);
                }

                using var pause = new ManualResetEventSlim();
                pause.Wait(20);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                throw new CredentialsUnusableException(
                    $"{Folder} cannot be used ({problem.Message}); 'muster auth init' makes it", problem);
            }
        }
    }
}
