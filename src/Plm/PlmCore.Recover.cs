// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using Muster.Arena;
using Muster.Arena.Spill;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <content>
/// Takeover: rebuilds the local indexes from the arena and finishes what the predecessor had begun. The Scheduler and
/// the Register go on working meanwhile, so each slot is read once and acted on by compare-and-swap; what they change
/// after that arrives through the ring.
/// </content>
internal sealed partial class PlmCore
{
    private readonly record struct Ended(double At, uint Slot) : IComparable<Ended>
    {
        public int CompareTo(Ended other) => At.CompareTo(other.At);
    }

    private readonly record struct Submitted(long At, ulong Ref, ulong Order, uint Place, uint Slot)
        : IComparable<Submitted>
    {
        public int CompareTo(Submitted other) =>
            (At, Ref, Order, Place).CompareTo((other.At, other.Ref, other.Order, other.Place));
    }

    private sealed class Found
    {
        public readonly List<Submitted> Accepted = [];
        public readonly List<uint> Reported = [];
        public readonly List<uint> WithoutOutcome = [];
        public readonly List<uint> Unpublished = [];
        public readonly List<Ended> Ended = [];
        public long Used;
        public long Done;
        public long Delayed;
    }

    /// <summary>
    /// Takes the arena over, fresh or used. The first call, in the first turn. An arena that does not hold yet what the
    /// journal holds gets it here; a fault says why that could not be, and the role must not start.
    /// </summary>
    public Fault Recover()
    {
        Invariant.That(_inTurn && _sessionsById.Count == 0 && _free.Count == 0);
        RecoverSessions();
        _profiles.Rebuild(_tasks);
        _index.Cover(_tasks.HighWater);
        var fault = RecoverSlotsOfExtents();
        if (!fault.IsNone)
        {
            return fault;
        }

        RecoverClaims();
        CrashPoint.Hit("plm.recover.claimed");
        _payloads.EndClaims();
        RecoverKeys();
        fault = JoinJournal();
        if (!fault.IsNone)
        {
            return fault;
        }

        CrashPoint.Hit("plm.recover.joined");
        var spilled = RecoverHolds();
        var found = new Found();
        RecoverSlots(found);
        for (uint row = 0; TellEverything && row < _arena.Keys.HighWater; row++)
        {
            TellKey(row);
        }

        SetNow(CellCounter.TasksNow, found.Used + spilled);
        SetNow(CellCounter.DoneNow, found.Done);
        SetNow(CellCounter.DelayedNow, found.Delayed);
        SetNow(CellCounter.ClientsNow, 0);
        CrashPoint.Hit("plm.recover.found");
        FinishFound(found);
        if (TellEverything)
        {
            FinishSnapshot(_journal!);
        }

        // Only now: a successor that finds less does it all again.
        CrashPoint.Hit("plm.recover.finished");
        _arena.Set(CellCounter.Populated, 1);
        CrashPoint.Hit("plm.recover.populated");
        if (_heldBack.Count == 0)
        {
            _arena.Set(CellCounter.HoldsBack, 0);
        }

        _orphanWatchEndMs = _now.Ms + PlmLimits.OrphanWatchMs;
        SweepOrphans();
        _sessionSweepAtMs = _now.Ms + PlmLimits.SessionSweepMs;
        return Fault.None;
    }

    private void FinishFound(Found found)
    {
        found.Ended.Sort();
        foreach (var ended in found.Ended)
        {
            AppendEnded(SessionOf(in _tasks[ended.Slot])!, ended.Slot);
        }

        foreach (var session in _sessions)
        {
            if (session is not null)
            {
                _arena.Clients[session.Row].DecidedRef = session.DecidedRef;
            }
        }

        foreach (var index in found.Unpublished)
        {
            Publish(index, ref _tasks[index]);
        }

        foreach (var index in found.WithoutOutcome)
        {
            ref var slot = ref _tasks[index];
            FinishEnd(index, ref slot, (FaultCode)slot.EndFault);
        }

        LetGoFound(found.Accepted);
        foreach (var index in found.Reported)
        {
            Judge(index, _tasks.Read(index), isTakeover: true);
        }

        FlushPushes();
    }

