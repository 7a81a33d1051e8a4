// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;

namespace Muster.Journal;

/// <summary>The 40 bytes before each body.</summary>
/// <param name="Crc">Of all that follows it, header and body, with the journal's seed.</param>
/// <param name="BodyBytes">Length of the body, without padding.</param>
/// <param name="Sequence">One more than that of the record before.</param>
/// <param name="Position">Where it belongs, counted over all segments.</param>
/// <param name="Synced">The last sequence known to be flushed when this was written.</param>
/// <param name="PreviousCrc">That of the record before.</param>
/// <param name="Kind">What it is.</param>
/// <param name="SyncedCheck">Low half of the check of the record <paramref name="Synced"/>.</param>
internal readonly record struct RecordHeader(
    uint Crc,
    uint BodyBytes,
    ulong Sequence,
    ulong Position,
    ulong Synced,
    uint PreviousCrc,
    ushort Kind,
    ushort SyncedCheck)
{
    public const int PositionOffset = 16;

    private const int CrcBytes = 4;
    private const int BodyBytesOffset = 4;
    private const int SequenceOffset = 8;
    private const int SyncedOffset = 24;
    private const int PreviousCrcOffset = 32;
    private const int KindOffset = 36;
    private const int SyncedCheckOffset = 38;

    public bool IsMark => Kind >= JournalLimits.KindsMax;

    public static RecordHeader Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(from),
        BinaryPrimitives.ReadUInt32LittleEndian(from[BodyBytesOffset..]),
        BinaryPrimitives.ReadUInt64LittleEndian(from[SequenceOffset..]),
        BinaryPrimitives.ReadUInt64LittleEndian(from[PositionOffset..]),
        BinaryPrimitives.ReadUInt64LittleEndian(from[SyncedOffset..]),
        BinaryPrimitives.ReadUInt32LittleEndian(from[PreviousCrcOffset..]),
        BinaryPrimitives.ReadUInt16LittleEndian(from[KindOffset..]),
        BinaryPrimitives.ReadUInt16LittleEndian(from[SyncedCheckOffset..]));

    /// <summary>What is known when a record is appended; <see cref="Seal"/> adds the rest.</summary>
    public static void Begin(Span<byte> record, ushort kind, int bodyBytes, ulong sequence)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(record[BodyBytesOffset..], (uint)bodyBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(record[SequenceOffset..], sequence);
        BinaryPrimitives.WriteUInt16LittleEndian(record[KindOffset..], kind);
    }

    /// <summary>Says where the record goes and what is before it, and signs it.</summary>
    /// <param name="record">Header and body, without padding.</param>
    /// <param name="seed">The journal's.</param>
    /// <param name="position">Where it goes.</param>
    /// <param name="synced">How far flushes have reached.</param>
    /// <param name="previousCrc">Of the record before.</param>
    /// <returns>Its check.</returns>
    public static uint Seal(Span<byte> record, uint seed, ulong position, ChainLink synced, uint previousCrc)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(record[PositionOffset..], position);
        BinaryPrimitives.WriteUInt64LittleEndian(record[SyncedOffset..], synced.Sequence);
        BinaryPrimitives.WriteUInt16LittleEndian(record[SyncedCheckOffset..], (ushort)synced.Crc);
        BinaryPrimitives.WriteUInt32LittleEndian(record[PreviousCrcOffset..], previousCrc);
        var crc = Check(record, seed);
        BinaryPrimitives.WriteUInt32LittleEndian(record, crc);
        return crc;
    }

    /// <summary>What the check of header and body should be.</summary>
    public static uint Check(ReadOnlySpan<byte> record, uint seed) => Crc32C.Of(record[CrcBytes..], seed);
}
