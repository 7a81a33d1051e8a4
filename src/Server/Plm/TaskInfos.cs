// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Muster.Arena;
using Muster.Arena.Spill;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Muster.Plm.Attempts;
using Muster.Transport.Wire;
using Muster.V1;
using TaskState = Muster.Core.Tasks.TaskState;
using WireOutcome = Muster.V1.Outcome;
using WireState = Muster.V1.TaskState;

namespace Muster.Server.PlmHosting;

/// <summary>
/// Reads muster.v1.TaskInfo from slots while others change them: a slot whose state word is another after the reading
/// is read again. For one look at the cell.
/// </summary>
internal sealed class TaskInfos(ArenaMap arena, PlmTime now)
{
    private const int TriesMax = 16;

    private readonly WaitReasons _reasons = new(arena, now);

    /// <summary>What the slot holds; false when it is free, or changes faster than it can be read.</summary>
    public bool TryRead(uint index, [NotNullWhen(true)] out TaskInfo? info)
    {
        for (var tries = 0; tries < TriesMax && index < arena.Tasks.HighWater; tries++)
        {
            var word = arena.Tasks.Read(index);
            if (word.State == TaskState.Free || (arena.Tasks[index].Flags & SlotFlags.Released) != 0)
            {
                break;
            }

            info = Read(index, word);
            if (arena.Tasks.Read(index) == word)
            {
                return true;
            }
        }

        info = null;
        return false;
    }

    /// <summary>A task that waits on disk: what is known of it without reading its file.</summary>
    public bool TryReadSpilled(TaskId id, [NotNullWhen(true)] out TaskInfo? info)
    {
        info = null;
        if (!arena.Spill.IsSpilled(id))
        {
            return false;
        }

        var extent = SpillTable.ExtentOf(id.Slot);
        var taskClass = arena.Ready.ClassOf(arena.Spill[extent].Class);
        var isCancelled = SpillRow.IsSet(arena.Spill.Cancelled(extent), SpillTable.PlaceOf(id.Slot));
        info = new TaskInfo
        {
            TaskId = id.Value,
            State = WireState.Ready,
            Handler = arena.Handlers.Name(taskClass.Handler),
            Queue = "default",
            Priority = taskClass.Priority,
            Reason = isCancelled
                ? "was cancelled while it waited on disk, and ends as soon as it is back"
                : "waits on disk, behind earlier tasks of its handler and priority, because the arena is full",
        };
        return true;
    }

    /// <summary>
    /// A state as the wire shows it. What is only a step between two is shown as the one it leads to.
    /// </summary>
    public static WireState StateOf(TaskState state) => state switch
    {
        TaskState.Accepted or TaskState.Ready => WireState.Ready,
        TaskState.Waiting => WireState.Waiting,
        TaskState.Delayed => WireState.Delayed,
        TaskState.Assigned => WireState.Assigned,
        TaskState.Running or TaskState.Reported => WireState.Running,
        TaskState.Done => WireState.Done,
        _ => WireState.Unspecified,
    };

    private TaskInfo Read(uint index, StateWord word)
    {
        ref var slot = ref arena.Tasks[index];
        // An end that is not as durable yet as was promised is not shown: it could still be lost.
        var isDone = word.State == TaskState.Done && (slot.Flags & SlotFlags.Published) != 0;
        var hasResult = isDone && (slot.Flags & TaskSlot.FlagOutcomeIsResult) != 0 && slot.EndFault == 0;

        // A row that is another's by now is seen by the state word, which the caller looks at again.
        ref readonly var profile = ref arena.Profiles[slot.Profile];
        var info = new TaskInfo
        {
            TaskId = arena.Tasks.IdOf(index).Value,
            State = isDone || word.State != TaskState.Done ? StateOf(word.State) : WireState.Running,
            Outcome = isDone ? (WireOutcome)slot.Outcome : WireOutcome.Unspecified,
            Handler = profile.Handler < arena.Handlers.Count ? arena.Handlers.Name(profile.Handler) : string.Empty,
            Queue = "default",
            Priority = profile.Priority,
            Attempt = word.Attempt.Value,
            Executions = slot.Executions,
            AttemptsMax = profile.AttemptsMax,
            Crashes = slot.Crashes,
            Durability = (Durability)profile.Durability,
            PayloadBytes = (slot.Flags & SlotFlags.ResultInPayload) != 0 ? 0 : slot.PayloadBytes,
            Reason = _reasons.Explain(in slot, word),
            Timings = ReadTimings(in slot, word, hasResult),
        };
        AddWorker(info, slot.Worker);
        if (hasResult)
        {
            AddResult(info, in slot);
        }
        else if (isDone && slot.EndFault != 0)
        {
            var code = (FaultCode)slot.EndFault;
            info.Error = new TaskError
            {
                Code = FaultCodes.Name(code),
                Message = ResultBytes.Describe(code, TaskHistory.EndTextOf(arena, in slot)),
            };
        }

        AddAttempts(info, slot.HistoryBlock);
        if (word.State is TaskState.Assigned or TaskState.Running
            && arena.Progress.TryRead(new TaskId(info.TaskId), word.Attempt, out var said))
        {
            info.Progress = new ProgressInfo { Details = said.Details, UnixUs = said.UnixUs };
        }

        return info;
    }

    private void AddWorker(TaskInfo info, uint worker)
    {
        var row = worker - 1;
        if (row < arena.Workers.HighWater)
        {
            info.WorkerId = arena.Workers.IdOf(row);
            info.WorkerName = arena.Workers.Name(row);
        }
    }

    private void AddAttempts(TaskInfo info, uint block)
    {
        var entries = TaskHistory.EntriesOf(arena, block);
        while (HistoryBytes.TryNext(ref entries, out var kind, out _, out var bytes))
        {
            if (kind != HistoryBytes.KindAttempt)
            {
                continue;
            }

            try
            {
                info.Attempts.Add(AttemptInfo.Parser.ParseFrom(bytes));
            }
            catch (InvalidProtocolBufferException)
            {
                // The block was given to another meanwhile: the state word says so, and this reading is dropped.
                return;
            }
        }
    }

    // The block may be freed and reused while it is read; then the state word says so, and what was read is dropped.
    private void AddResult(TaskInfo info, in TaskSlot slot)
    {
        if (!ResultBytes.TryReadRecord(arena, in slot, out var error, out var output))
        {
            return;
        }

        if (slot.Outcome == (byte)Outcome.Quarantined)
        {
            info.PayloadBytes = (ulong)output.Length;
        }
        else
        {
            info.OutputBytes = (ulong)output.Length;
        }

        if (!error.IsEmpty)
        {
            try
            {
                info.Error = TaskError.Parser.ParseFrom(error);
            }
            catch (InvalidProtocolBufferException)
            {
                info.Error = new TaskError
                {
                    Code = FaultCodes.Name(FaultCode.HandlerFailed),
                    Message = "the worker's error cannot be read",
                };
            }
        }
    }

    private static Timings ReadTimings(in TaskSlot slot, StateWord word, bool hasResult)
    {
        using var writer = new ProtoWriter(128);
        ResultBytes.WriteTimings(writer, in slot, word, hasResult, deliveredUs: 0);
        return Timings.Parser.ParseFrom(writer.Written);
    }
}
