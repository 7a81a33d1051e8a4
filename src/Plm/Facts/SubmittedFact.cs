// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Plm.Facts;

/// <summary>
/// What the tasks of one fact of kind Submitted have in common. The fact is this, then a
/// <see cref="SubmittedItem"/> for each task to its end.
/// </summary>
internal ref struct SubmittedFact
{
    /// <summary>0: without a session.</summary>
    public ulong ClientId;
    public ulong FirstRef;

    /// <summary>The session's decided ref after the batch.</summary>
    public ulong DecidedRef;
    public byte Durability;
    public byte Priority;
    public byte AttemptsMax;
    public uint TimeoutMs;
    public uint RetentionMs;
    public uint RetryDelayMs;

    /// <summary>Wall clock ms since 1970; 0: never.</summary>
    public ulong ExpiresUnixMs;

    /// <summary>Wall clock, microseconds since 1970.</summary>
    public long SubmittedUnixUs;
    public ReadOnlySpan<byte> HandlerUtf8;

    public readonly void Write(FactWriter writer)
    {
        writer.Fixed64(ClientId);
        writer.Varint(FirstRef);
        writer.Varint(DecidedRef);
        writer.Byte(Durability);
        writer.Byte(Priority);
        writer.Byte(AttemptsMax);
        writer.Varint(TimeoutMs);
        writer.Varint(RetentionMs);
        writer.Varint(RetryDelayMs);
        writer.Varint(ExpiresUnixMs);
        writer.Fixed64((ulong)SubmittedUnixUs);
        writer.Bytes(HandlerUtf8);
    }

    public static SubmittedFact Read(ref FactReader reader) => new()
    {
        ClientId = reader.Fixed64(),
        FirstRef = reader.Varint(),
        DecidedRef = reader.Varint(),
        Durability = reader.Byte(),
        Priority = reader.Byte(),
        AttemptsMax = reader.Byte(),
        TimeoutMs = reader.UInt32(),
        RetentionMs = reader.UInt32(),
        RetryDelayMs = reader.UInt32(),
        ExpiresUnixMs = reader.Varint(),
        SubmittedUnixUs = (long)reader.Fixed64(),
        HandlerUtf8 = reader.Bytes(),
    };
}
