// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <content>Judging results: a task ends, or is repeated.</content>
internal sealed partial class PlmCore
{
    private const ushort JudgedBit = 0x8000;

    // Reported slots to be judged later: the ring was full and their result block could not be given back. Bounded by
    // the slots.
    private readonly Queue<uint> _owed = new();

    // Reported slots whose results wait until the journal is not too far behind its disk any more, in the order in
    // which they came; those of tasks that it is not told of do not wait. Each slot once, so bounded by the slots.
    private readonly Queue<uint> _unjudged = new();

    // Slots among the pushes whose failure is counted once the push is done: see the order of writes.
    private readonly List<uint> _countAfterPush = new(PlmLimits.PushBatchMax);

    /// <summary>
    /// Takes what the Register finished until its ring is empty, or so much that others should have a turn first.
    /// </summary>
    /// <returns>Whether there may be more: then the caller comes again before it sleeps.</returns>
    public bool DrainFinished()
    {
        Invariant.That(_inTurn);
        Span<FinishedRecord> records = stackalloc FinishedRecord[PlmLimits.FinishedBatchMax];
        var taken = 0;
        int count;
        while (taken < PlmLimits.FinishedPerTurnMax && (count = _arena.Finished.Read(records)) > 0)
        {
            taken += count;
            for (var at = 0; at < count; at++)
            {
                _tasks.Prefetch(records[Math.Min(at + PlmLimits.PrefetchAhead, count - 1)].Index);
                ref readonly var record = ref records[at];
                switch (record.Kind)
                {
                    case FinishedRecord.Reported:
                        JudgeIfReported(record.Index, record.Detail);
                        break;
                    case FinishedRecord.WorkerLost:
                        NoteLostWorker(record.Index, record.Detail);
                        break;
                    case FinishedRecord.WorkerLived:
                        // The loss before it may be in the same batch.
                        ReturnLostAttempts();
                        TakeBackCharges(record.Index, record.Detail);
                        break;
                    default:
                        Invariant.That(record.Kind is FinishedRecord.Reported);
                        break;
                }
            }
        }

        ReturnLostAttempts();
        return taken >= PlmLimits.FinishedPerTurnMax;
    }

    // A record may be repeated by a Register that took over, so the slot says what there is to do.
    private void JudgeIfReported(uint index, ulong generation)
    {
        if (index >= _tasks.HighWater)
        {
            return;
        }

        var word = _tasks.Read(index);
        if (word.State != TaskState.Reported || word.GenerationLow != (uint)generation)
        {
            return;
        }

        // Looked at for each: one turn can bring more results than may wait to be written.
        if (_journal is { IsOverrun: true } && IsJournaled(in _tasks[index]))
        {
            if (!_index[index].IsUnjudged)
            {
                _index[index].IsUnjudged = true;
                _unjudged.Enqueue(index);
            }

            return;
        }

        Judge(index, word, isTakeover: false);
    }

    private void JudgeWaiting()
    {
        for (var owed = _owed.Count; owed > 0; owed--)
        {
            var index = _owed.Dequeue();
            JudgeIfReported(index, _tasks.Read(index).GenerationLow);
        }

        while (_unjudged.Count > 0 && _journal is not { IsOverrun: true })
        {
            var index = _unjudged.Dequeue();
            _index[index].IsUnjudged = false;
            JudgeIfReported(index, _tasks.Read(index).GenerationLow);
        }
    }

    private void Judge(uint index, StateWord word, bool isTakeover)
    {
        Invariant.That(word.State == TaskState.Reported);
        ref var slot = ref _tasks[index];
        var isJudged = slot.EndFault == Mark(word.Attempt);
        if (isJudged && !isTakeover)
        {
            // It is among the pushes of this very turn.
            return;
        }

        var outcome = (Outcome)slot.AttemptOutcome;
        if (!isJudged && outcome == Outcome.Succeeded)
        {
            AcceptResult(index, ref slot, word, outcome);
            return;
        }

        var error = isJudged ? default : ErrorOf(in slot);
        if (!isJudged && IsLast(index, in slot, word, error))
        {
            AcceptResult(index, ref slot, word, outcome);
            return;
        }

        if (!isJudged && slot.ResultBytes != 0 && !HasRoomInFreed(1))
        {
            _owed.Enqueue(index);
            return;
        }

        if (!isJudged)
        {
            RememberFailure(ref slot, word.Attempt, error);
        }

        Repeat(index, ref slot, word, isJudged);
    }

    private static bool IsUsedUp(StateWord word) => word.Attempt.Count >= Attempt.RepeatableCountMax;

    private void AcceptResult(uint index, ref TaskSlot slot, StateWord word, Outcome outcome)
    {
        Invariant.That(outcome is Outcome.Succeeded or Outcome.Failed or Outcome.TimedOut);
        slot.EndFault = 0;
        slot.Outcome = (byte)outcome;
        slot.Flags |= TaskSlot.FlagOutcomeIsResult;
        slot.DueUnixMs = ForgetAt(in slot, outcome);
        CrashPoint.Hit("plm.judge.before-done");
        var stepped = _tasks.TryStep(Role.Plm, index, word, word.With(TaskState.Done));
        Invariant.That(stepped);
        CrashPoint.Hit("plm.judge.done");
        Complete(index, ref slot, outcome);
    }

