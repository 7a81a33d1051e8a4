// SPDX-License-Identifier: Apache-2.0
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Muster.Server.Endpoint.Access;

namespace Muster.Server.Http2;

/// <summary>How a listening socket speaks TLS: with ALPN h2, version 1.2 or later. Any thread.</summary>
internal abstract class TlsFront
{
    /// <summary>What the next handshake uses.</summary>
    public abstract SslServerAuthenticationOptions Options { get; }

    /// <summary>Who is at the other end, after the handshake. Throws <see cref="AuthenticationException"/> when the
    /// connection is not to be served at all.</summary>
    public abstract ConnectionPeer PeerOf(SslStream stream, string name);

    /// <summary>One certificate for ever, and any client.</summary>
    public static TlsFront Of(X509Certificate2 certificate) => new Fixed(certificate);

    /// <summary>Options with the certificate and what every server of ours has.</summary>
    protected static SslServerAuthenticationOptions OptionsOf(X509Certificate2 certificate) => new()
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
        ApplicationProtocols = [SslApplicationProtocol.Http2],
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowRenegotiation = false,
    };

    private sealed class Fixed(X509Certificate2 certificate) : TlsFront
    {
        public override SslServerAuthenticationOptions Options { get; } = OptionsOf(certificate);

        public override ConnectionPeer PeerOf(SslStream stream, string name) =>
            new() { Kind = PeerKind.Tls, Name = name };
    }
}
