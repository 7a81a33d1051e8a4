// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena.Spill;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Attempts;
using Muster.Plm.Facts;

namespace Muster.Plm;

/// <content>What each fact about a task does to an arena that is being restored.</content>
internal sealed partial class PlmCore
{
    private void RestoreSubmitted(in SubmittedFact common, FactReader fact, ushort owner)
    {
        if (!_restoreFault.IsNone)
        {
            return;
        }

        if (!TryFindRestored(common.Profile, out var spec))
        {
            _restoreFault = TooSmall("the journal holds tasks with more different sets of options than fit");
            return;
        }

        spec = spec with { Owner = owner };
        var session = common.ClientId == 0 ? null : SessionForRestore(common.ClientId, owner);
        if (session is not null)
        {
            session.DecidedRef = Math.Max(session.DecidedRef, common.DecidedRef);
        }

        while (_restoreFault.IsNone && !fact.IsEmpty)
        {
            RestoreTask(SubmittedItem.Read(ref fact), session, common, spec);
        }
    }

    private PlmSession? SessionForRestore(ulong clientId, ushort owner)
    {
        if (_sessionsById.TryGetValue((clientId, owner), out var session))
        {
            return session;
        }

        var hello = new SessionHello(clientId, string.Empty, 0, 0, 0, Owner: owner);
        if (!TryAddSession(hello, out session))
        {
            // More clients than the arena has rows: the tasks run, and their results are kept as those of no session.
            return null;
        }

        session!.ForgetAtMs = _now.Ms + _options.SessionKeptMs;
        _arena.Clients[session.Row].LeftUnixMs = _now.UnixMs;
        return session;
    }

    private void RestoreTask(
        in SubmittedItem item, PlmSession? session, in SubmittedFact common, in TaskSpec spec)
    {
        var id = new TaskId(item.Id);
        var payload = item.Payload;
        var index = id.Slot;
        if (SpillTable.Covers(index))
        {
            RestoreToFile(item, session, common, spec);
            return;
        }

        if (index >= _tasks.Capacity)
        {
            _restoreFault = TooSmall($"the journal holds a task in slot {index} and the arena has {_tasks.Capacity}");
            return;
        }

        if (!MakeRoomFor(id))
        {
            return;
        }

        if (!_payloads.TryAllocate(payload.Length, out var block))
        {
            _restoreFault = TooSmall($"the payloads do not fit into {_arena.Payloads.CapacityBytes} bytes");
            return;
        }

        if (!payload.IsEmpty)
        {
            payload.CopyTo(_arena.Payloads.Bytes(block, payload.Length));
        }

        _batchSpec = spec;
        _batchSession = null;
        ref var slot = ref _tasks[index];
        FillSlot(ref slot, payload.Length, block, id.Generation);
        _profiles.Hold(slot.Profile);
        slot.Flags = (common.Flags & SubmittedFact.FlagUnretained) != 0 ? SlotFlags.Unretained : (byte)0;
        slot.SubmittedUnixUs = common.SubmittedUnixUs;
        slot.DueUnixMs = common.ExpiresUnixMs;
        slot.Ref = session is null ? 0 : common.FirstRef + item.RefOffset;
        slot.Client = (ushort)(session is null ? 0 : session.Row + 1);
        slot.DurableUs = 1;
        if (item.Key is { } key && !TryRestoreKey(index, key, item.KeyRetentionMs))
        {
            return;
        }

        StepRestored(index, TaskState.Accepted, Attempt.None);
        if (session is not null)
        {
            session.Restored++;
        }
    }

    // Takes the slot of the task out of the free ones. False when the task, or a later one of the slot, is there.
    private bool MakeRoomFor(TaskId id)
    {
        var index = id.Slot;
        while (_tasks.HighWater <= index)
        {
            var next = _tasks.HighWater;
            _index.Cover(next + 1);
            _tasks.HighWater = next + 1;
            _index.Append(ref _free, next);
        }

        if (_tasks.Read(index).State != TaskState.Free)
        {
            if (_tasks[index].OwnGeneration >= id.Generation)
            {
                return false;
            }

            // A later task of the slot proves that the earlier one was let go.
            FreeRestored(index);
        }

        if (_tasks[index].OwnGeneration >= id.Generation)
        {
            return false;
        }

        _index.Remove(ref _free, index);
        return true;
    }

    // The attempt stands in the state word, so that only a later one can be claimed.
    private void RestoreFailed(FactReader fact)
    {
        var rest = fact;
        var id = new TaskId(fact.Fixed64());
        if (IsDeferred(id.Value))
        {
            Defer(id.Value, FactKind.AttemptFailed, rest.Rest);
            return;
        }

        if (!_tasks.TryFind(id, out var index, out var word) || word.State != TaskState.Accepted)
        {
            return;
        }

        ref var slot = ref _tasks[index];
        slot.AttemptsFailed = Math.Max(slot.AttemptsFailed, fact.Byte());
        slot.AttemptsLost = Math.Max(slot.AttemptsLost, fact.Byte());

        // The later fact is the truer one: a charge may have been taken back in between.
        slot.Crashes = fact.Byte();
        if (slot.Crashes > 0)
        {
            slot.Class = AloneClassOf(in slot);
        }

        // Only a later one can still be under way on a worker that outlived the arena.
        var over = new Attempt(fact.UInt32());
        if (over.Value > word.Attempt.Value)
        {
            StepRestored(index, TaskState.Accepted, over);
        }

        RestoreHistory(ref slot, fact.Rest);
    }

