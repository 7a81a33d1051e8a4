// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Muster.Identity.Credentials;
using Muster.Identity.Joining;
using Xunit;

namespace Muster.Unit.Identity;

public sealed class CredentialTests : IDisposable
{
    private const long Now = 1_700_000_000_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("muster-auth-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("submit=default", Rights.Submit, "default", true)]
    [InlineData("submit=default", Rights.Submit, "nightly", false)]
    [InlineData("submit=*", Rights.Submit, "nightly", true)]
    [InlineData("submit=*", Rights.Read, "nightly", false)]
    [InlineData("operate=*", Rights.Cancel, "default", true)]
    [InlineData("operate=*", Rights.Submit, "default", false)]
    [InlineData("operate=*", Rights.Work, "default", false)]
    [InlineData("admin=*", Rights.Work, "gpu", true)]
    [InlineData("work=gpu", Rights.Work, "default", false)]
    public void Grants_AllowWhatTheySay(string text, object right, string scope, bool isAllowed)
    {
        Assert.True(Grants.TryParse(text, out var grants));
        Assert.Equal(isAllowed, grants.Allows((Rights)right, scope));
        Assert.Equal(text, grants.ToString());
    }

    [Theory]
    [InlineData("submit")]
    [InlineData("submit=")]
    [InlineData("fly=default")]
    [InlineData("submit=Default")]
    [InlineData("submit=a/b")]
    public void Grants_OfOtherText_AreNone(string text) => Assert.False(Grants.TryParse(text, out _));

    [Fact]
    public void Token_WrittenAndRead_IsTheSame()
    {
        var token = TokenText.Create() with { Fingerprint = new string('A', TokenText.FingerprintChars) };

        Assert.True(TokenText.TryParse(token.ToString(), out var read));
        Assert.Equal(token, read);
        Assert.True(TokenText.TryParse(token.Bearer, out var bearer));
        Assert.Null(bearer.Fingerprint);
        Assert.NotEqual(TokenText.Create().Secret, token.Secret);
    }

    [Theory]
    [InlineData("")]
    [InlineData("mst")]
    [InlineData("mst..")]
    [InlineData("mst.0123456789abcdef.short")]
    [InlineData("mst.0123456789ABCDEF.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("mst.0123456789abcdef.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!")]
    [InlineData("mst.0123456789abcdef.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.x")]
    public void Token_OfOtherText_IsNone(string text) => Assert.False(TokenText.TryParse(text, out _));

    [Fact]
    public void Book_SaysWhatATokenIsWorth()
    {
        var (book, token, credential) = BookOfOne();

        Assert.Equal(CredentialState.Valid, book.Check(token, Now, out var found));
        Assert.Same(credential, found);
        Assert.Equal(CredentialState.Expired, book.Check(token, Now + 1_000, out _));
        Assert.Equal(CredentialState.Unknown, book.Check(TokenText.Create(token.Id), Now, out found));
        Assert.Null(found);
        Assert.Equal(CredentialState.Unknown, book.Check(TokenText.Create(), Now, out _));
        var revoked = book.Replacing(credential with { RevokedUnixMs = Now });
        Assert.Equal(CredentialState.Revoked, revoked.Check(token, Now, out _));
        Assert.Equal(CredentialState.Unknown, revoked.Check(TokenText.Create(token.Id), Now, out _));
    }

    [Fact]
    public void Book_WithEarlierToken_TakesBothForAWhile()
    {
        var (book, earlier, credential) = BookOfOne();
        var later = TokenText.Create(earlier.Id);
        book = book.Replacing(credential with
        {
            ExpiresUnixMs = 0,
            TokenHash = TokenText.HashOf(later.Secret),
            EarlierTokenHash = credential.TokenHash,
            EarlierUntilUnixMs = Now + 100,
        });

        Assert.Equal(CredentialState.Valid, book.Check(later, Now, out _));
        Assert.Equal(CredentialState.Valid, book.Check(earlier, Now, out _));
        Assert.Equal(CredentialState.Expired, book.Check(earlier, Now + 100, out _));
        Assert.Equal(CredentialState.Valid, book.Check(later, Now + 100, out _));
    }

    [Fact]
    public void Book_AsAFile_IsTheSameAndHoldsNoSecret()
    {
        var (book, token, _) = BookOfOne();

        var bytes = CredentialJson.Write(book);
        var read = CredentialJson.Read(bytes);

        Assert.Equal(bytes, CredentialJson.Write(read));
        Assert.DoesNotContain(token.Secret, System.Text.Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        for (var length = 0; length < bytes.Length; length += 7)
        {
            Assert.Throws<InvalidDataException>(() => CredentialJson.Read(bytes.AsMemory(0, length)));
        }
    }

    [Fact]
    public async Task Store_MadeBySeveralAtOnce_IsMadeOnce()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            new CredentialStore(_folder).Init("cell", Now))));

        Assert.Single(made, each => each);
        var store = new CredentialStore(_folder);
        Assert.Equal("admin", Assert.Single(store.Load().All).Name);
        var text = (await File.ReadAllTextAsync(store.AdminTokenPath)).Trim();
        Assert.True(TokenText.TryParse(text, out var token));
        using var authority = store.LoadAuthority();
        Assert.Equal(authority.Fingerprint, token.Fingerprint);
        Assert.Equal(CredentialState.Valid, store.Load().Check(token, Now, out _));
        foreach (var file in Directory.EnumerateFiles(_folder))
        {
            Assert.Equal(SecretFile.FileMode, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public void Store_FileThatOthersMayRead_IsRefused()
    {
        var store = new CredentialStore(_folder);
        store.Init("cell", Now);
        var path = Path.Combine(_folder, "authority.key");
        File.SetUnixFileMode(path, SecretFile.FileMode | UnixFileMode.GroupRead);

        var refusal = Assert.Throws<CredentialsUnusableException>(store.LoadAuthority);
        Assert.Contains("chmod 600", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Store_EachChange_ChangesWhatAPeekSees()
    {
        var store = new CredentialStore(_folder);
        store.Init("cell", Now);
        var first = store.Peek();

        store.Change(book => book.With(book.All));

        Assert.NotEqual(first, store.Peek());
    }

    [Theory]
    [InlineData("cell.example:7070", "https://cell.example:7070")]
    [InlineData("10.0.0.1:1,[fe80::1]:2", "https://10.0.0.1:1,https://[fe80::1]:2")]
    public void JoinLine_WrittenAndRead_IsTheSame(string hosts, string address)
    {
        var token = TokenText.Create() with { Fingerprint = new string('A', TokenText.FingerprintChars) };

        Assert.True(JoinLine.TryParse($"{token}@{hosts}", out var line));
        Assert.Equal(address, line.Address);
        Assert.Equal($"{token}@{hosts}", line.ToString());
    }

    [Fact]
    public void JoinLine_WithoutFingerprintOrHost_IsNone()
    {
        var token = TokenText.Create();

        Assert.False(JoinLine.TryParse($"{token}@cell:7070", out _));
        Assert.False(JoinLine.TryParse($"{token with { Fingerprint = new string('A', 43) }}@", out _));
        Assert.False(JoinLine.TryParse("cell:7070", out _));
    }

    private static (CredentialBook Book, TokenText Token, Credential Credential) BookOfOne()
    {
        var token = TokenText.Create();
        var credential = new Credential
        {
            Id = token.Id,
            Name = "alice",
            Number = 7,
            Grants = new([new(Rights.Submit, "default")]),
            TokenHash = TokenText.HashOf(token.Secret),
            CreatedUnixMs = Now,
            ExpiresUnixMs = Now + 1_000,
        };
        return (new CredentialBook("cell", 1, 8, 1, [credential]), token, credential);
    }
}
