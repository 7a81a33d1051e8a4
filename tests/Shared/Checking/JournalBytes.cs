// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;

namespace Muster.Checking;

/// <summary>
/// Reads the journal's segments as docs/internals/journal.md describes them, without a line of the server's code: what
/// it finds is there, whatever the server believes.
/// </summary>
internal static class JournalBytes
{
    private const int DataOffset = 8_192;
    private const int HeaderBytes = 40;
    private const ushort TurnKind = 1;
    private const ushort ForgottenMark = 0xff03;
    private const uint CastagnoliReversed = 0x82f63b78;

    private static readonly uint[] s_crcs = MakeCrcs();

    /// <summary>Every task that the records name, with what they say of it.</summary>
    /// <param name="segments">The segment files whole, in the order of their names.</param>
    public static SortedDictionary<ulong, JournalFacts> Read(IReadOnlyList<byte[]> segments)
    {
        var records = new List<(ulong Sequence, ushort Kind, ReadOnlyMemory<byte> Body)>();
        foreach (var segment in segments)
        {
            ReadSegment(segment, records);
        }

        ulong liveFrom = 0;
        foreach (var (_, kind, body) in records)
        {
            if (kind == ForgottenMark)
            {
                liveFrom = Math.Max(liveFrom, BinaryPrimitives.ReadUInt64LittleEndian(body.Span));
            }
        }

        var found = new SortedDictionary<ulong, JournalFacts>();
        foreach (var (sequence, kind, body) in records)
        {
            if (kind == TurnKind && sequence >= liveFrom)
            {
                ReadTurn(body.Span, found);
            }
        }

        return found;
    }

    private static void ReadSegment(byte[] bytes, List<(ulong, ushort, ReadOnlyMemory<byte>)> records)
    {
        if (bytes.Length < DataOffset)
        {
            return;
        }

        var seed = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(12));
        var basePosition = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(32));
        for (var at = DataOffset; at + HeaderBytes <= bytes.Length;)
        {
            var header = bytes.AsSpan(at);
            var length = HeaderBytes + (long)BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            var position = BinaryPrimitives.ReadUInt64LittleEndian(header[16..]);
            if (at + length > bytes.Length || position != basePosition + (ulong)at
                || BinaryPrimitives.ReadUInt32LittleEndian(header) != Crc(header[4..(int)length], seed))
            {
                return;
            }

            records.Add((
                BinaryPrimitives.ReadUInt64LittleEndian(header[8..]),
                BinaryPrimitives.ReadUInt16LittleEndian(header[36..]),
                bytes.AsMemory(at + HeaderBytes, (int)length - HeaderBytes)));
            at += ((int)length + 7) & ~7;
        }
    }

    // Facts one after the other: u8 kind, u32 bytes.
    private static void ReadTurn(ReadOnlySpan<byte> body, SortedDictionary<ulong, JournalFacts> found)
    {
        while (!body.IsEmpty)
        {
            var kind = body[0];
            var bytes = (int)BinaryPrimitives.ReadUInt32LittleEndian(body[1..]);
            var fact = body.Slice(5, bytes);
            body = body[(5 + bytes)..];
            switch (kind)
            {
                case 11:
                    ReadSubmitted(fact, found);
                    break;
                case 4:
                    Add(found, BinaryPrimitives.ReadUInt64LittleEndian(fact), JournalFacts.Ended);
                    break;
                case 5:
                    for (; !fact.IsEmpty; fact = fact[8..])
                    {
                        Add(found, BinaryPrimitives.ReadUInt64LittleEndian(fact), JournalFacts.Released);
                    }

                    break;
                default:
                    break;
            }
        }
    }

    // u64 client, varints first ref, decided ref and profile, u8 flags, varint expiry, u64 time; then for each task u64
    // id, varint ref, u8 has key, with it 24 bytes and a varint, payload.
    private static void ReadSubmitted(ReadOnlySpan<byte> fact, SortedDictionary<ulong, JournalFacts> found)
    {
        fact = fact[8..];
        for (var number = 0; number < 3; number++)
        {
            Varint(ref fact);
        }

        fact = fact[1..];
        Varint(ref fact);
        fact = fact[8..];
        while (!fact.IsEmpty)
        {
            Add(found, BinaryPrimitives.ReadUInt64LittleEndian(fact), JournalFacts.Submitted);
            fact = fact[8..];
            Varint(ref fact);
            var hasKey = fact[0] != 0;
            fact = fact[1..];
            if (hasKey)
            {
                fact = fact[24..];
                Varint(ref fact);
            }

            fact = fact[(int)Varint(ref fact)..];
        }
    }

    private static void Add(SortedDictionary<ulong, JournalFacts> found, ulong task, JournalFacts facts) =>
        found[task] = found.GetValueOrDefault(task) | facts;

    private static ulong Varint(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[0];
            bytes = bytes[1..];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    private static uint Crc(ReadOnlySpan<byte> bytes, uint seed)
    {
        var crc = ~seed;
        foreach (var value in bytes)
        {
            crc = (crc >> 8) ^ s_crcs[(byte)(crc ^ value)];
        }

        return ~crc;
    }

    private static uint[] MakeCrcs()
    {
        var table = new uint[256];
        for (var value = 0u; value < table.Length; value++)
        {
            var crc = value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * CastagnoliReversed);
            }

            table[value] = crc;
        }

        return table;
    }
}
