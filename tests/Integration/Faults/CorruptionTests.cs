// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Server.Endpoint;
using Muster.Shared.Faults;
using Muster.Transport;
using Muster.Transport.Wire;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Faults;

/// <summary>
/// Bits turn over on a link with TLS: a call then ends as a broken connection, and never with other bytes than were
/// sent.
/// </summary>
public sealed class CorruptionTests(ITestOutputHelper output)
{
    private const int Calls = 240;
    private const int AtOnce = 8;
    private const int BytesMax = 20_000;

    private static readonly Method<RawMessage, RawMessage> s_echo = new(
        MethodType.Unary, "muster.test.Echo", "Echo", RawMethods.RawMarshaller, RawMethods.RawMarshaller);

    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    public async Task Link_TurnsBitsOver_CallsFailOrAreExact(int perMille)
    {
        using var certificate = NewCertificate();
        await using var endpoint = new GrpcEndpoint(new EndpointOptions
        {
            Loopback = [new IPEndPoint(IPAddress.Loopback, 0)],
            Certificate = certificate,
        });
        endpoint.Add(ServerServiceDefinition.CreateBuilder()
            .AddMethod(s_echo, (request, _) => Task.FromResult(request)).Build());
        var fault = await endpoint.StartAsync();
        Assert.True(fault.IsNone, fault.Message);
        await using var proxy = FaultProxy.BeforePort(new Uri(endpoint.Addresses[0]).Port);
        await using var channel = GrpcChannel.ForAddress(
            $"https://localhost:{((IPEndPoint)proxy.Listens).Port}",
            new GrpcChannelOptions { Tls = Trusting(certificate), BackoffMax = TimeSpan.FromMilliseconds(50) });
        var invoker = channel.CreateCallInvoker();
        proxy.Faults = LinkFaults.None with { CorruptPerMille = perMille };

        // How many pieces the bytes travel in is the system's choice, and so is how soon one of them is hit.
        var broken = 0;
        var calls = 0;
        while (broken == 0 && calls < 20 * Calls)
        {
            broken = (await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(loop => CallAsync(invoker, loop)))).Sum();
            calls += Calls;
        }

        output.WriteLine($"{broken} of {calls} calls broke, over {proxy.Connections} connections");
        Assert.InRange(broken, 1, calls - 1);
        proxy.Faults = LinkFaults.None;

        // One more may be lost with a connection that is broken already; then all is well.
        await CallOneAsync(invoker, new Random(98));
        Assert.Equal(0, await CallOneAsync(invoker, new Random(99)));
    }

    private static async Task<int> CallAsync(CallInvoker invoker, int loop)
    {
        var random = new Random(loop);
        var broken = 0;
        for (var call = 0; call < Calls / AtOnce; call++)
        {
            broken += await CallOneAsync(invoker, random);
        }

        return broken;
    }

    /// <summary>1 when the call broke.</summary>
    private static async Task<int> CallOneAsync(CallInvoker invoker, Random random)
    {
        var sent = new byte[random.Next(BytesMax)];
        random.NextBytes(sent);
        var options = new CallOptions(deadline: DateTime.UtcNow.AddSeconds(20)).WithWaitForReady();
        try
        {
            using var answer = await invoker.AsyncUnaryCall(s_echo, null, options, RawMessage.Copy(sent));
            Assert.Equal(sent, answer.Span.ToArray());
            return 0;
        }
        catch (RpcException)
        {
            return 1;
        }
    }

    private static SslClientAuthenticationOptions Trusting(X509Certificate2 certificate) => new()
    {
        RemoteCertificateValidationCallback = (_, offered, _, _) =>
            offered is not null && offered.GetCertHashString() == certificate.GetCertHashString(),
    };

    private static X509Certificate2 NewCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = DateTimeOffset.UtcNow;
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
