// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Muster.Plm.Attempts;
using Muster.Transport.Wire;

namespace Muster.Server.PlmHosting;

/// <summary>Writes muster.v1.TaskResult and its parts straight from slots and result blocks.</summary>
internal static class ResultBytes
{
    /// <summary>Writes the fields of a TaskResult. Only inside a turn, for a slot that is Done.</summary>
    public static void WriteResult(ProtoWriter writer, ArenaMap arena, uint index, PlmTime now)
    {
        ref var slot = ref arena.Tasks[index];
        var word = arena.Tasks.Read(index);
        Invariant.That(word.State == TaskState.Done && slot.Outcome != 0);
        writer.WriteFixed64(1, arena.Tasks.IdOf(index).Value);
        writer.WriteUInt64(2, slot.Ref);
        writer.WriteUInt32(4, word.Attempt.Value);
        writer.WriteUInt32(5, slot.Executions);
        var hasRecord = (slot.Flags & TaskSlot.FlagOutcomeIsResult) != 0 && slot.EndFault == 0;
        if (!hasRecord)
        {
            writer.WriteUInt32(3, slot.Outcome);
            WriteError(writer, 7, (FaultCode)slot.EndFault, TaskHistory.EndTextOf(arena, in slot));
        }
        else if (TryReadRecord(arena, in slot, out var error, out var output))
        {
            writer.WriteUInt32(3, slot.Outcome);

            // A quarantined task keeps its payload there, for those who submit it anew.
            writer.WriteBytes(6, slot.Outcome == (byte)Outcome.Quarantined ? default : output);
            writer.WriteBytes(7, error);
        }
        else
        {
            // Something wrote into the arena that must not. The client learns that the result is gone; the others' are
            // not.
            writer.WriteUInt32(3, (uint)Outcome.Aborted);
            WriteError(writer, 7, FaultCode.ArenaDamaged, default);
        }

        var timings = writer.Begin(8);
        WriteTimings(writer, in slot, word, hasRecord, Math.Max(1, now.UnixUs - slot.SubmittedUnixUs));
        writer.End(timings);
        WriteAttempts(writer, TaskHistory.EntriesOf(arena, slot.HistoryBlock));
    }

    private static void WriteAttempts(ProtoWriter writer, ReadOnlySpan<byte> entries)
    {
        while (HistoryBytes.TryNext(ref entries, out var kind, out _, out var bytes))
        {
            if (kind == HistoryBytes.KindAttempt)
            {
                writer.WriteBytes(9, bytes);
            }
        }
    }

    /// <summary>
    /// Writes the fields of a Timings. Moments of another role count only once that role has said so.
    /// </summary>
    public static void WriteTimings(
        ProtoWriter writer, in TaskSlot slot, StateWord word, bool hasResult, long deliveredUs)
    {
        writer.WriteFixed64(1, (ulong)slot.SubmittedUnixUs);
        writer.WriteUInt64(2, Micros(slot.DurableUs));
        writer.WriteUInt64(3, Micros(slot.ReadyUs));
        if (word.Attempt != Attempt.None)
        {
            writer.WriteUInt64(4, Micros(slot.AssignedUs));
        }

        if (hasResult)
        {
            writer.WriteUInt64(5, Micros(slot.ReceivedUs));
            writer.WriteUInt64(6, Micros(slot.StartedUs));
            writer.WriteUInt64(7, Micros(slot.FinishedUs));
            writer.WriteUInt64(8, Micros(slot.ReportedUs));
        }

        writer.WriteUInt64(9, (ulong)deliveredUs);
    }

    /// <summary>Splits the result block of a slot; false when its bytes are no record.</summary>
    public static bool TryReadRecord(
        ArenaMap arena, in TaskSlot slot, out ReadOnlySpan<byte> error, out ReadOnlySpan<byte> output)
    {
        // Lists read slots that are being written, and may meet the block of one result with the length of another.
        var isThere = TaskResultBytes.IsThere(arena, in slot);
        var isRecord = ResultRecord.TryRead(TaskResultBytes.Of(arena, in slot), out error, out output);
        return isThere && isRecord;
    }

    /// <summary>Writes a TaskError for a task that no worker's result ended.</summary>
    private static void WriteError(ProtoWriter writer, int field, FaultCode code, ReadOnlySpan<byte> endText)
    {
        var begin = writer.Begin(field);
        writer.WriteString(1, FaultCodes.Name(code));
        writer.WriteString(2, Describe(code, endText));
        writer.End(begin);
    }

    /// <summary>One sentence about an end that the system or a person decided.</summary>
    public static string Describe(FaultCode code, ReadOnlySpan<byte> endText) => code switch
    {
        FaultCode.TaskCancelled when !endText.IsEmpty => Encoding.UTF8.GetString(endText),
        FaultCode.TaskCancelled => "the task was cancelled",
        FaultCode.TaskTimedOut => "the task did not end within total_timeout_ms",
        FaultCode.TaskExpired => "the task did not start within expires_after_ms",
        FaultCode.WorkerLost => "the worker that ran the task was lost, and no attempt is left",
        FaultCode.TaskQuarantined => "it killed its workers too often",
        FaultCode.ArenaDamaged => "the result's bytes in the arena were damaged",
        _ => "the system gave the task up",
    };

    private static ulong Micros(float value) => value > 0 ? (ulong)value : 0;
}
