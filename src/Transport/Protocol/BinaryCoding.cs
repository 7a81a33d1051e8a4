// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Text;
using System.Collections.Generic;

namespace Muster.Transport.Protocol;

/// <summary>
/// The coding of -bin metadata: base64, written without padding and read with or without it. A field may hold several
/// values joined by commas, which other implementations do when a key repeats.
/// </summary>
internal static class BinaryCoding
{
    public static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    /// <summary>Appends the values of the field; false when one of them is not base64.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> field, List<byte[]> values)
    {
        foreach (var range in field.Split((byte)','))
        {
            if (!TryDecodeOne(field[range].Trim((byte)' ').TrimEnd((byte)'='), out var value))
            {
                return false;
            }

            values.Add(value);
        }

        return true;
    }

    private static bool TryDecodeOne(ReadOnlySpan<byte> coded, out byte[] value)
    {
        value = [];
        if (coded.Length % 4 == 1)
        {
            return false;
        }

        Span<byte> padded = coded.Length <= 1020 ? stackalloc byte[1024] : new byte[coded.Length + 3];
        coded.CopyTo(padded);
        var length = coded.Length;
        while (length % 4 != 0)
        {
            padded[length++] = (byte)'=';
        }

        var bytes = new byte[length / 4 * 3];
        var status = Base64.DecodeFromUtf8(padded[..length], bytes, out _, out var written);
        if (status != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        value = bytes[..written];
        return true;
    }
}
