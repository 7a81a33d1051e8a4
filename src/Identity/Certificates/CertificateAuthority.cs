// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Muster.Identity.Credentials;

namespace Muster.Identity.Certificates;

/// <summary>
/// The private authority of one cell: signs the certificates of its servers, its workers and its clients. ECDSA on
/// P-256 throughout. Certificates begin two hours in the past, because hosts' clocks differ. Any thread; owner: whoever
/// loaded it.
/// </summary>
internal sealed class CertificateAuthority : IDisposable
{
    public const string CertificateFile = "authority.pem";
    public const string KeyFile = "authority.key";

    private const int AuthorityYears = 10;
    private const int SerialBytes = 16;
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";
    private const string ClientUse = "1.3.6.1.5.5.7.3.2";

    private static readonly TimeSpan s_clockSkew = TimeSpan.FromHours(2);

    private readonly X509Certificate2 _certificate;

    private CertificateAuthority(X509Certificate2 certificate) => _certificate = certificate;

    /// <summary>What others need to believe its certificates.</summary>
    public byte[] Certificate => _certificate.RawData;

    /// <summary>SHA-256 of the certificate, base64url: by this a newcomer knows it.</summary>
    public string Fingerprint => FingerprintOf(_certificate.RawData);

    public static string FingerprintOf(byte[] certificate) =>
        Base64Url.EncodeToString(SHA256.HashData(certificate));

    public static CertificateAuthority Create(string cell, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=muster cell {cell}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return new(request.CreateSelfSigned(now - s_clockSkew, now.AddYears(AuthorityYears)));
    }

    /// <summary>Throws <see cref="CredentialsUnusableException"/> when it is not there or damaged.</summary>
    public static CertificateAuthority Load(string folder)
    {
        try
        {
            var key = SecretFile.Read(Path.Combine(folder, KeyFile));
            return new(X509Certificate2.CreateFromPem(
                File.ReadAllText(Path.Combine(folder, CertificateFile)), Encoding.ASCII.GetString(key)));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException
            or CryptographicException or ArgumentException)
        {
            throw new CredentialsUnusableException(
                $"the authority in {folder} cannot be used ({problem.Message}); put the folder back from a copy, or "
                + "move it away and run 'muster auth init', after which all must join anew",
                problem);
        }
    }

    public void Save(string folder, Action<string>? flushFolder)
    {
        using var key = _certificate.GetECDsaPrivateKey()!;
        SecretFile.Replace(
            Path.Combine(folder, KeyFile), Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"), flushFolder);
        SecretFile.Replace(
            Path.Combine(folder, CertificateFile),
            Encoding.ASCII.GetBytes(_certificate.ExportCertificatePem() + "\n"),
            flushFolder);
    }

    /// <summary>A certificate and a new key for one of the roles.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="hosts">Names and addresses by which it is reached, for clients that compare them.</param>
    /// <param name="now">From now on.</param>
    /// <param name="lifetime">For so long.</param>
    public X509Certificate2 IssueServer(
        string cell, IEnumerable<string> hosts, DateTimeOffset now, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(new CertificateName(cell, CertificateName.Server, Grants.None).ToString()));
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(host);
            }
        }

        var request = new CertificateRequest($"CN=muster server {cell}", key, HashAlgorithmName.SHA256);
        using var certificate = Sign(request, names, ServerUse, now, lifetime);
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>A certificate for an identity and a key of its own, whose public half alone is seen here.</summary>
    public byte[] IssueClient(PublicKey key, string cell, Credential credential, DateTimeOffset now)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(new CertificateName(cell, credential.Id, credential.Grants).ToString()));
        var request = new CertificateRequest(
            new X500DistinguishedName($"CN={credential.Name}"), key, HashAlgorithmName.SHA256);
        var lifetime = TimeSpan.FromSeconds(credential.CertificateSeconds);
        using var certificate = Sign(request, names, ClientUse, now, lifetime);
        return certificate.RawData;
    }

    public void Dispose() => _certificate.Dispose();

    private X509Certificate2 Sign(
        CertificateRequest request,
        SubjectAlternativeNameBuilder names,
        string use,
        DateTimeOffset now,
        TimeSpan lifetime)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
            _certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var begin = Later(now - s_clockSkew, _certificate.NotBefore);
        var end = now + lifetime < _certificate.NotAfter ? now + lifetime : _certificate.NotAfter;
        return request.Create(_certificate, begin, end, RandomNumberGenerator.GetBytes(SerialBytes));
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}
