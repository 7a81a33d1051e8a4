// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;

namespace Muster.Journal;

/// <summary>
/// Says, in a block of its own, how far a flush reached: begun with the segment, written again when the journal falls
/// idle, when it is closed, and when it has gone on in the next segment. It is smaller than a sector, which a disk
/// writes whole or not at all, so one that is not whole was damaged.
/// </summary>
/// <param name="Lineage">Which journal it belongs to.</param>
/// <param name="Synced">The last sequence flushed.</param>
/// <param name="Position">Where that record ends, over all segments.</param>
/// <param name="Crc">Of that record.</param>
/// <param name="IsClosed">Whether the writer stopped cleanly behind it.</param>
/// <param name="IsFollowed">Whether there is a next segment: without this nobody would miss the newest.</param>
internal readonly record struct FlushProof(
    ulong Lineage, ulong Synced, ulong Position, uint Crc, bool IsClosed = false, bool IsFollowed = false)
{
    public const int Bytes = 40;

    private const int SyncedOffset = 8;
    private const int PositionOffset = 16;
    private const int CrcOffset = 24;
    private const int FlagsOffset = 28;
    private const int CheckOffset = 36;
    private const uint ClosedFlag = 1;
    private const uint FollowedFlag = 2;

    /// <summary>What a segment begins with: all before it is flushed.</summary>
    public static FlushProof Of(in SegmentHeader segment) => new(
        segment.Lineage,
        segment.FirstSequence - 1,
        segment.BasePosition + JournalFormat.DataOffset,
        segment.PreviousCrc);

    private uint Flags => (IsClosed ? ClosedFlag : 0) | (IsFollowed ? FollowedFlag : 0);

    /// <summary>Whether it can be this segment's.</summary>
    public bool Fits(in SegmentHeader segment) =>
        Lineage == segment.Lineage
        && Synced >= segment.FirstSequence - 1
        && Position >= segment.BasePosition + JournalFormat.DataOffset
        && Position <= segment.BasePosition + (ulong)segment.SegmentBytes;

    public void Write(Span<byte> into, uint seed)
    {
        into = into[..Bytes];
        into.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(into, Lineage);
        BinaryPrimitives.WriteUInt64LittleEndian(into[SyncedOffset..], Synced);
        BinaryPrimitives.WriteUInt64LittleEndian(into[PositionOffset..], Position);
        BinaryPrimitives.WriteUInt32LittleEndian(into[CrcOffset..], Crc);
        BinaryPrimitives.WriteUInt32LittleEndian(into[FlagsOffset..], Flags);
        BinaryPrimitives.WriteUInt32LittleEndian(into[CheckOffset..], Crc32C.Of(into[..CheckOffset], seed));
    }

    /// <summary>Reads the proof of a segment; false when it is not whole or belongs elsewhere.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, in SegmentHeader segment, out FlushProof proof)
    {
        var flags = BinaryPrimitives.ReadUInt32LittleEndian(from[FlagsOffset..]);
        proof = new(
            BinaryPrimitives.ReadUInt64LittleEndian(from),
            BinaryPrimitives.ReadUInt64LittleEndian(from[SyncedOffset..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[PositionOffset..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[CrcOffset..]),
            (flags & ClosedFlag) != 0,
            (flags & FollowedFlag) != 0);
        var check = Crc32C.Of(from[..CheckOffset], segment.Seed);
        return BinaryPrimitives.ReadUInt32LittleEndian(from[CheckOffset..]) == check && proof.Fits(segment);
    }
}