    private void Repeat(uint index, ref TaskSlot slot, StateWord word, bool isJudged)
    {
        if (!isJudged)
        {
            slot.EndFault = Mark(word.Attempt);
            CrashPoint.Hit("plm.retry.marked");
            WriteFreed(index, in slot);
            CrashPoint.Hit("plm.retry.result-returned");
        }

        Count(CellCounter.Retried);
        var failed = (byte)Math.Min(slot.AttemptsFailed + 1, byte.MaxValue);
        NoteFailedAttempt(index, in slot, word.Attempt, failed);
        var delayMs = RetryDelayMs(index, in slot, failed, AskedDelayMs(in slot, word.Attempt));
        if (delayMs == 0)
        {
            QueuePush(index, word);
            _countAfterPush.Add(index);
            return;
        }

        slot.DueUnixMs = _now.UnixMs + (ulong)delayMs;
        var stepped = _tasks.TryStep(Role.Plm, index, word, word.With(TaskState.Delayed));
        Invariant.That(stepped);
        slot.AttemptsFailed = failed;
        Count(CellCounter.DelayedNow);
        _timers.Set(index, _now.Ms + delayMs);
    }

    // Says in EndFault that this attempt was judged a failure; never equal to a fault's code, nor to another attempt's
    // mark within 32,768 dispatches of the task.
    private static ushort Mark(Attempt attempt) => (ushort)(JudgedBit | (attempt.Value & 0x7fff));

    /// <summary>
    /// Ends a task by the PLM's own decision, from any state but Reported. False when another role moved it meanwhile.
    /// </summary>
    private bool TryEnd(uint index, StateWord word, FaultCode why)
    {
        ref var slot = ref _tasks[index];
        Invariant.That(slot.Outcome == 0 && word.State is not (TaskState.Reported or TaskState.Done or TaskState.Free));
        slot.EndFault = (ushort)why;
        var stepped = word.State == TaskState.Ready
            ? _ready.Remove(index, word)
            : _tasks.TryStep(Role.Plm, index, word, word.With(TaskState.Done));
        if (!stepped)
        {
            slot.EndFault = 0;
            return false;
        }

        if (word.State == TaskState.Delayed)
        {
            Count(CellCounter.DelayedNow, -1);
        }

        FinishEnd(index, ref slot, why);
        return true;
    }

    // What follows the step to Done of a task that no result ended; a successor starts here when Outcome is missing.
    private void FinishEnd(uint index, ref TaskSlot slot, FaultCode why)
    {
        var outcome = OutcomeOf(why);
        if (outcome == Outcome.Quarantined)
        {
            WriteQuarantine(index, ref slot);
        }

        slot.DueUnixMs = ForgetAt(in slot, outcome);
        slot.Outcome = (byte)outcome;
        if (HasQuarantineRecord(in slot))
        {
            slot.EndFault = 0;
        }

        Complete(index, ref slot, outcome);
    }

    private static Outcome OutcomeOf(FaultCode why) => why switch
    {
        FaultCode.TaskCancelled => Outcome.Cancelled,
        FaultCode.TaskExpired => Outcome.Expired,
        FaultCode.TaskTimedOut => Outcome.TimedOut,
        FaultCode.WorkerLost => Outcome.Failed,
        FaultCode.TaskQuarantined => Outcome.Quarantined,
        _ => Outcome.Aborted,
    };

    // The task is Done: whoever waits for it hears of it once that is as durable as was promised.
    private void Complete(uint index, ref TaskSlot slot, Outcome outcome)
    {
        _timers.Remove(index);
        _deadlines.Remove(index);
        EndKey(index);
        EndGrant(in slot);
        ForgetCrashes(index, in slot);
        Count(CellCounter.DoneNow);
        Count(CounterOf(outcome));
        if (IsJournaled(in slot) && Safeguard.SyncBeforeDelivery)
        {
            WriteEnded(index, in slot);
            AwaitJournal(index, in slot, isEnd: true);
        }
        else
        {
            Publish(index, ref slot);
        }
    }

    private void Publish(uint index, ref TaskSlot slot)
    {
        Invariant.That(!IsPublished(in slot));
        CrashPoint.Hit("plm.publish.before");
        slot.Flags |= SlotFlags.Published;
        CrashPoint.Hit("plm.publish.after");
        if (SessionOf(in slot) is { } session)
        {
            _index.Remove(ref session.Live, index);
            AppendEnded(session, index);
        }

        _awaiters.ResolveAll(index, _now);
        if (slot.Client == 0)
        {
            KeepForRetention(index, ref slot);
        }
    }

    private static CellCounter CounterOf(Outcome outcome) => outcome switch
    {
        Outcome.Succeeded => CellCounter.Succeeded,
        Outcome.Failed => CellCounter.Failed,
        Outcome.TimedOut => CellCounter.TimedOut,
        Outcome.Cancelled => CellCounter.Cancelled,
        Outcome.Expired => CellCounter.Expired,
        Outcome.Quarantined => CellCounter.Quarantined,
        _ => CellCounter.Aborted,
    };
}
