// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Plm.Facts;

namespace Muster.Plm.Spill;

/// <summary>
/// One task on disk: what the PLM wrote into its slot when it was submitted, and its payload. Nothing of a task that
/// has started is ever there.
/// </summary>
internal ref struct SpillRecord
{
    public uint Place;
    public byte Durability;
    public byte AttemptsMax;
    public uint RetryDelayMs;
    public uint TimeoutMs;
    public uint RetentionMs;
    public ulong DueUnixMs;
    public long SubmittedUnixUs;

    /// <summary>Row of its idempotency key + 1; 0: none.</summary>
    public uint Key;

    /// <summary>Row of its client + 1; 0: none.</summary>
    public uint Client;

    /// <summary>Which of the row's sessions.</summary>
    public uint Session;
    public ulong Ref;

    /// <summary>Number of the identity that submitted it.</summary>
    public ushort Owner;
    public ReadOnlySpan<byte> Payload;

    public readonly void Write(FactWriter writer)
    {
        writer.Varint(Place);
        writer.Byte(Durability);
        writer.Byte(AttemptsMax);
        writer.Varint(RetryDelayMs);
        writer.Varint(TimeoutMs);
        writer.Varint(RetentionMs);
        writer.Varint(DueUnixMs);
        writer.Fixed64((ulong)SubmittedUnixUs);
        writer.Varint(Key);
        writer.Varint(Client);
        if (Client != 0)
        {
            writer.Varint(Session);
            writer.Varint(Ref);
        }

        writer.Varint(Owner);
        writer.Bytes(Payload);
    }

    public static SpillRecord Read(ref FactReader reader)
    {
        var record = new SpillRecord
        {
            Place = reader.UInt32(),
            Durability = reader.Byte(),
            AttemptsMax = reader.Byte(),
            RetryDelayMs = reader.UInt32(),
            TimeoutMs = reader.UInt32(),
            RetentionMs = reader.UInt32(),
            DueUnixMs = reader.Varint(),
            SubmittedUnixUs = (long)reader.Fixed64(),
            Key = reader.UInt32(),
            Client = reader.UInt32(),
        };
        if (record.Client != 0)
        {
            record.Session = reader.UInt32();
            record.Ref = reader.Varint();
        }

        record.Owner = (ushort)reader.UInt32();
        record.Payload = reader.Bytes();
        return record;
    }
}
