// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using Muster.Identity.Certificates;
using Muster.Transport;

namespace Muster.Identity.Joining;

/// <summary>
/// Whom a program believes and how it proves who it is, for the channels that it opens. What it shows may be renewed
/// while it runs: connections made before keep the old proof, those made from then on have the new one. Any thread.
/// </summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "Connections hold the certificates for as long as they live; the pool frees.")]
internal sealed class CellCredential
{
    private static int s_versions;

    private readonly CertificateTrust? _trust;
    private volatile ContextFile _context;
    private SslStreamCertificateContext? _proof;
    private int _version = Interlocked.Increment(ref s_versions);

    public CellCredential(ContextFile context)
    {
        _context = context;
        _trust = context.Authority.Length == 0 ? null : new CertificateTrust(context.Authority);
        _proof = ProofOf(context);
    }

    public ContextFile Context => _context;

    /// <summary>Another for each credential of the process and after each renewal.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>When the certificate's time is over; null: there is none.</summary>
    public DateTimeOffset? ExpiresAt { get; private set; }

    /// <summary>Shows this from now on.</summary>
    public void Renew(ContextFile context)
    {
        _context = context;
        Volatile.Write(ref _proof, ProofOf(context));
        Volatile.Write(ref _version, Interlocked.Increment(ref s_versions));
    }

    /// <summary>The options with this credential in them.</summary>
    public GrpcChannelOptions On(GrpcChannelOptions options) => options with
    {
        Tls = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = _trust is null
                ? null
                : (_, certificate, _, _) => certificate is X509Certificate2 shown && _trust.IsServer(shown),
            ClientCertificateContext = Volatile.Read(ref _proof),
        },
        Bearer = _context.Token,
    };

    private SslStreamCertificateContext? ProofOf(ContextFile context)
    {
        if (context.Certificate is null || context.Key is null)
        {
            return null;
        }

        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(context.Key, out _);
        using var bare = X509CertificateLoader.LoadCertificate(context.Certificate);
        var certificate = bare.CopyWithPrivateKey(key);
        ExpiresAt = certificate.NotAfter;
        return SslStreamCertificateContext.Create(certificate, null, offline: true);
    }
}
