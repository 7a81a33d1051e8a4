// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using System.Linq;
using System.Security.Cryptography;

namespace Muster.Identity.Credentials;

/// <summary>All identities of a cell at one moment. Immutable; a change makes another book.</summary>
internal sealed class CredentialBook
{
    public const int CredentialsMax = 10_000;

    /// <summary>Compared with when there is no such identity, so that the answer takes as long.</summary>
    private static readonly byte[] s_nobody = new byte[SHA256.HashSizeInBytes];

    private readonly FrozenDictionary<string, Credential> _byId;

    public CredentialBook(
        string cell, ulong serial, int nextNumber, uint generation, IEnumerable<Credential> credentials)
    {
        Cell = cell;
        Serial = serial;
        NextNumber = nextNumber;
        Generation = generation;
        All = [.. credentials];
        _byId = All.ToFrozenDictionary(each => each.Id, StringComparer.Ordinal);
    }

    public static CredentialBook Empty { get; } = new("", 0, 1, 0, []);

    public string Cell { get; }

    /// <summary>Grows with each change.</summary>
    public ulong Serial { get; }

    /// <summary>Of the next identity that is made.</summary>
    public int NextNumber { get; }

    /// <summary>Grows when the servers' certificates are to be made anew.</summary>
    public uint Generation { get; }

    public IReadOnlyList<Credential> All { get; }

    public Credential? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>The one of this name that has not been revoked, or the last that was.</summary>
    public Credential? FindByName(string name) =>
        All.LastOrDefault(each => each.Name == name && !each.IsRevoked) ?? All.LastOrDefault(each => each.Name == name);

    /// <summary>
    /// What a token is worth. Whether it is expired or revoked is told only to who knows its secret; all others learn
    /// nothing, in the same time.
    /// </summary>
    public CredentialState Check(TokenText token, long nowUnixMs, out Credential? credential)
    {
        credential = Find(token.Id);
        var hash = TokenText.HashOf(token.Secret);
        var isCurrent = Matches(hash, credential?.TokenHash);
        var isEarlier = Matches(hash, credential?.EarlierTokenHash);
        if (credential is null || !(isCurrent | isEarlier))
        {
            credential = null;
            return CredentialState.Unknown;
        }

        var state = credential.StateAt(nowUnixMs);
        return state == CredentialState.Valid && !isCurrent && credential.EarlierUntilUnixMs <= nowUnixMs
            ? CredentialState.Expired
            : state;
    }

    public CredentialBook With(IEnumerable<Credential> credentials, int? nextNumber = null, uint? generation = null) =>
        new(Cell, Serial + 1, nextNumber ?? NextNumber, generation ?? Generation, credentials);

    /// <summary>The same with one identity replaced.</summary>
    public CredentialBook Replacing(Credential credential) =>
        With(All.Select(each => each.Id == credential.Id ? credential : each));

    private static bool Matches(byte[] hash, byte[]? kept)
    {
        var isThere = kept is { Length: SHA256.HashSizeInBytes };
        return CryptographicOperations.FixedTimeEquals(hash, isThere ? kept! : s_nobody) & isThere;
    }
}
