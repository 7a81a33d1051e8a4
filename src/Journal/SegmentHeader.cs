// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;

namespace Muster.Journal;

/// <summary>The first block of a segment file, on the disk before the file has a segment's name.</summary>
/// <param name="Lineage">Which journal it belongs to.</param>
/// <param name="Seed">What the checks of this journal's records start with, so that no payload can look like
/// one.</param>
/// <param name="Number">1, 2, 3...; also in the file's name.</param>
/// <param name="BasePosition">Position of the file's first byte over all segments.</param>
/// <param name="SegmentBytes">Length of the file.</param>
/// <param name="FirstSequence">Of its first record; all before it are on the disk.</param>
/// <param name="LiveFrom">The first sequence still needed when the segment was begun.</param>
/// <param name="UnixUs">When that was.</param>
/// <param name="PreviousCrc">Of the record before its first.</param>
internal readonly record struct SegmentHeader(
    ulong Lineage,
    uint Seed,
    ulong Number,
    ulong BasePosition,
    long SegmentBytes,
    ulong FirstSequence,
    ulong LiveFrom,
    long UnixUs,
    uint PreviousCrc)
{
    private const int VersionOffset = 8;
    private const int SeedOffset = 12;
    private const int LineageOffset = 16;
    private const int NumberOffset = 24;
    private const int BaseOffset = 32;
    private const int BytesOffset = 40;
    private const int FirstSequenceOffset = 48;
    private const int LiveFromOffset = 56;
    private const int UnixUsOffset = 64;
    private const int PreviousCrcOffset = 72;
    private const int CrcOffset = JournalFormat.BlockBytes - sizeof(uint);

    private static ReadOnlySpan<byte> Magic => "MUSTERJ\n"u8;

    /// <summary>The last link before the segment's first record.</summary>
    public ChainLink Before => new(FirstSequence - 1, PreviousCrc);

    public void Write(Span<byte> block)
    {
        block = block[..JournalFormat.BlockBytes];
        block.Clear();
        Magic.CopyTo(block);
        BinaryPrimitives.WriteUInt32LittleEndian(block[VersionOffset..], JournalFormat.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(block[SeedOffset..], Seed);
        BinaryPrimitives.WriteUInt64LittleEndian(block[LineageOffset..], Lineage);
        BinaryPrimitives.WriteUInt64LittleEndian(block[NumberOffset..], Number);
        BinaryPrimitives.WriteUInt64LittleEndian(block[BaseOffset..], BasePosition);
        BinaryPrimitives.WriteInt64LittleEndian(block[BytesOffset..], SegmentBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(block[FirstSequenceOffset..], FirstSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(block[LiveFromOffset..], LiveFrom);
        BinaryPrimitives.WriteInt64LittleEndian(block[UnixUsOffset..], UnixUs);
        BinaryPrimitives.WriteUInt32LittleEndian(block[PreviousCrcOffset..], PreviousCrc);
        BinaryPrimitives.WriteUInt32LittleEndian(block[CrcOffset..], Crc32C.Of(block[..CrcOffset]));
    }

    /// <summary>Whether the block is whole; magic, version and check have the same place in every version.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> block, out uint version)
    {
        version = BinaryPrimitives.ReadUInt32LittleEndian(block[VersionOffset..]);
        return block[..Magic.Length].SequenceEqual(Magic)
            && BinaryPrimitives.ReadUInt32LittleEndian(block[CrcOffset..]) == Crc32C.Of(block[..CrcOffset]);
    }

    /// <summary>Reads a whole block of this version.</summary>
    public static SegmentHeader Read(ReadOnlySpan<byte> block) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(block[LineageOffset..]),
        BinaryPrimitives.ReadUInt32LittleEndian(block[SeedOffset..]),
        BinaryPrimitives.ReadUInt64LittleEndian(block[NumberOffset..]),
        BinaryPrimitives.ReadUInt64LittleEndian(block[BaseOffset..]),
        BinaryPrimitives.ReadInt64LittleEndian(block[BytesOffset..]),
        BinaryPrimitives.ReadUInt64LittleEndian(block[FirstSequenceOffset..]),
        BinaryPrimitives.ReadUInt64LittleEndian(block[LiveFromOffset..]),
        BinaryPrimitives.ReadInt64LittleEndian(block[UnixUsOffset..]),
        BinaryPrimitives.ReadUInt32LittleEndian(block[PreviousCrcOffset..]));
}
