// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Plm.Facts;

/// <summary>
/// One task of a fact of kind Submitted: <c>u64 id, varint ref - first ref, u8 has key</c>, with a key <c>u64 hash
/// high, u64 hash low, u64 fingerprint, varint key retention ms</c>, then <c>bytes payload</c>.
/// </summary>
internal ref struct SubmittedItem
{
    public ulong Id;

    /// <summary>Counted from the fact's first.</summary>
    public ulong RefOffset;

    /// <summary>Null: the task has no idempotency key.</summary>
    public TaskKey? Key;

    /// <summary>How long the key is remembered after the task's end.</summary>
    public uint KeyRetentionMs;
    public ReadOnlySpan<byte> Payload;

    public readonly void Write(FactWriter writer)
    {
        writer.Fixed64(Id);
        writer.Varint(RefOffset);
        writer.Byte(Key is null ? (byte)0 : (byte)1);
        if (Key is { } key)
        {
            KeyFact.WriteKey(writer, key);
            writer.Varint(KeyRetentionMs);
        }

        writer.Bytes(Payload);
    }

    public static SubmittedItem Read(ref FactReader reader)
    {
        var item = new SubmittedItem { Id = reader.Fixed64(), RefOffset = reader.Varint() };
        if (reader.Byte() != 0)
        {
            item.Key = KeyFact.ReadKey(ref reader);
            item.KeyRetentionMs = reader.UInt32();
        }

        item.Payload = reader.Bytes();
        return item;
    }
}
