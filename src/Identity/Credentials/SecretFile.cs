// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;

namespace Muster.Identity.Credentials;

/// <summary>Files that hold secrets: mode 0600 from their first moment, whole or not there, never written in
/// place.</summary>
internal static class SecretFile
{
    public const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    public const UnixFileMode FolderMode = FileMode | UnixFileMode.UserExecute;

    private const UnixFileMode OthersMode = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>Makes the folder with mode 0700 when it is missing.</summary>
    public static void MakeFolder(string folder) => Directory.CreateDirectory(folder, FolderMode);

    /// <summary>Puts the bytes in the place of the file, in one step that survives a power loss.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bytes">All of it.</param>
    /// <param name="flushFolder">Makes the new name safe; null: as soon as the host gets round to it.</param>
    public static void Replace(string path, ReadOnlySpan<byte> bytes, Action<string>? flushFolder = null)
    {
        var temporary = $"{path}.{Environment.ProcessId}.{Guid.NewGuid():N}.new";
        try
        {
            using (var file = new FileStream(temporary, new FileStreamOptions
            {
                Mode = System.IO.FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = FileMode,
                BufferSize = 0,
            }))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        flushFolder?.Invoke(Path.GetDirectoryName(path)!);
    }

    /// <summary>Reads a file that nobody else may read; throws when others may.</summary>
    public static byte[] Read(string path)
    {
        var mode = File.GetUnixFileMode(path);
        return (mode & OthersMode) == 0
            ? File.ReadAllBytes(path)
            : throw new CredentialsUnusableException(
                $"{path} holds secrets and others may read or write it; chmod 600 it, and if others had access to this "
                + "host, issue new credentials");
    }
}
