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

    /// <summary>Row of its profile; in a body, the number of the profile there, from 0.</summary>
    public uint Profile;

    /// <summary>As read: the profile itself, in the first record of a body that has it; else empty.</summary>
    public ReadOnlySpan<byte> Definition;

    /// <summary>It is forgotten as soon as it has ended.</summary>
    public bool IsUnretained;
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

    public readonly void Write(FactWriter writer, ReadOnlySpan<byte> definition)
    {
        writer.Varint(Place);
        writer.Varint(Profile);
        writer.Bytes(definition);
        writer.Byte(IsUnretained ? (byte)1 : (byte)0);
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
            Profile = reader.UInt32(),
            Definition = reader.Bytes(),
            IsUnretained = reader.Byte() != 0,
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
