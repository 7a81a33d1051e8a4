// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Muster.Core;

namespace Muster.Plm;

/// <summary>
/// What the cell keeps of an item's idempotency key: 128 bits of a hash of namespace and key, and 64 bits of one of
/// handler and payload. Hashes, because rows are of one size, and because a key may tell more than its task should. Of
/// 2^64 other payloads about one would pass for the first.
/// </summary>
/// <param name="High">First half of the hash of namespace and key.</param>
/// <param name="Low">Second half.</param>
/// <param name="Fingerprint">Of handler and payload.</param>
internal readonly record struct TaskKey(ulong High, ulong Low, ulong Fingerprint)
{
    /// <summary>The one namespace there is so far; hashed already, so that keys stay apart when there are more.
    /// </summary>
    private static ReadOnlySpan<byte> Namespace => "default"u8;

    /// <summary>
    /// Each identity's keys are its own: with a number behind the namespace, but for the cell's own user.
    /// Costs three hashes, about a microsecond and the time to read the payload once.
    /// </summary>
    public static TaskKey Of(
        ReadOnlySpan<byte> keyUtf8, ReadOnlySpan<byte> handlerUtf8, ReadOnlySpan<byte> payload, ushort owner = 0)
    {
        Invariant.That(keyUtf8.Length is > 0 and <= TaskLimits.KeyBytesMax);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> text = stackalloc byte[Math.Max(
            1 + Namespace.Length + sizeof(ushort) + TaskLimits.KeyBytesMax,
            SHA256.HashSizeInBytes + TaskLimits.HandlerNameBytesMax)];
        var length = 1 + Namespace.Length;
        Namespace.CopyTo(text[1..]);
        if (owner != 0)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(text[length..], owner);
            length += sizeof(ushort);
        }

        text[0] = (byte)(length - 1);
        keyUtf8.CopyTo(text[length..]);
        SHA256.HashData(text[..(length + keyUtf8.Length)], hash);
        var high = BinaryPrimitives.ReadUInt64LittleEndian(hash);
        var low = BinaryPrimitives.ReadUInt64LittleEndian(hash[sizeof(ulong)..]);

        // The payload's hash has one length, so no handler's name can be mistaken for the end of a payload.
        SHA256.HashData(payload, text[..SHA256.HashSizeInBytes]);
        handlerUtf8.CopyTo(text[SHA256.HashSizeInBytes..]);
        SHA256.HashData(text[..(SHA256.HashSizeInBytes + handlerUtf8.Length)], hash);
        return new(high, low, BinaryPrimitives.ReadUInt64LittleEndian(hash));
    }
}