    private void RestoreEnded(in EndedFact fact)
    {
        if (IsDeferred(fact.Id))
        {
            DeferEnded(fact);
            return;
        }

        if (!_tasks.TryFind(new TaskId(fact.Id), out var index, out var word))
        {
            return;
        }

        if (_index[index].Key is var key and not 0)
        {
            _arena.Keys[key - 1].ExpiresUnixMs = fact.KeyExpiresUnixMs;
        }

        // Done under another attempt: whoever died in here was on the way to it.
        if (word.State is not (TaskState.Accepted or TaskState.Done)
            || (word.State == TaskState.Done && word.Attempt.Value == fact.Attempt))
        {
            return;
        }

        ref var slot = ref _tasks[index];
        var isQuarantined = fact.Outcome == (byte)Outcome.Quarantined;
        var keepsPayload = isQuarantined && !fact.HasResult;
        if (!keepsPayload && !TryReplacePayload(ref slot, fact.Result))
        {
            return;
        }

        slot.ResultBlock = 0;
        slot.ResultBytes = 0;
        slot.Outcome = fact.Outcome;
        slot.AttemptOutcome = fact.Outcome;
        slot.EndFault = fact.EndFault;
        slot.Executions = fact.Executions;
        slot.AssignedUs = fact.AssignedUs;
        slot.ReceivedUs = fact.ReceivedUs;
        slot.StartedUs = fact.StartedUs;
        slot.FinishedUs = fact.FinishedUs;
        slot.ReportedUs = fact.ReportedUs;
        slot.DueUnixMs = fact.DueUnixMs;
        slot.Flags = (byte)((slot.Flags & SlotFlags.Unretained)
            | SlotFlags.Published
            | (keepsPayload ? 0 : SlotFlags.ResultInPayload)
            | (fact.HasResult ? TaskSlot.FlagOutcomeIsResult : 0));
        StepRestored(index, TaskState.Done, new Attempt(fact.Attempt));
        if (!fact.EndText.IsEmpty)
        {
            Remember(ref slot, HistoryBytes.KindEnd, 0, fact.EndText);
        }
    }

    private bool TryReplacePayload(ref TaskSlot slot, ReadOnlySpan<byte> result)
    {
        _payloads.Free(slot.PayloadBlock, (int)slot.PayloadBytes);
        slot.PayloadBlock = 0;
        slot.PayloadBytes = 0;
        if (!_payloads.TryAllocate(result.Length, out var block))
        {
            _restoreFault = TooSmall($"the results do not fit into {_arena.Payloads.CapacityBytes} bytes");
            return false;
        }

        if (!result.IsEmpty)
        {
            result.CopyTo(_arena.Payloads.Bytes(block, result.Length));
        }

        slot.PayloadBlock = block;
        slot.PayloadBytes = (uint)result.Length;
        return true;
    }

    private void RestoreReleased(FactReader fact)
    {
        while (!fact.IsEmpty)
        {
            var id = fact.Fixed64();
            if (IsDeferred(id))
            {
                ReleaseRestored(new TaskId(id));
            }
            else if (_tasks.TryFind(new TaskId(id), out var index, out _))
            {
                FreeRestored(index);
            }
        }
    }

    private void RestoreKept(FactReader fact)
    {
        var rest = fact;
        var id = fact.Fixed64();
        if (IsDeferred(id))
        {
            Defer(id, FactKind.Kept, rest.Rest);
        }
        else if (_tasks.TryFind(new TaskId(id), out var index, out var word) && word.State == TaskState.Done)
        {
            _tasks[index].DueUnixMs = fact.Varint();
            LeaveRestoredSession(index);
            _tasks[index].Ref = 0;
        }
    }

    private void LeaveRestoredSession(uint index)
    {
        ref var slot = ref _tasks[index];
        if (SessionOf(in slot) is { } session)
        {
            Invariant.That(session.Restored > 0);
            session.Restored--;
        }

        slot.Client = 0;
    }

    private void FreeRestored(uint index)
    {
        ref var slot = ref _tasks[index];
        LeaveRestoredSession(index);
        _payloads.Free(slot.PayloadBlock, (int)slot.PayloadBytes);
        FreeHistory(HistoryBlockOf(in slot));
        slot.HistoryBlock = 0;
        if (_tasks.Read(index).State != TaskState.Done)
        {
            StepRestored(index, TaskState.Done, Attempt.None);
        }

        slot.Flags = 0;
        StepToFree(index);
    }

    // The attempt of an ended task can only be set on the way out of Free, so the slot goes through it.
    private void StepRestored(uint index, TaskState state, Attempt attempt)
    {
        var generation = (uint)_tasks[index].Generation;
        var word = _tasks.Read(index);
        if (word.State is TaskState.Accepted or TaskState.Done)
        {
            var done = word.With(TaskState.Done);
            var free = done.With(TaskState.Free, Attempt.None);
            Invariant.That(word.State == TaskState.Done || _tasks.TryStep(Role.Plm, index, word, done));
            Invariant.That(_tasks.TryStep(Role.Plm, index, done, free));
            word = free;
        }

        var accepted = new StateWord(TaskState.Accepted, attempt, generation);
        Invariant.That(_tasks.TryStep(Role.Plm, index, word, accepted));
        if (state == TaskState.Done)
        {
            Invariant.That(_tasks.TryStep(Role.Plm, index, accepted, accepted.With(TaskState.Done)));
        }
    }

    private static Fault TooSmall(string what) => new(
        FaultCode.ArenaTooSmall,
        $"{what}; start the cell with a larger arena (--tasks-max, --payload-bytes-max, --keys-max), at least as large "
        + "as before");
}
