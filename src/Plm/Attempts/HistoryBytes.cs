// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;

namespace Muster.Plm.Attempts;

/// <summary>
/// What a task's block of history holds: <c>u32 bytes of the whole</c>, then for each entry <c>u8 kind, u32 attempt,
/// u16 length, bytes</c>, little endian. Read by whoever looks at the cell too, perhaps while the block is given to
/// another: nothing here trusts a length.
/// </summary>
internal static class HistoryBytes
{
    public const int HeadBytes = 4;
    public const int EntryHeadBytes = 7;

    /// <summary>An attempt that ended badly: an encoded muster.v1.AttemptInfo.</summary>
    public const byte KindAttempt = 1;

    /// <summary>Who ended the task by a decision, and why: text.</summary>
    public const byte KindEnd = 2;

    /// <summary>Takes the next entry from the front; false at the end, or where nothing can be read.</summary>
    public static bool TryNext(
        scoped ref ReadOnlySpan<byte> entries, out byte kind, out uint attempt, out ReadOnlySpan<byte> bytes)
    {
        (kind, attempt) = (0, 0);
        bytes = default;
        if (entries.Length < EntryHeadBytes)
        {
            return false;
        }

        kind = entries[0];
        attempt = BinaryPrimitives.ReadUInt32LittleEndian(entries[1..]);
        var length = BinaryPrimitives.ReadUInt16LittleEndian(entries[5..]);
        if (entries.Length - EntryHeadBytes < length)
        {
            return false;
        }

        bytes = entries.Slice(EntryHeadBytes, length);
        entries = entries[(EntryHeadBytes + length)..];
        return true;
    }

    /// <summary>Writes one entry and returns what follows it.</summary>
    public static Span<byte> Write(Span<byte> target, byte kind, uint attempt, scoped ReadOnlySpan<byte> bytes)
    {
        target[0] = kind;
        BinaryPrimitives.WriteUInt32LittleEndian(target[1..], attempt);
        BinaryPrimitives.WriteUInt16LittleEndian(target[5..], (ushort)bytes.Length);
        bytes.CopyTo(target[EntryHeadBytes..]);
        return target[(EntryHeadBytes + bytes.Length)..];
    }
}
