// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;

namespace Grpc.Core;

/// <summary>The rule for keys of metadata: a-z, 0-9, dot, dash and underscore; upper case is lowered.</summary>
internal static class MetadataKey
{
    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");

    public static string Check(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return TryCheck(key, out var lowered)
            ? lowered
            : throw new ArgumentException($"'{key}' is not a metadata key.", nameof(key));
    }

    /// <summary>The key in lower case; false when it is none.</summary>
    public static bool TryCheck(string key, out string lowered)
    {
        lowered = key;
        if (key.AsSpan().ContainsAnyExcept(s_allowed))
        {
            lowered = key.ToLowerInvariant();
        }

        return lowered.Length > 0 && !lowered.AsSpan().ContainsAnyExcept(s_allowed);
    }
}
