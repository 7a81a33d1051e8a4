// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Plm;
using Muster.Transport.Wire;

namespace Muster.Server.PlmHosting;

/// <summary>
/// Reads a muster.v1.SubmitBatch straight from the bytes of its message, twice: once outside the turn to see that all
/// of it is well-formed and how many items it has, once inside to put the items into slots. The second pass cannot
/// fail.
/// </summary>
internal static class BatchBytes
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Length = 2;

    /// <summary>Checks the whole batch. Throws <see cref="WireFormatException"/> when it is damaged.</summary>
    public static int CountItems(ReadOnlySpan<byte> batch, out ulong firstRef)
    {
        firstRef = 0;
        var items = 0;
        var reader = new ProtoReader(batch);
        while (reader.NextField())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, Varint):
                    firstRef = reader.ReadVarint();
                    break;
                case (2, Length):
                    ReadOptions(reader.ReadBytes(), out _);
                    break;
                case (3, Length):
                    ReadItem(reader.ReadBytes(), out _, out _);
                    items++;
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return items;
    }

    /// <summary>The options; a message without them has none set.</summary>
    public static void FindOptions(ReadOnlySpan<byte> batch, out TaskOptionsView options)
    {
        options = default;
        var reader = new ProtoReader(batch);
        while (reader.NextField())
        {
            if (reader.Field == 2 && reader.WireType == Length)
            {
                ReadOptions(reader.ReadBytes(), out options);
                return;
            }

            reader.Skip();
        }
    }

    /// <summary>Hands every item to the core's open batch.</summary>
    public static void AddItems(ReadOnlySpan<byte> batch, PlmCore core)
    {
        var reader = new ProtoReader(batch);
        while (reader.NextField())
        {
            if (reader.Field != 3 || reader.WireType != Length)
            {
                reader.Skip();
                continue;
            }

            ReadItem(reader.ReadBytes(), out var payload, out var key);
            core.AddItem(payload, key);
        }
    }

    private static void ReadItem(
        ReadOnlySpan<byte> item, out ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> key)
    {
        payload = default;
        key = default;
        var reader = new ProtoReader(item);
        while (reader.NextField())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, Length):
                    payload = reader.ReadBytes();
                    break;
                case (2, Length):
                    key = reader.ReadBytes();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static void ReadOptions(ReadOnlySpan<byte> bytes, out TaskOptionsView options)
    {
        options = default;
        var reader = new ProtoReader(bytes);
        while (reader.NextField())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, Length):
                    options.HandlerUtf8 = reader.ReadBytes();
                    break;
                case (2, Length):
                    options.QueueUtf8 = reader.ReadBytes();
                    break;
                case (3, Varint):
                    options.HasPriority = true;
                    options.Priority = (int)reader.ReadVarint();
                    break;
                case (4, Varint):
                    options.AttemptsMax = reader.ReadUInt32();
                    break;
                case (5, Varint):
                    options.TimeoutMs = reader.ReadVarint();
                    break;
                case (6, Varint):
                    options.ExpiresAfterMs = reader.ReadVarint();
                    break;
                case (7, Varint):
                    options.Durability = (int)reader.ReadVarint();
                    break;
                case (8, Varint):
                    options.RetentionMs = reader.ReadVarint();
                    break;
                case (9, Length):
                    options.HasOtherResources |= !IsOneSlot(reader.ReadBytes());
                    break;
                case (10, Varint):
                    options.RetryDelayMs = reader.ReadVarint();
                    break;
                case (11, Varint):
                    options.KeyRetentionMs = reader.ReadVarint();
                    break;
                default:
                    ReadRareOption(ref reader, ref options.Rare);
                    break;
            }
        }
    }

    private static void ReadRareOption(scoped ref ProtoReader reader, ref RareTaskOptions options)
    {
        switch (reader.Field, reader.WireType)
        {
            case (12, Varint):
                options.RetryFactorPercent = reader.ReadUInt32();
                break;
            case (13, Varint):
                options.RetryDelayMaxMs = reader.ReadVarint();
                break;
            case (14, Varint):
                options.RetryJitterPercent = reader.ReadUInt32();
                break;
            case (15, Varint):
                options.RetryBudgetMs = reader.ReadVarint();
                break;
            case (16, Length):
                options.FinalErrors.Add(reader.ReadBytes());
                break;
            case (17, Varint):
                options.ProgressTimeoutMs = reader.ReadVarint();
                break;
            case (18, Varint):
                options.TotalTimeoutMs = reader.ReadVarint();
                break;
            case (19, Varint):
                options.CancelGraceMs = reader.ReadVarint();
                break;
            default:
                reader.Skip();
                break;
        }
    }

    private static bool IsOneSlot(ReadOnlySpan<byte> resource)
    {
        ReadOnlySpan<byte> name = default;
        ulong amountMilli = 0;
        var reader = new ProtoReader(resource);
        while (reader.NextField())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, Length):
                    name = reader.ReadBytes();
                    break;
                case (2, Varint):
                    amountMilli = reader.ReadVarint();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return name.SequenceEqual("slots"u8) && amountMilli == 1_000;
    }

    /// <summary>The elements of a repeated fixed64 field, packed or one by one, appended to a list.</summary>
    public static void ReadFixed64(ref ProtoReader reader, System.Collections.Generic.List<ulong> values)
    {
        if (reader.WireType == Fixed64)
        {
            values.Add(reader.ReadFixed64());
            return;
        }

        var packed = reader.ReadBytes();
        if (packed.Length % sizeof(ulong) != 0)
        {
            throw new WireFormatException("a packed field of 8-byte numbers has a length that is no multiple of 8");
        }

        for (var at = 0; at < packed.Length; at += sizeof(ulong))
        {
            values.Add(System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(packed[at..]));
        }
    }
}
