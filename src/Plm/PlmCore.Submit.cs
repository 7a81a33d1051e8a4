// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <content>Submission: one batch at a time, item by item straight from the caller's bytes into slots.</content>
internal sealed partial class PlmCore
{
    private readonly List<ItemFault> _batchFaults = [];
    private readonly List<int> _batchDuplicates = [];
    private ulong[] _batchIds = new ulong[256];
    private TaskSpec _batchSpec;
    private PlmSession? _batchSession;
    private ulong _batchFirstRef;
    private Fault _batchRefusal;
    private ushort _batchKeyOwner;
    private int _batchItems;
    private int _batchCount;
    private byte _batchLevel;
    private bool _batchOpen;

    /// <summary>
    /// Begins a batch. A fault refuses it whole and changes nothing; <see cref="EndBatch"/> must then not be called.
    /// </summary>
    /// <param name="session">The session it belongs to; null without one.</param>
    /// <param name="stream">The stream it came on; null without a session.</param>
    /// <param name="firstRef">Number of its first item; 0 without a session.</param>
    /// <param name="items">How many items will follow.</param>
    /// <param name="spec">Its options.</param>
    /// <param name="refusal">Not none: the options were bad, and each item is refused with this, its ref
    /// decided.</param>
    public Fault BeginBatch(
        PlmSession? session,
        IResultStream? stream,
        ulong firstRef,
        int items,
        in TaskSpec spec,
        Fault refusal = default)
    {
        Invariant.That(_inTurn && !_batchOpen);
        if (items == 0)
        {
            return new(FaultCode.InvalidArgument, "the batch has no items; send at least one");
        }

        if (items > TaskLimits.BatchItemsMax)
        {
            return new(FaultCode.BatchTooLarge,
                $"the batch has {items} items and the limit is {TaskLimits.BatchItemsMax}; split it");
        }

        if (session is not null)
        {
            var fault = CheckBatchOrder(session, stream, firstRef);
            if (!fault.IsNone)
            {
                return fault;
            }
        }

        if (_batchIds.Length < items)
        {
            _batchIds = new ulong[items];
        }

        _batchFaults.Clear();
        _batchDuplicates.Clear();
        _batchLevel = DurabilityLevel.Memory;
        _batchSpec = spec;
        _batchKeyOwner = spec.Owner;
        _batchSession = session;
        _batchFirstRef = session is null ? 0 : firstRef;
        _batchRefusal = refusal;
        _batchItems = items;
        _batchCount = 0;
        _batchOpen = true;
        return Fault.None;
    }

    /// <summary>
    /// Takes the next item in, or refuses it. With a key that is known it names the first task of that key.
    /// </summary>
    /// <param name="payload">What the handler gets.</param>
    /// <param name="keyUtf8">The idempotency key; empty: none.</param>
    public void AddItem(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> keyUtf8 = default)
    {
        Invariant.That(_batchOpen && _batchCount < _batchItems);
        var fault = _batchRefusal;
        if (fault.IsNone)
        {
            fault = TaskRules.CheckPayload(payload.Length, _arena.Payloads.CapacityBytes);
        }

        if (fault.IsNone)
        {
            fault = keyUtf8.IsEmpty ? AddTask(payload, null) : AddKeyed(payload, keyUtf8);
        }

        if (!fault.IsNone)
        {
            RefuseItem(fault);
        }
    }

    /// <summary>Refuses the next item.</summary>
    public void RefuseItem(Fault fault)
    {
        Invariant.That(_batchOpen && _batchCount < _batchItems);
        _batchFaults.Add(new ItemFault(_batchCount, fault));
        _batchIds[_batchCount++] = 0;
        Count(CellCounter.Refused);
    }

    /// <summary>Ends the batch: its refs are decided, and its tasks are on their way to the heap.</summary>
    public BatchReceipt EndBatch()
    {
        Invariant.That(_batchOpen && _batchCount == _batchItems);
        _batchOpen = false;
        if (_facts.IsOpen)
        {
            _facts.End();
            AppendFacts();
        }

        CrashPoint.Hit("plm.submit.facts-told");
        var accepted = _batchItems - _batchFaults.Count - _batchDuplicates.Count;
        Count(CellCounter.Submitted, accepted);
        Count(CellCounter.Repeated, _batchDuplicates.Count);
        if (accepted > 0)
        {
            _batchLevel = Math.Max(_batchLevel, _batchSpec.Durability);
        }

        if (_batchSession is { } session)
        {
            session.DecidedRef = _batchFirstRef + (ulong)_batchItems - 1;
            _arena.Clients[session.Row].DecidedRef = session.DecidedRef;
            CrashPoint.Hit("plm.submit.refs-decided");
            MarkDirty(session);
            _batchSession = null;
        }

        var sequence = Safeguard.SyncBeforeAnswer && _batchLevel > DurabilityLevel.Memory ? _factSequence : 0;
        return new BatchReceipt(
            _batchIds.AsSpan(0, _batchItems), _batchFaults, _batchDuplicates, sequence, _batchLevel);
    }

