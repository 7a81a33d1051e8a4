// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using Muster.Identity.Certificates;
using Muster.Server.Http2;

namespace Muster.Server.Endpoint.Access;

/// <summary>
/// TLS with a certificate of the cell's authority, which this process makes for itself at its start and anew when half
/// of its time is over, or when it is told to: connections that are open keep theirs, and nothing restarts.
/// </summary>
internal sealed class AuthorityTlsFront : TlsFront, IDisposable
{
    /// <summary>Short, because nobody has to do anything for a new one.</summary>
    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(7);

    private readonly CertificateAuthority _authority;
    private readonly CertificateTrust _trust;
    private readonly string _cell;
    private readonly IReadOnlyList<string> _hosts;
    private readonly bool _needsCertificate;
    private SslServerAuthenticationOptions _options;
    private DateTimeOffset _renewAt;

    public AuthorityTlsFront(
        CertificateAuthority authority,
        string cell,
        IReadOnlyList<string> hosts,
        bool needsCertificate,
        DateTimeOffset now)
    {
        _authority = authority;
        _trust = new CertificateTrust(authority.Certificate);
        _cell = cell;
        _hosts = hosts;
        _needsCertificate = needsCertificate;
        _options = Make(now);
    }

    public CertificateAuthority Authority => _authority;

    public override SslServerAuthenticationOptions Options => Volatile.Read(ref _options);

    /// <summary>By the watch alone.</summary>
    /// <returns>When the new certificate's time is over; null: it is not yet time for one.</returns>
    public DateTimeOffset? RenewIfDue(DateTimeOffset now, bool isAsked)
    {
        if (!isAsked && now < _renewAt)
        {
            return null;
        }

        Volatile.Write(ref _options, Make(now));
        return now + s_lifetime;
    }

    public override ConnectionPeer PeerOf(SslStream stream, string name)
    {
        var peer = new ConnectionPeer { Kind = PeerKind.Tls, Name = name };
        if (stream.RemoteCertificate is not X509Certificate2 shown)
        {
            return peer;
        }

        if (_trust.ClientOf(shown) is { } proved && proved.Cell == _cell)
        {
            return peer with { CredentialId = proved.Id, CertificateEnds = shown.NotAfter };
        }

        return _needsCertificate
            ? throw new AuthenticationException("the client's certificate is not of this cell's authority")
            : peer with { HasForeignCertificate = true };
    }

    public void Dispose()
    {
        _trust.Dispose();
        _authority.Dispose();
    }

    private SslServerAuthenticationOptions Make(DateTimeOffset now)
    {
        var options = OptionsOf(_authority.IssueServer(_cell, _hosts, now, s_lifetime));

        // Whose a certificate is, is looked at after the handshake, once; a resumed session would not show it again.
        options.ClientCertificateRequired = true;
        options.AllowTlsResume = false;
        options.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate is not null || !_needsCertificate;
        _renewAt = now + (s_lifetime / 2);
        return options;
    }
}
