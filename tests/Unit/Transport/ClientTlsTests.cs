// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport;
using Xunit;

namespace Muster.Unit.Transport;

public class ClientTlsTests
{
    private static readonly byte[] s_request = "question"u8.ToArray();

    [Fact]
    public async Task Https_TrustedServer_IsCalledOverH2()
    {
        using var server = new FakeServer();
        using var certificate = NewCertificate();
        await using var channel = Connect(server, certificate);
        var call = channel.Unary(s_request);
        await using var tls = new SslStream(await server.AcceptStreamAsync());
        await ServeAsync(tls, certificate, SslApplicationProtocol.Http2).Soon();
        using var connection = new FakeConnection(tls);
        await connection.GreetAsync();
        await connection.AnswerAsync(await connection.ReadRequestAsync(), new byte[60_000]);
        Assert.Equal(60_000, (await call.ResponseAsync.Soon()).Length);
    }

    [Fact]
    public async Task Https_ServerThatOffersNoH2_IsUnavailable()
    {
        using var server = new FakeServer();
        using var certificate = NewCertificate();
        await using var channel = Connect(server, certificate);
        var call = channel.Unary(s_request);
        await using var tls = new SslStream(await server.AcceptStreamAsync());
        await ServeAsync(tls, certificate, null).Soon();
        var error = await Calls.Failure(call.ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Contains("HTTP/2", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Https_ServerThatNobodyVouchesFor_IsUnavailable()
    {
        using var server = new FakeServer();
        using var certificate = NewCertificate();
        await using var channel = GrpcChannel.ForAddress(SecureAddress(server));
        var call = channel.Unary(s_request);
        await using var tls = new SslStream(await server.AcceptStreamAsync());
        var serving = ServeAsync(tls, certificate, SslApplicationProtocol.Http2);
        var error = await Calls.Failure(call.ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Contains("certificate", error.Status.Detail, StringComparison.OrdinalIgnoreCase);
        await Record.ExceptionAsync(() => serving.Soon());
    }

    private static string SecureAddress(FakeServer server) =>
        server.Address.Replace("http://127.0.0.1", "https://localhost", StringComparison.Ordinal);

    // Trusts the test's own certificate and nothing else, with the usual check of the name.
    private static GrpcChannel Connect(FakeServer server, X509Certificate2 certificate) => GrpcChannel.ForAddress(
        SecureAddress(server),
        new GrpcChannelOptions
        {
            Tls = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { certificate },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        });

    private static Task ServeAsync(SslStream tls, X509Certificate2 certificate, SslApplicationProtocol? protocol) =>
        tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificate = certificate,
            ApplicationProtocols = protocol is { } offered ? [offered] : null,
            EnabledSslProtocols = SslProtocols.None,
        });

    private static X509Certificate2 NewCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var bare = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(bare.Export(X509ContentType.Pkcs12), null);
    }
}
