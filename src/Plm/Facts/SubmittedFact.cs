// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Plm.Facts;

/// <summary>
/// What the tasks of one fact of kind SubmittedAs have in common. The fact is this, then a <see cref="SubmittedItem"/>
/// for each task to its end. Facts of kind Submitted, which say their options themselves, are read and not written any
/// more.
/// </summary>
internal ref struct SubmittedFact
{
    /// <summary>Bit of <see cref="Flags"/>: the tasks are forgotten as soon as they have ended.</summary>
    public const byte FlagUnretained = 1;

    /// <summary>0: without a session.</summary>
    public ulong ClientId;
    public ulong FirstRef;

    /// <summary>The session's decided ref after the batch.</summary>
    public ulong DecidedRef;

    /// <summary>Number of the last fact of kind Profile that has it.</summary>
    public uint Profile;
    public byte Flags;

    /// <summary>Wall clock ms since 1970; 0: never.</summary>
    public ulong ExpiresUnixMs;

    /// <summary>Wall clock, microseconds since 1970.</summary>
    public long SubmittedUnixUs;

    public readonly void Write(FactWriter writer)
    {
        writer.Fixed64(ClientId);
        writer.Varint(FirstRef);
        writer.Varint(DecidedRef);
        writer.Varint(Profile);
        writer.Byte(Flags);
        writer.Varint(ExpiresUnixMs);
        writer.Fixed64((ulong)SubmittedUnixUs);
    }

    public static SubmittedFact Read(ref FactReader reader) => new()
    {
        ClientId = reader.Fixed64(),
        FirstRef = reader.Varint(),
        DecidedRef = reader.Varint(),
        Profile = reader.UInt32(),
        Flags = reader.Byte(),
        ExpiresUnixMs = reader.Varint(),
        SubmittedUnixUs = (long)reader.Fixed64(),
    };

    /// <summary>Reads a fact of kind Submitted: its options stand between.</summary>
    public static SubmittedFact ReadWithOptions(ref FactReader reader, out ProfileFact options)
    {
        var fact = new SubmittedFact
        {
            ClientId = reader.Fixed64(),
            FirstRef = reader.Varint(),
            DecidedRef = reader.Varint(),
        };
        options = default;
        options.Row.Durability = reader.Byte();
        options.Row.Priority = reader.Byte();
        options.Row.AttemptsMax = reader.Byte();
        options.Row.TimeoutMs = reader.UInt32();
        options.Row.RetentionMs = reader.UInt32();
        options.Row.RetryDelayMs = reader.UInt32();
        options.Row.RetryFactorPercent = (ushort)Core.TaskLimits.RetryFactorPercentDefault;
        options.Row.RetryDelayMaxMs = Core.TaskLimits.RetryDelayMaxMsDefault;
        options.Row.CancelGraceMs = Core.TaskLimits.CancelGraceMsDefault;
        fact.Flags = options.Row.RetentionMs == 0 ? FlagUnretained : (byte)0;
        fact.ExpiresUnixMs = reader.Varint();
        fact.SubmittedUnixUs = (long)reader.Fixed64();
        options.HandlerUtf8 = reader.Bytes();
        return fact;
    }
}
