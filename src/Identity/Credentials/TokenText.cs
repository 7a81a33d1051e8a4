// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using System.Security.Cryptography;
using System.Text;

namespace Muster.Identity.Credentials;

/// <summary>
/// A bearer token as text: "mst.ID.SECRET", and behind another dot, in what is handed to people, the fingerprint of the
/// cell's authority. The secret has 256 random bits; only its hash is ever kept.
/// </summary>
internal sealed record TokenText(string Id, string Secret, string? Fingerprint)
{
    public const string Prefix = "mst";

    /// <summary>SHA-256 as base64url, like the secret.</summary>
    public const int FingerprintChars = 43;

    /// <summary>No text longer than this is looked at.</summary>
    public const int CharsMax = 160;

    private const int IdBytes = 8;
    private const int IdChars = 2 * IdBytes;
    private const int SecretBytes = 32;
    private const int SecretChars = 43;

    /// <summary>What is sent with each call.</summary>
    public string Bearer => $"{Prefix}.{Id}.{Secret}";

    public static TokenText Create(string? id = null) => new(
        id ?? NewId(), Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes)), null);

    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes));

    /// <summary>The hash under which a secret is kept.</summary>
    public static byte[] HashOf(string secret) => SHA256.HashData(Encoding.ASCII.GetBytes(secret));

    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out TokenText? token)
    {
        token = null;
        if (text.Length > CharsMax)
        {
            return false;
        }

        var parts = text.ToString().Split('.');
        if (parts.Length is < 3 or > 4
            || parts[0] != Prefix
            || parts[1].Length != IdChars
            || !parts[1].All(char.IsAsciiHexDigitLower)
            || parts[2].Length != SecretChars
            || !Base64Url.IsValid(parts[2])
            || (parts.Length == 4 && (parts[3].Length != FingerprintChars || !Base64Url.IsValid(parts[3]))))
        {
            return false;
        }

        token = new(parts[1], parts[2], parts.Length == 4 ? parts[3] : null);
        return true;
    }

    public override string ToString() => Fingerprint is null ? Bearer : $"{Bearer}.{Fingerprint}";
}