    // In the order of submission, as they would have been pushed.
    private void LetGoFound(List<Submitted> found)
    {
        found.Sort();
        foreach (var accepted in found)
        {
            ref var slot = ref _tasks[accepted.Slot];
            var word = _tasks.Read(accepted.Slot);
            if (WasCancelledOnDisk(in slot) && word.State == TaskState.Accepted)
            {
                // The predecessor died when it had read the task in. False: a worker claimed it at this very moment.
                TryEnd(accepted.Slot, word, FaultCode.TaskCancelled);
                continue;
            }

            if (IsHeld(in slot))
            {
                continue;
            }

            if (StartsOnce(in slot) && slot.DurableUs == 0)
            {
                // The journal says when.
                continue;
            }

            if (_holdsBack && IsJournaled(in slot))
            {
                HoldBack(accepted.Slot);
                continue;
            }

            if (StartsOnce(in slot) && IsGranted(in slot))
            {
                // The predecessor may have died before the journal had it.
                _grants.Add(_tasks.IdOf(accepted.Slot).Value);
                AwaitJournal(accepted.Slot, in slot, isEnd: false);
                continue;
            }

            LetGo(accepted.Slot, ref slot, word);
        }
    }

    private void RecoverSessions()
    {
        for (uint index = 0; index < _arena.Clients.Capacity; index++)
        {
            ref var row = ref _arena.Clients[index];
            if (row.ClientId == 0)
            {
                continue;
            }

            // Whoever was connected lost its stream with the predecessor.
            if (row.LeftUnixMs == 0)
            {
                row.LeftUnixMs = _now.UnixMs;
            }

            // Only the wall clock knows how long ago that was, and it may have been set forward by hours: whoever is
            // away gets some time to come back in any case.
            var awayMs = Math.Max(0, (long)(_now.UnixMs - row.LeftUnixMs));
            var leastMs = Math.Min(_options.SessionKeptMs, PlmLimits.SessionGraceMs);
            AddSession(new PlmSession(index, row.ClientId, row.Owner)
            {
                DecidedRef = row.DecidedRef,
                ForgetAtMs = _now.Ms + Math.Max(leastMs, _options.SessionKeptMs - awayMs),
            });
        }
    }