    private static Fault CheckBatchOrder(PlmSession session, IResultStream? stream, ulong firstRef)
    {
        var fault = CheckStream(session, stream);
        if (!fault.IsNone)
        {
            return fault;
        }

        return firstRef == session.DecidedRef + 1
            ? Fault.None
            : new(FaultCode.RefOutOfOrder, $"the batch starts at ref {firstRef} and the session's next ref is "
                + $"{session.DecidedRef + 1}; open the stream again and go on from the welcome's decided_ref");
    }

    private Fault AddTask(ReadOnlySpan<byte> payload, TaskKey? key)
    {
        // Refusals for want of room hold for the rest of the batch, so that what is refused is one tail of it.
        _batchRefusal = WriteTask(payload, key);
        return _batchRefusal;
    }

    // A known key needs no room, and its refusals say nothing about other items.
    private Fault AddKeyed(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> keyUtf8)
    {
        var fault = TaskRules.CheckKey(keyUtf8.Length);
        if (!fault.IsNone)
        {
            return fault;
        }

        var key = TaskKey.Of(keyUtf8, _arena.Handlers.NameUtf8(_batchSpec.Handler), payload, _batchKeyOwner);
        if (TryFindKey(key, out var row))
        {
            return Safeguard.KnownKeys ? NameFirst(key, in _arena.Keys[row]) : AddTask(payload, null);
        }

        return HasRoomForKey()
            ? AddTask(payload, key)
            : new(FaultCode.KeysFull, $"the cell remembers {_arena.Keys.Capacity} idempotency keys, which is its "
                + "limit; submit with a shorter key_retention_ms, give the cell more (--keys-max), or wait",
                PlmLimits.KeysFullRetryMs);
    }

    private Fault NameFirst(in TaskKey key, in KeyRow known)
    {
        var first = new TaskId(known.TaskId);
        if (known.Fingerprint != key.Fingerprint)
        {
            return new(FaultCode.IdempotencyKeyReused, $"the idempotency key belongs to task {first}, which has "
                + "another handler or payload; use a key of its own for each piece of work");
        }

        // The answer promises what that of the first did, which may be on its way to the disk still.
        if (_tasks.TryFind(first, out var index, out _) && _tasks[index].DurableUs == 0)
        {
            _batchLevel = Math.Max(_batchLevel, ProfileOf(in _tasks[index]).Durability);
        }

        _batchDuplicates.Add(_batchCount);
        _batchIds[_batchCount++] = first.Value;
        return Fault.None;
    }

    // Writes one task into a free slot and makes it Accepted; changes nothing when there is no room.
    private Fault WriteTask(ReadOnlySpan<byte> payload, TaskKey? key)
    {
        var session = _batchSession;
        if (session is not null && session.Outstanding >= OutstandingMax)
        {
            return new(
                FaultCode.OutstandingLimit,
                $"the session has {OutstandingMax} tasks that are not confirmed, which is its limit; confirm results, "
                + "then submit again",
                _options.RetryAfterMs);
        }

        if (_batchSpec.Durability > DurabilityLevel.Memory && RefusalOfJournal() is { IsNone: false } refusal)
        {
            return refusal;
        }

        if (_free.Head == 0 && _tasks.HighWater == _tasks.Capacity)
        {
            return ArenaFull($"holds {_tasks.Capacity} tasks, which is its limit");
        }

        var isHeld = MustHold(_batchSpec.Class);
        if (isHeld && RefusalOfHold() is { IsNone: false } full)
        {
            return full;
        }

        if (!_payloads.TryAllocate(payload.Length, out var block))
        {
            return ArenaFull($"has no room for the payload in its {_arena.Payloads.CapacityBytes} payload bytes");
        }

        if (!payload.IsEmpty)
        {
            payload.CopyTo(_arena.Payloads.Bytes(block, payload.Length));
        }

        CrashPoint.Hit("plm.submit.payload-copied");
        var index = TakeSlot();
        ref var slot = ref _tasks[index];
        var before = _tasks.Read(index);
        Invariant.That(before.State == TaskState.Free);
        var generation = TaskId.NextGeneration(slot.OwnGeneration, _arena.Epoch);
        Invariant.That(generation != 0);
        FillSlot(ref slot, payload.Length, block, generation);
        _profiles.Hold(slot.Profile);
        if (isHeld)
        {
            Hold(index, ref slot);
        }

        CrashPoint.Hit("plm.submit.slot-filled");
        if (key is { } given)
        {
            var retentionMs = _batchSpec.KeyRetentionMs == 0 ? _options.KeyRetentionMs : _batchSpec.KeyRetentionMs;
            AddKey(index, given, in slot, retentionMs);
            CrashPoint.Hit("plm.submit.key-written");
        }

        var accepted = new StateWord(TaskState.Accepted, Attempt.None, (uint)generation);
        var stepped = _tasks.TryStep(Role.Plm, index, before, accepted);
        Invariant.That(stepped);
        CrashPoint.Hit("plm.submit.accepted");
        NoteAccepted(index, ref slot, accepted, payload, isHeld);
        return Fault.None;
    }

