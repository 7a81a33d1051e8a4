// SPDX-License-Identifier: Apache-2.0
using System;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Muster.Identity.Certificates;

/// <summary>
/// Whether a certificate is of the cell's authority, and for whom. Servers and clients have different purposes in
/// theirs, so a worker's certificate is never taken for a server's. Any thread.
/// </summary>
internal sealed class CertificateTrust : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";
    private const string ClientUse = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2 _authority;

    public CertificateTrust(byte[] authority) => _authority = X509CertificateLoader.LoadCertificate(authority);

    /// <summary>The server's own name, if the certificate proves it now. Hosts' names are not compared: only the roles
    /// of the cell ever get such a certificate, wherever they run.</summary>
    public bool IsServer(X509Certificate2 certificate) =>
        IsSigned(certificate, ServerUse, mayBeLate: false)
        && CertificateName.TryRead(certificate, out var name)
        && name.IsServer;

    /// <summary>The identity that the certificate proves, also when its time is over; null: none.</summary>
    public CertificateName? ClientOf(X509Certificate2 certificate) =>
        IsSigned(certificate, ClientUse, mayBeLate: true)
        && CertificateName.TryRead(certificate, out var name)
        && !name.IsServer
            ? name
            : null;

    public void Dispose() => _authority.Dispose();

    private bool IsSigned(X509Certificate2 certificate, string use, bool mayBeLate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(use));
        if (mayBeLate)
        {
            chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        }

        try
        {
            // Signed by the authority itself: nothing may stand between.
            return chain.Build(certificate) && chain.ChainElements.Count == 2;
        }
        catch (CryptographicException)
        {
            return false;
        }
        finally
        {
            foreach (var element in chain.ChainElements)
            {
                element.Certificate.Dispose();
            }
        }
    }
}
