// SPDX-License-Identifier: Apache-2.0
namespace Muster.Identity.Credentials;

/// <summary>
/// An identity as the cell keeps it: who it is, what it may do, and how it proves that it is who it says. Immutable.
/// Holds no secret: of a token only the hash.
/// </summary>
internal sealed record Credential
{
    /// <summary>16 hexadecimal digits, random; stands in tokens and certificates.</summary>
    public required string Id { get; init; }

    /// <summary>For people; of one cell's living identities each has another.</summary>
    public required string Name { get; init; }

    /// <summary>1 to 65,535: marks what the identity owns. Never given to another identity of the cell.</summary>
    public required ushort Number { get; init; }

    public required Grants Grants { get; init; }

    /// <summary>SHA-256 of the token's secret; empty: it has none, and only its certificate counts.</summary>
    public byte[] TokenHash { get; init; } = [];

    /// <summary>That of the token before, which still counts until the moment below; empty: none.</summary>
    public byte[] EarlierTokenHash { get; init; } = [];

    public long EarlierUntilUnixMs { get; init; }

    public long CreatedUnixMs { get; init; }

    /// <summary>0: never.</summary>
    public long ExpiresUnixMs { get; init; }

    /// <summary>0: it was not.</summary>
    public long RevokedUnixMs { get; init; }

    /// <summary>How long each certificate of the identity counts.</summary>
    public int CertificateSeconds { get; init; } = CertificateSecondsDefault;

    public const int CertificateSecondsDefault = 86_400;

    public bool IsRevoked => RevokedUnixMs != 0;

    public bool IsExpired(long nowUnixMs) => ExpiresUnixMs != 0 && ExpiresUnixMs <= nowUnixMs;

    /// <summary>Whether the identity counts at this moment, whatever proves it.</summary>
    public CredentialState StateAt(long nowUnixMs) => IsRevoked
        ? CredentialState.Revoked
        : IsExpired(nowUnixMs) ? CredentialState.Expired : CredentialState.Valid;
}
