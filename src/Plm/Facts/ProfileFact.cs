// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena.Tables;

namespace Muster.Plm.Facts;

/// <summary>
/// One fact of kind Profile: a set of options, and the number under which later facts of kind SubmittedAs mean it,
/// until the number is given to another.
/// </summary>
internal ref struct ProfileFact
{
    public uint Number;
    public ReadOnlySpan<byte> HandlerUtf8;

    /// <summary>Empty: the default queue.</summary>
    public ReadOnlySpan<byte> QueueUtf8;

    /// <summary>All of it but for the indexes, which mean something in one arena only.</summary>
    public ProfileRow Row;

    public readonly void Write(FactWriter writer)
    {
        writer.Varint(Number);
        writer.Bytes(HandlerUtf8);
        writer.Bytes(QueueUtf8);
        writer.Byte(Row.Priority);
        writer.Byte(Row.Durability);
        writer.Byte(Row.AttemptsMax);
        writer.Byte(Row.RetryJitterPercent);
        writer.Varint(Row.RetryFactorPercent);
        writer.Varint(Row.RetryDelayMs);
        writer.Varint(Row.RetryDelayMaxMs);
        writer.Varint(Row.RetryBudgetMs);
        writer.Varint(Row.TimeoutMs);
        writer.Varint(Row.ExpiresAfterMs);
        writer.Varint(Row.ProgressTimeoutMs);
        writer.Varint(Row.TotalTimeoutMs);
        writer.Varint(Row.RetentionMs);
        writer.Varint(Row.KeyRetentionMs);
        writer.Varint(Row.CancelGraceMs);
        writer.Varint(Row.SlotsMilli);
        writer.Bytes(Row.FinalErrors);
    }

    public static ProfileFact Read(ref FactReader reader)
    {
        var fact = new ProfileFact
        {
            Number = reader.UInt32(),
            HandlerUtf8 = reader.Bytes(),
            QueueUtf8 = reader.Bytes(),
        };
        fact.Row = new ProfileRow
        {
            Priority = reader.Byte(),
            Durability = reader.Byte(),
            AttemptsMax = reader.Byte(),
            RetryJitterPercent = reader.Byte(),
            RetryFactorPercent = (ushort)reader.UInt32(),
            RetryDelayMs = reader.UInt32(),
            RetryDelayMaxMs = reader.UInt32(),
            RetryBudgetMs = reader.UInt32(),
            TimeoutMs = reader.UInt32(),
            ExpiresAfterMs = reader.UInt32(),
            ProgressTimeoutMs = reader.UInt32(),
            TotalTimeoutMs = reader.UInt32(),
            RetentionMs = reader.UInt32(),
            KeyRetentionMs = reader.UInt32(),
            CancelGraceMs = reader.UInt32(),
            SlotsMilli = reader.UInt32(),
        };
        fact.Row.SetFinalErrors(reader.BytesUpTo(ProfileRow.FinalErrorsBytesMax));
        return fact;
    }
}
