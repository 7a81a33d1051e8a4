// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Muster.Identity.Certificates;

/// <summary>A request for a certificate (PKCS #10): proof that who asks has the key. Its names are not read.</summary>
internal static class SigningRequest
{
    /// <summary>One for P-256 has about 200 bytes.</summary>
    public const int BytesMax = 4_096;

    private const int KeyBits = 256;

    public static byte[] Create(ECDsa key) =>
        new CertificateRequest("CN=muster", key, HashAlgorithmName.SHA256).CreateSigningRequest();

    /// <summary>The key, when the request is signed with it and it is one that we take.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PublicKey? key)
    {
        key = null;
        if (bytes.IsEmpty || bytes.Length > BytesMax)
        {
            return false;
        }

        try
        {
            var request = CertificateRequest.LoadSigningRequest(
                bytes, HashAlgorithmName.SHA256, out var used, CertificateRequestLoadOptions.Default);
            using var curve = request.PublicKey.GetECDsaPublicKey();
            if (used != bytes.Length || curve is null || curve.KeySize != KeyBits)
            {
                return false;
            }

            key = request.PublicKey;
            return true;
        }
        catch (Exception damage) when (damage is CryptographicException or AsnContentException
            or NotSupportedException or ArgumentException)
        {
            return false;
        }
    }
}
