// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;

namespace Muster.Journal;

/// <summary>
/// Says, in a block of its own, how far a flush reached: written when the journal falls idle and when it is closed. If
/// it is whole, all records up to it must be there; if it is not, nothing follows.
/// </summary>
/// <param name="Lineage">Which journal it belongs to.</param>
/// <param name="Synced">The last sequence flushed.</param>
/// <param name="Position">Where that record ends, over all segments.</param>
/// <param name="Crc">Of that record.</param>
/// <param name="IsClosed">Whether the writer stopped cleanly behind it.</param>
internal readonly record struct FlushProof(ulong Lineage, ulong Synced, ulong Position, uint Crc, bool IsClosed)
{
    public const int Bytes = 40;

    private const int SyncedOffset = 8;
    private const int PositionOffset = 16;
    private const int CrcOffset = 24;
    private const int FlagsOffset = 28;
    private const int CheckOffset = 36;
    private const uint ClosedFlag = 1;

    public void Write(Span<byte> into, uint seed)
    {
        into = into[..Bytes];
        into.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(into, Lineage);
        BinaryPrimitives.WriteUInt64LittleEndian(into[SyncedOffset..], Synced);
        BinaryPrimitives.WriteUInt64LittleEndian(into[PositionOffset..], Position);
        BinaryPrimitives.WriteUInt32LittleEndian(into[CrcOffset..], Crc);
        BinaryPrimitives.WriteUInt32LittleEndian(into[FlagsOffset..], IsClosed ? ClosedFlag : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(into[CheckOffset..], Crc32C.Of(into[..CheckOffset], seed));
    }

    /// <summary>Reads a proof of this journal; false when there is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, ulong lineage, uint seed, out FlushProof proof)
    {
        proof = new(
            BinaryPrimitives.ReadUInt64LittleEndian(from),
            BinaryPrimitives.ReadUInt64LittleEndian(from[SyncedOffset..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[PositionOffset..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[CrcOffset..]),
            (BinaryPrimitives.ReadUInt32LittleEndian(from[FlagsOffset..]) & ClosedFlag) != 0);
        return proof.Lineage == lineage
            && BinaryPrimitives.ReadUInt32LittleEndian(from[CheckOffset..]) == Crc32C.Of(from[..CheckOffset], seed);
    }
}
