// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Grpc.Core;
using Muster.Transport.Hpack;
using Muster.Transport.Protocol;

namespace Muster.Transport.Http2;

/// <summary>Headers and trailers that are nobody's but the caller's, as metadata; the same for both sides.</summary>
internal static class HeaderMetadata
{
    /// <summary>
    /// Adds one header. HTTP allows names that metadata do not: such headers are nobody's and are left out.
    /// </summary>
    /// <param name="metadata">Takes the entry; made when there is a first one.</param>
    /// <param name="name">As it came.</param>
    /// <param name="value">As it came; of a binary header base64, and several values with commas between them.</param>
    /// <param name="field">Where the entry of a header that comes again is kept; null: nowhere.</param>
    /// <param name="scratch">Cleared and used.</param>
    /// <returns>The key of a binary header whose base64 is damaged, which is left out; otherwise null.</returns>
    public static string? Add(
        ref Metadata? metadata,
        ReadOnlySpan<byte> name,
        ReadOnlySpan<byte> value,
        HeaderField? field,
        List<byte[]> scratch)
    {
        if (field?.Cached is Metadata.Entry known)
        {
            (metadata ??= []).Add(known);
            return null;
        }

        if (!MetadataKey.TryCheck(System.Text.Encoding.ASCII.GetString(name), out var key))
        {
            return null;
        }

        if (!key.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.Ordinal))
        {
            var entry = new Metadata.Entry(key, System.Text.Encoding.Latin1.GetString(value));
            (metadata ??= []).Add(entry);
            if (field is not null)
            {
                field.Cached = entry;
            }

            return null;
        }

        scratch.Clear();
        if (!BinaryCoding.TryDecode(value, scratch))
        {
            return key;
        }

        foreach (var bytes in scratch)
        {
            (metadata ??= []).Add(key, bytes);
        }

        return null;
    }
}
