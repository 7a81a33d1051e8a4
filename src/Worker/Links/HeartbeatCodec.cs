// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Transport.Wire;
using Muster.Worker.Attempts;
using Muster.Worker.Runtime;

namespace Muster.Worker.Links;

/// <summary>Writes the parts of muster.v1.HeartbeatRequest.</summary>
internal static class HeartbeatCodec
{
    private const int HelloField = 1;
    private const int ResultsField = 2;
    private const int EndedTotalField = 3;
    private const int RunningField = 4;
    private const int LoadField = 5;
    private const int GoodbyeField = 6;
    private const int DrainingField = 7;
    private const int ProgressField = 8;

    /// <summary>The first message of a stream.</summary>
    /// <param name="writer">Takes it.</param>
    /// <param name="identity">Of this process.</param>
    /// <param name="registration">The one it has; null: none.</param>
    /// <param name="inHand">Attempts that it holds, results that are not confirmed included.</param>
    /// <param name="handlers">What it offers.</param>
    /// <param name="endedTotal">Attempts that have ended.</param>
    public static void WriteHello(
        ProtoWriter writer,
        WorkerIdentity identity,
        Registration? registration,
        IReadOnlyList<AttemptKey> inHand,
        IEnumerable<string> handlers,
        ulong endedTotal)
    {
        var hello = writer.Begin(HelloField);
        writer.WriteUInt32(1, TaskLimits.WireVersion);
        writer.WriteFixed64(2, registration?.WorkerId ?? 0);
        writer.WriteFixed64(3, identity.Nonce);
        writer.WriteString(4, identity.Name);
        writer.WriteUInt32(5, (uint)identity.Slots);
        foreach (var handler in handlers)
        {
            writer.WriteString(6, handler);
        }

        writer.WriteString(7, identity.Host);
        writer.WriteUInt32(8, identity.Pid);
        writer.WriteUInt64(9, identity.PidStart);
        writer.WriteString(10, identity.Version);
        writer.WriteString(13, identity.BootId);
        writer.WriteUInt64(14, identity.PidNamespace);
        if (registration is not null)
        {
            writer.WriteFixed64(15, registration.CellId);
            writer.WriteUInt32(16, registration.Epoch);
            AttemptKeys.Write(writer, 17, inHand);
        }

        writer.End(hello);
        WriteEndedTotal(writer, endedTotal);
    }

    public static void WriteEndedTotal(ProtoWriter writer, ulong total) => writer.WriteUInt64(EndedTotalField, total);

    /// <summary>One result.</summary>
    /// <param name="writer">Takes it.</param>
    /// <param name="attempt">It has a result.</param>
    /// <param name="now">The time of sending.</param>
    /// <param name="ticksPerUs">Of the clock that measured the attempt.</param>
    public static void WriteResult(ProtoWriter writer, HeldAttempt attempt, long now, double ticksPerUs)
    {
        var end = attempt.End;
        var result = writer.Begin(ResultsField);
        writer.WriteFixed64(1, attempt.Key.Task.Value);
        writer.WriteUInt32(2, attempt.Key.Attempt.Value);
        writer.WriteUInt32(3, (uint)end.Outcome);
        writer.WriteBytes(4, end.Output.Span);
        if (end.Failure is { } failure)
        {
            var error = writer.Begin(5);
            writer.WriteString(1, failure.Code);
            writer.WriteString(2, failure.Message);
            writer.WriteString(3, failure.Type);
            writer.WriteString(4, failure.Stack);
            writer.WriteString(5, failure.OutputTail);
            writer.WriteUInt64(6, failure.RetryAfterMs);
            writer.WriteBool(7, failure.IsFinal);
            writer.End(error);
        }

        writer.WriteUInt64(6, Us(attempt.StartedAt - attempt.ReceivedAt, ticksPerUs));
        writer.WriteUInt64(7, Us(attempt.FinishedAt - attempt.StartedAt, ticksPerUs));
        writer.WriteUInt64(8, Us(now - attempt.FinishedAt, ticksPerUs));
        writer.WriteUInt64(9, attempt.ResultNumber);
        writer.End(result);
    }

    /// <summary>What a beat at the interval holds beside the results.</summary>
    public static void WriteBeat(ProtoWriter writer, List<ulong> running, in LoadSample load)
    {
        writer.WritePackedFixed64(RunningField, CollectionsMarshal.AsSpan(running));
        var begin = writer.Begin(LoadField);
        writer.WriteUInt32(1, load.CpuMilli);
        writer.WriteUInt64(2, load.MemoryBytes);
        writer.WriteUInt64(3, load.PoolDelayUs);
        writer.WriteUInt64(4, load.GcPauseTotalUs);
        writer.WriteFixed64(5, (ulong)load.ClockUnixUs);
        writer.End(begin);
    }

    /// <summary>What a running attempt said since the last beat.</summary>
    public static void WriteProgress(
        ProtoWriter writer, HeldAttempt attempt, string details, long now, double ticksPerUs)
    {
        var progress = writer.Begin(ProgressField);
        writer.WriteFixed64(1, attempt.Key.Task.Value);
        writer.WriteUInt32(2, attempt.Key.Attempt.Value);
        writer.WriteString(3, details);
        writer.WriteUInt64(4, Us(now - attempt.SpokeAt, ticksPerUs));
        writer.End(progress);
    }

    public static void WriteGoodbye(ProtoWriter writer) => writer.WriteBool(GoodbyeField, true);

    public static void WriteDraining(ProtoWriter writer, bool draining) => writer.WriteBool(DrainingField, draining);

    private static ulong Us(long ticks, double ticksPerUs) => (ulong)Math.Max(0, ticks / ticksPerUs);
}
