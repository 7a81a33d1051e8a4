// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.Identity.Certificates;
using Muster.Identity.Credentials;
using Muster.Transport;

namespace Muster.Identity.Joining;

/// <summary>
/// From a join line to a context: first the authority, over a connection that is believed in nothing and on which no
/// secret is sent, compared with the fingerprint in the line; then everything else over connections that show a
/// certificate of it.
/// </summary>
internal static class Enrolment
{
    private static readonly TimeSpan s_callTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// What is needed to speak to the cell with the line's token. Throws <see cref="ServerNotTrustedException"/> when
    /// the server is another's, <see cref="RpcException"/> when it cannot be reached.
    /// </summary>
    [SuppressMessage(
        "Security", "CA5359", Justification = "Nothing is believed: the answer is compared with the fingerprint.")]
    public static async Task<ContextFile> DiscoverAsync(JoinLine line, CancellationToken cancellationToken)
    {
        var blind = new GrpcChannelOptions
        {
            Tls = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
            },
        };
        await using var channel = GrpcChannel.ForAddress(line.Address, blind);
        var client = new V1.IdentityService.IdentityServiceClient(channel.CreateCallInvoker());
        var answer = await client.GetAuthorityAsync(new(), Options(cancellationToken));
        var authority = answer.Certificate.ToByteArray();
        return CertificateAuthority.FingerprintOf(authority) == line.Token.Fingerprint
            ? new ContextFile
            {
                Address = line.Address,
                Authority = authority,
                Cell = answer.Cell,
                Token = line.Token.Bearer,
            }
            : throw new ServerNotTrustedException(
                $"the server at {line.Address} is not of the cell that the token is for: its authority has another "
                + "fingerprint; check the address, or ask for a new token if the cell was set up anew");
    }

    /// <summary>Who the cell takes the holder of the credential for.</summary>
    public static async Task<V1.GetIdentityResponse> AskAsync(
        CellCredential credential, CancellationToken cancellationToken)
    {
        await using var channel = GrpcChannel.ForAddress(
            credential.Context.Address, credential.On(new GrpcChannelOptions()));
        var client = new V1.IdentityService.IdentityServiceClient(channel.CreateCallInvoker());
        return await client.GetIdentityAsync(new(), Options(cancellationToken));
    }

    /// <summary>A new key and a certificate for it, proved by what the credential has now.</summary>
    /// <returns>The context with them, without the token, and how long they count.</returns>
    public static async Task<(ContextFile Context, TimeSpan Lifetime)> EnrollAsync(
        CellCredential credential, CancellationToken cancellationToken)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var channel = GrpcChannel.ForAddress(
            credential.Context.Address, credential.On(new GrpcChannelOptions()));
        var client = new V1.IdentityService.IdentityServiceClient(channel.CreateCallInvoker());
        var answer = await client.EnrollAsync(
            new() { SigningRequest = ByteString.CopyFrom(SigningRequest.Create(key)) }, Options(cancellationToken));
        var context = credential.Context with
        {
            Token = null,
            Certificate = answer.Certificate.ToByteArray(),
            Key = key.ExportPkcs8PrivateKey(),
        };
        return (context, TimeSpan.FromMilliseconds(answer.LifetimeMs));
    }

    private static CallOptions Options(CancellationToken cancellationToken) =>
        new(deadline: DateTime.UtcNow + s_callTimeout, cancellationToken: cancellationToken);
}