    private void NoteAccepted(
        uint index, ref TaskSlot slot, StateWord accepted, ReadOnlySpan<byte> payload, bool isHeld)
    {
        Count(CellCounter.TasksNow);
        if (_batchSession is { } session)
        {
            _index.Append(ref session.Live, index);
        }

        if (_batchSpec.ExpiresAfterMs != 0)
        {
            _timers.Set(index, _now.Ms + _batchSpec.ExpiresAfterMs);
        }

        if (_batchSpec.TotalTimeoutMs != 0)
        {
            _deadlines.Set(index, _now.Ms + _batchSpec.TotalTimeoutMs);
        }

        if (IsJournaled(in slot))
        {
            WriteSubmitted(index, in slot, payload);
            AwaitJournal(index, in slot, isEnd: false);
        }

        _batchIds[_batchCount++] = _tasks.IdOf(index).Value;
        if (isHeld)
        {
            // Behind earlier tasks of its class.
        }
        else if (StartsOnce(in slot))
        {
            // In the record that accepts the task: what a power loss takes, it takes together.
            TryGrant(index, ref slot);
        }
        else
        {
            QueuePush(index, accepted);
        }

        EndSubmittedIfLarge();
    }

    private Fault RefusalOfJournal() => _journal is null
        ? new(FaultCode.FeatureUnsupported, "this cell keeps no journal; use DURABILITY_MEMORY")
        : _journal.Refusal;

    private Fault ArenaFull(string what) => new(
        FaultCode.ArenaFull,
        $"the arena {what}; submit again when results have been confirmed, or give the cell a larger arena",
        _options.RetryAfterMs);

    // A slot used before, the one that has rested longest; else the next one never used.
    private uint TakeSlot()
    {
        if (_index.TryPop(ref _free, out var index))
        {
            if (_free.Head != 0)
            {
                _tasks.Prefetch(_free.Head - 1);
            }

            return index;
        }

        // Successors scan up to the mark, so it is raised before the slot can hold anything.
        index = _tasks.HighWater;
        _index.Cover(index + 1);
        _tasks.HighWater = index + 1;
        return index;
    }

    private void FillSlot(ref TaskSlot slot, int payloadBytes, uint block, ulong generation)
    {
        slot.Generation = generation;
        slot.Class = _batchSpec.Class;
        slot.Profile = _batchSpec.Profile;
        slot.AttemptsFailed = 0;
        slot.PayloadBlock = block;
        slot.PayloadBytes = (uint)payloadBytes;
        slot.Ref = _batchSession is null ? 0 : _batchFirstRef + (ulong)_batchCount;
        slot.Client = (ushort)(_batchSession is null ? 0 : _batchSession.Row + 1);
        slot.Owner = _batchSpec.Owner;
        slot.HistoryBlock = 0;
        slot.SubmittedUnixUs = _now.UnixUs;

        // Durability memory is reached by being written, the others when the journal has it.
        slot.DurableUs = IsJournaled(in slot) ? 0 : 1;
        slot.Outcome = 0;
        slot.EndFault = 0;
        slot.Flags = 0;
        slot.AttemptsLost = 0;
        slot.Crashes = 0;
        slot.DueUnixMs = _batchSpec.ExpiresAfterMs == 0 ? 0 : _now.UnixMs + _batchSpec.ExpiresAfterMs;

        // The Scheduler's words start from nothing for the new task. The Register's do not need to: nobody reads them
        // before a result was reported, and one that was late for the slot's earlier task may still be writing them.
        slot.Worker = 0;
        slot.AssignedUs = 0;
        slot.Executions = 0;
    }
}
