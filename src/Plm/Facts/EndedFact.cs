// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena.Tables;

namespace Muster.Plm.Facts;

/// <summary>One fact of kind Ended: how a task ended, and the bytes of its result.</summary>
internal ref struct EndedFact
{
    public ulong Id;
    public uint Attempt;
    public byte Outcome;

    /// <summary>A FaultCode when no worker's result ended the task; else 0.</summary>
    public ushort EndFault;
    public ushort Executions;

    /// <summary>When a task without a session is forgotten, wall clock ms since 1970; 0 with a session.</summary>
    public ulong DueUnixMs;

    /// <summary>When its idempotency key expires, wall clock ms since 1970; 0: it has none.</summary>
    public ulong KeyExpiresUnixMs;

    /// <summary>Moments, as in the slot; only of a worker's result.</summary>
    public float AssignedUs;
    public float ReceivedUs;
    public float StartedUs;
    public float FinishedUs;
    public float ReportedUs;

    /// <summary>The outcome is a worker's.</summary>
    public bool HasResult;

    /// <summary>Who ended the task by a decision, and why; empty: nobody said.</summary>
    public ReadOnlySpan<byte> EndText;

    /// <summary>The bytes of its block, as <see cref="Core.Tasks.ResultRecord"/> lays them out.</summary>
    public ReadOnlySpan<byte> Result;

    public static EndedFact Of(
        in TaskSlot slot,
        ulong id,
        uint attempt,
        ulong keyExpiresUnixMs,
        bool hasResult,
        ReadOnlySpan<byte> result) => new()
    {
        Id = id,
        Attempt = attempt,
        Outcome = slot.Outcome,
        EndFault = slot.EndFault,
        Executions = slot.Executions,
        DueUnixMs = slot.DueUnixMs,
        KeyExpiresUnixMs = keyExpiresUnixMs,
        AssignedUs = slot.AssignedUs,
        ReceivedUs = slot.ReceivedUs,
        StartedUs = slot.StartedUs,
        FinishedUs = slot.FinishedUs,
        ReportedUs = slot.ReportedUs,
        HasResult = hasResult,
        Result = result,
    };

    public readonly void Write(FactWriter writer)
    {
        writer.Fixed64(Id);
        writer.Varint(Attempt);
        writer.Byte(Outcome);
        writer.Varint(EndFault);
        writer.Varint(Executions);
        writer.Varint(DueUnixMs);
        writer.Varint(KeyExpiresUnixMs);
        writer.Byte(HasResult ? (byte)1 : (byte)0);
        if (HasResult)
        {
            writer.Single(AssignedUs);
            writer.Single(ReceivedUs);
            writer.Single(StartedUs);
            writer.Single(FinishedUs);
            writer.Single(ReportedUs);
            writer.Bytes(Result);
        }

        if (!EndText.IsEmpty)
        {
            writer.Bytes(EndText);
        }
    }

    public static EndedFact Read(ref FactReader reader)
    {
        var fact = new EndedFact
        {
            Id = reader.Fixed64(),
            Attempt = reader.UInt32(),
            Outcome = reader.Byte(),
            EndFault = (ushort)reader.UInt32(),
            Executions = (ushort)reader.UInt32(),
            DueUnixMs = reader.Varint(),
            KeyExpiresUnixMs = reader.Varint(),
            HasResult = reader.Byte() != 0,
        };
        if (fact.HasResult)
        {
            fact.AssignedUs = reader.Single();
            fact.ReceivedUs = reader.Single();
            fact.StartedUs = reader.Single();
            fact.FinishedUs = reader.Single();
            fact.ReportedUs = reader.Single();
            fact.Result = reader.Bytes();
        }

        if (!reader.IsEmpty)
        {
            fact.EndText = reader.Bytes();
        }

        return fact;
    }
}