    // Compiled for speed at once: a process that has just started runs this over every slot before it serves anybody,
    // with code made ahead, in which no call into another assembly is inlined.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RecoverClaims()
    {
        var end = _tasks.HighWater;
        for (uint index = 0; index < end; index++)
        {
            RecoverClaim(index);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void RecoverClaim(uint index)
    {
        var word = _tasks.Read(index);
        ref var slot = ref _tasks[index];
        if (word.State == TaskState.Free)
        {
            AppendFree(index);
            return;
        }

        if ((slot.Flags & SlotFlags.Returned) != 0)
        {
            // Its payload is claimed by nobody, which frees it.
            StepToFree(index);
            return;
        }

        Invariant.That(word.GenerationLow == (uint)slot.Generation);
        var claimed = _payloads.TryClaim(slot.PayloadBlock, (int)slot.PayloadBytes);
        Invariant.That(claimed);
        ClaimHistory(in slot);
    }

    // The same. Of a deep backlog nearly every task waits in the heap and has no past: there is little to do for it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RecoverSlots(Found found)
    {
        var end = _tasks.HighWater;
        for (uint index = 0; index < end; index++)
        {
            var word = _tasks.Read(index);
            ref var slot = ref _tasks[index];
            if (word.State == TaskState.Ready && HasNoPast(in slot) && SessionOf(in slot) is { } session)
            {
                found.Used++;
                session.DecidedRef = Math.Max(session.DecidedRef, slot.Ref);
                _index.Append(ref session.Live, index);
                RecoverDeadline(index, in slot);
            }
            else
            {
                RecoverSlot(index, found);
            }
        }
    }

    // Never given out, no time to wait for, nothing that a successor would have to finish or to tell.
    private bool HasNoPast(in TaskSlot slot) =>
        (slot.Flags | slot.Executions | slot.AttemptsFailed | slot.AttemptsLost | slot.Crashes) == 0
        && slot.DueUnixMs == 0
        && (slot.DurableUs != 0 || !IsJournaled(in slot))
        && !TellEverything;

    private void RecoverSlot(uint index, Found found)
    {
        var word = _tasks.Read(index);
        ref var slot = ref _tasks[index];
        if (word.State == TaskState.Free)
        {
            return;
        }

        found.Used++;

        // Done without an outcome is an end that is completed further on, and with it the grant ends.
        var isOpen = word.State != TaskState.Done || slot.Outcome == 0;
        _grantedNow += IsGranted(in slot) && isOpen ? 1 : 0;
        if ((slot.Flags & SlotFlags.Released) != 0)
        {
            found.Done++;
            _index.Append(ref _releasing, index);
            return;
        }

        RecoverOwner(index, ref slot, word, found);
        RecoverState(index, ref slot, word, found);
        if (isOpen)
        {
            RecoverDeadline(index, in slot);
        }

        TellJournalAgain(index, ref slot, word);
    }

    private void RecoverOwner(uint index, ref TaskSlot slot, StateWord word, Found found)
    {
        var session = SessionOf(in slot);
        if (session is null)
        {
            if (slot.Client != 0)
            {
                // The predecessor died while it forgot the session.
                ForgetSoonUnlessKeyed(index, ref slot);
                slot.Ref = 0;
                slot.Client = 0;
            }

            return;
        }

        session.DecidedRef = Math.Max(session.DecidedRef, slot.Ref);
        if (word.State == TaskState.Done && IsPublished(in slot))
        {
            var hasResult = (slot.Flags & TaskSlot.FlagOutcomeIsResult) != 0;
            found.Ended.Add(new Ended(slot.SubmittedUnixUs + (hasResult ? (double)slot.ReportedUs : 0), index));
        }
        else
        {
            _index.Append(ref session.Live, index);
        }
    }

    private void RecoverState(uint index, ref TaskSlot slot, StateWord word, Found found)
    {
        Invariant.That(word.State is > TaskState.Free and <= TaskState.Done);
        switch (word.State)
        {
            case TaskState.Accepted:
                found.Accepted.Add(SubmittedOf(index, in slot));
                RecoverExpiry(index, in slot);
                break;
            case TaskState.Ready when slot.Executions == 0:
                RecoverExpiry(index, in slot);
                break;
            case TaskState.Reported:
                // Of an end that was begun and never made; nobody was told, and it is judged anew.
                slot.Outcome = 0;
                slot.Flags &= SlotFlags.Granted | SlotFlags.Unretained;
                found.Reported.Add(index);
                break;
            case TaskState.Delayed:
                found.Delayed++;

                RecoverTimer(index, Math.Max(slot.DueUnixMs, 1), LongestDelayMs(in slot, word));
                break;
            case TaskState.Done when slot.Outcome == 0:
                found.WithoutOutcome.Add(index);
                break;
            case TaskState.Done:
                if (HasQuarantineRecord(in slot))
                {
                    slot.EndFault = 0;
                }

                EndKey(index);
                found.Done++;
                if (!IsPublished(in slot))
                {
                    if (!IsJournaled(in slot))
                    {
                        found.Unpublished.Add(index);
                    }
                }
                else if (slot.Client == 0)
                {
                    RecoverRetention(index, ref slot);
                }

                break;
            default:
                break;
        }
    }

    // Of one moment and no session, the ids say the order.
    private Submitted SubmittedOf(uint index, in TaskSlot slot) => slot.MovedSlot is var moved and not 0
        ? new(slot.SubmittedUnixUs, slot.Ref, _extentRows[SpillTable.ExtentOf(moved)].Order, moved, index)
        : new(slot.SubmittedUnixUs, slot.Ref, 0, index, index);

    private void RecoverRetention(uint index, ref TaskSlot slot)
    {
        var retentionMs = RetentionMs(in slot, (Outcome)slot.Outcome);
        if (retentionMs == 0)
        {
            Release(index);
            return;
        }

        if (slot.DueUnixMs == 0)
        {
            slot.DueUnixMs = _now.UnixMs + retentionMs;
        }

        RecoverTimer(index, slot.DueUnixMs, retentionMs);
    }

    private void RecoverExpiry(uint index, in TaskSlot slot) =>
        RecoverTimer(index, slot.DueUnixMs, (long)slot.DueUnixMs - (slot.SubmittedUnixUs / 1_000));

    // Due times survive in wall time; from here on they count in monotonic time again. The clock may have been set back
    // since: a timer never waits for longer than it was first set for.
    private void RecoverTimer(uint index, ulong dueUnixMs, long longestMs)
    {
        if (dueUnixMs != 0)
        {
            var leftMs = Math.Min((long)(dueUnixMs - _now.UnixMs), Math.Min(longestMs, TaskLimits.DurationMsMax));
            _timers.Set(index, _now.Ms + Math.Max(leftMs, 0));
        }
    }

    // The time that the task has altogether.
    private void RecoverDeadline(uint index, in TaskSlot slot)
    {
        if (ProfileOf(in slot).TotalTimeoutMs is var totalMs and not 0)
        {
            var leftMs = totalMs - ((_now.UnixUs - slot.SubmittedUnixUs) / 1_000);
            _deadlines.Set(index, _now.Ms + Math.Clamp(leftMs, 0, totalMs));
        }
    }

    private void SetNow(CellCounter counter, long value) => Count(counter, value - (long)_arena.Counter(counter));
}
