// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Identity.Certificates;
using Muster.Identity.Credentials;
using Xunit;

namespace Muster.Unit.Identity;

public sealed class CertificateTests : IDisposable
{
    private readonly CertificateAuthority _authority = CertificateAuthority.Create(
        "cell", DateTimeOffset.UtcNow.AddDays(-10));

    private readonly CertificateTrust _trust;

    public CertificateTests() => _trust = new CertificateTrust(_authority.Certificate);

    public void Dispose()
    {
        _trust.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public void Client_OfTheAuthority_IsNamedWithItsRights()
    {
        using var certificate = Client(_authority, DateTimeOffset.UtcNow);

        var name = _trust.ClientOf(certificate);

        Assert.NotNull(name);
        Assert.Equal("muster://cell/0123456789abcdef?submit=default&work=gpu", name.ToString());
        Assert.False(_trust.IsServer(certificate));
    }

    [Fact]
    public void Client_WhoseTimeIsOver_IsStillNamed()
    {
        using var certificate = Client(_authority, DateTimeOffset.UtcNow.AddDays(-1.5));

        Assert.NotNull(_trust.ClientOf(certificate));
        Assert.True(certificate.NotAfter < DateTime.Now);
    }

    [Fact]
    public void Client_OfAnotherAuthority_IsNobody()
    {
        using var other = CertificateAuthority.Create("cell", DateTimeOffset.UtcNow);
        using var certificate = Client(other, DateTimeOffset.UtcNow);

        Assert.Null(_trust.ClientOf(certificate));
    }

    [Fact]
    public void Server_OfTheAuthority_IsAServerAndNoClient()
    {
        using var certificate = _authority.IssueServer(
            "cell", ["localhost", "127.0.0.1"], DateTimeOffset.UtcNow, TimeSpan.FromDays(1));

        Assert.True(_trust.IsServer(certificate));
        Assert.Null(_trust.ClientOf(certificate));
        Assert.True(certificate.MatchesHostname("localhost"));
    }

    [Fact]
    public void Server_WhoseTimeIsOver_IsNone()
    {
        using var certificate = _authority.IssueServer(
            "cell", [], DateTimeOffset.UtcNow.AddDays(-2), TimeSpan.FromDays(1));

        Assert.False(_trust.IsServer(certificate));
    }

    [Fact]
    public void Authority_SavedAndLoaded_IsTheSame()
    {
        var folder = Directory.CreateTempSubdirectory("muster-ca-").FullName;
        try
        {
            _authority.Save(folder, null);
            using var loaded = CertificateAuthority.Load(folder);
            Assert.Equal(_authority.Fingerprint, loaded.Fingerprint);
            using var certificate = Client(loaded, DateTimeOffset.UtcNow);
            Assert.NotNull(_trust.ClientOf(certificate));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void SigningRequest_Damaged_IsRefused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = SigningRequest.Create(key);

        Assert.True(SigningRequest.TryRead(request, out _));
        Assert.False(SigningRequest.TryRead([], out _));
        Assert.False(SigningRequest.TryRead([.. request, 0], out _));
        for (var at = 0; at < request.Length; at += 3)
        {
            // Whatever was changed, the signature does not fit any more.
            var damaged = (byte[])request.Clone();
            damaged[at] ^= 0x55;
            Assert.False(SigningRequest.TryRead(damaged, out _), $"byte {at}");
        }
    }

    [Fact]
    public void SigningRequest_WithAnotherKindOfKey_IsRefused()
    {
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSigningRequest();
        using var wide = ECDsa.Create(ECCurve.NamedCurves.nistP384);

        Assert.False(SigningRequest.TryRead(request, out _));
        Assert.False(SigningRequest.TryRead(SigningRequest.Create(wide), out _));
    }

    private static X509Certificate2 Client(CertificateAuthority authority, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return X509CertificateLoader.LoadCertificate(authority.IssueClient(
            new PublicKey(key),
            "cell",
            new Credential
            {
                Id = "0123456789abcdef",
                Name = "alice",
                Number = 1,
                Grants = new([new(Rights.Submit, "default"), new(Rights.Work, "gpu")]),
            },
            now));
    }
}
