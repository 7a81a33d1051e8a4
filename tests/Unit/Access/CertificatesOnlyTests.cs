// SPDX-License-Identifier: Apache-2.0
using System;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Identity.Certificates;
using Muster.Identity.Joining;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Access;

/// <summary>Without a certificate of the authority no call ever begins, whatever token it would show.</summary>
public class CertificatesOnlyTests(CertificatesOnlyCell cell) : IClassFixture<CertificatesOnlyCell>
{
    [Theory]
    [InlineData(null)]
    [InlineData("admin")]
    public async Task WithoutCertificate_NothingIsServed(string? identity)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await AskAsync(cell.As(identity)));

        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
    }

    [Fact]
    public async Task WithCertificateOfTheAuthority_TheIdentityIsServed()
    {
        using var authority = cell.Store.LoadAuthority();

        var known = await AskAsync(cell.With(ContextOf(authority)));

        Assert.Equal("admin", known.Name);
    }

    [Fact]
    public async Task WithCertificateOfAnother_NothingIsServed()
    {
        using var other = CertificateAuthority.Create("cell", DateTimeOffset.UtcNow);

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await AskAsync(cell.With(ContextOf(other))));

        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
    }

    private ContextFile ContextOf(CertificateAuthority authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var book = cell.Store.Load();
        var admin = book.FindByName("admin")!;
        return cell.CredentialOf(null).Context with
        {
            Certificate = authority.IssueClient(new PublicKey(key), book.Cell, admin, DateTimeOffset.UtcNow),
            Key = key.ExportPkcs8PrivateKey(),
        };
    }

    private static async Task<GetIdentityResponse> AskAsync(CallInvoker invoker) =>
        await new IdentityService.IdentityServiceClient(invoker).GetIdentityAsync(
            new(), new CallOptions(deadline: DateTime.UtcNow.AddSeconds(20)));
}
