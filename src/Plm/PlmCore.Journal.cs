// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Facts;

namespace Muster.Plm;

/// <content>
/// The journal's side of a turn. Every fact of a turn goes into one record, appended when the turn ends; whoever was
/// promised more than memory hears of what happened only when the record has been written (relaxed) or synced
/// (durable), which the host tells by <see cref="JournalReached"/>. Scheduling waits for nothing, but for tasks that
/// may start once only.
/// </content>
internal sealed partial class PlmCore
{
    // What waits for the journal: the acceptance of a task, or its end.
    private readonly record struct Awaited(ulong Sequence, ulong Id, bool IsEnd);

    private readonly IPlmJournal? _journal;
    private readonly FactWriter _facts = new();
    private readonly List<ulong> _released = [];

    // Of the facts that have no sequence yet.
    private readonly List<(ulong Id, byte Durability, bool IsEnd)> _awaitAppend = [];

    // In the order of their sequences. At most two for each slot.
    private readonly Queue<Awaited> _awaitWrite = new();
    private readonly Queue<Awaited> _awaitSync = new();

    // Positions of the ring of finished tasks with the sequence that makes everything up to them safe.
    private readonly Queue<(ulong Position, ulong Sequence)> _finishedMarks = new();
    private ulong _finishedMarked;
    private ulong _factSequence;
    private ulong _written;
    private ulong _synced;

    /// <summary>
    /// Hands the facts of this turn so far to the journal and returns the sequence that makes them, and all before
    /// them, safe; 0 without a journal.
    /// </summary>
    public ulong SealFacts()
    {
        Invariant.That(_inTurn);
        AppendFacts();
        return _factSequence;
    }

    /// <summary>
    /// Whether a promise of this level, made about a sequence, holds by now.
    /// </summary>
    public bool IsReached(ulong sequence, byte durability) =>
        sequence <= (durability == DurabilityLevel.Relaxed ? _written : _synced);

    /// <summary>
    /// The journal was written and synced up to these sequences: tasks accepted are durable, ends are published.
    /// </summary>
    public void JournalReached(ulong written, ulong synced)
    {
        Invariant.That(_inTurn && _journal is not null && synced <= written);
        CrashPoint.Hit("plm.journal.reached");
        _arena.Add(CellCounter.JournalWrites, written > _written ? 1 : 0);
        _arena.Add(CellCounter.JournalFlushes, synced > _synced ? 1 : 0);
        _written = Math.Max(_written, written);
        _synced = Math.Max(_synced, synced);
        Settle(_awaitWrite, _written);
        Settle(_awaitSync, _synced);
        if (!TellEverything)
        {
            _arena.Set(CellCounter.JournalSynced, _synced);
        }

        MarkFinishedSafe();
    }

    /// <summary>Somebody waits for a flush of the journal.</summary>
    public bool WantsSync => _awaitSync.Count > 0 || _snapshotEnd != 0;

    private bool IsJournaled(in TaskSlot slot) => ProfileOf(in slot).Durability > DurabilityLevel.Memory;

    /// <summary>Everybody may hear how the task ended.</summary>
    private static bool IsPublished(in TaskSlot slot) => (slot.Flags & SlotFlags.Published) != 0;

    private void Settle(Queue<Awaited> awaiting, ulong reached)
    {
        Span<Awaited> some = stackalloc Awaited[PlmLimits.SettleBatchMax];
        int count;
        do
        {
            count = 0;
            while (count < some.Length && awaiting.TryPeek(out var next) && next.Sequence <= reached)
            {
                some[count++] = awaiting.Dequeue();
                _tasks.Prefetch(new TaskId(next.Id).Slot);
            }

            foreach (ref readonly var next in some[..count])
            {
                Settle(next);
            }
        }
        while (count == some.Length);
    }

    private void Settle(in Awaited reached)
    {
        if (!_tasks.TryFind(new TaskId(reached.Id), out var index, out var word))
        {
            return;
        }

        ref var slot = ref _tasks[index];
        if (reached.IsEnd)
        {
            Publish(index, ref slot);
            return;
        }

        if (slot.DurableUs == 0)
        {
            slot.DurableUs = Since(in slot);
        }

        if (word.State == TaskState.Accepted && !IsHeldBack(index) && !IsHeld(in slot))
        {
            LetGo(index, ref slot, word);
        }
    }

    // A start that is granted has to survive a power loss at every level: else the task could start a second time.
    private void AwaitJournal(uint index, in TaskSlot slot, bool isEnd) => _awaitAppend.Add((
        _tasks.IdOf(index).Value,
        !isEnd && IsGranted(in slot) ? DurabilityLevel.Durable : ProfileOf(in slot).Durability,
        isEnd));

    // Names the attempt that is over, so that no worker that outlives the arena claims it and it is counted again.
    private void NoteFailedAttempt(uint index, in TaskSlot slot, Attempt over, int failed)
    {
        if (IsJournaled(in slot))
        {
            WriteFailedAttempt(index, in slot, over, failed, EntryOf(in slot, over));
            AppendIfLarge();
        }
    }

    // With what is remembered of this attempt, or of all; entries that were told before are known by their attempts.
    private void WriteFailedAttempt(
        uint index, in TaskSlot slot, Attempt over, int failed, ReadOnlySpan<byte> entries)
    {
        _facts.Begin(FactKind.AttemptFailed);
        _facts.Fixed64(_tasks.IdOf(index).Value);
        _facts.Byte((byte)failed);
        _facts.Byte(slot.AttemptsLost);
        _facts.Byte(slot.Crashes);
        _facts.Varint(over.Value);
        _facts.Raw(entries);
        _facts.End();
    }

    private void WriteEnded(uint index, in TaskSlot slot)
    {
        var hasResult = (slot.Flags & TaskSlot.FlagOutcomeIsResult) != 0 && slot.EndFault == 0;
        var result = hasResult ? ResultOf(in slot) : default;
        var attempt = _tasks.Read(index).Attempt.Value;
        _facts.Begin(FactKind.Ended);
        var fact = EndedFact.Of(in slot, _tasks.IdOf(index).Value, attempt, KeyExpiry(index), hasResult, result);
        fact.EndText = slot.EndFault == 0 ? default : TaskHistory.EndTextOf(_arena, in slot);
        fact.Write(_facts);
        _facts.End();
        AppendIfLarge();
    }

    /// <summary>The record of the result that ended the task, in whichever region it lies; empty when it has none.
    /// </summary>
    public ReadOnlySpan<byte> ResultOf(in TaskSlot slot) => TaskResultBytes.Of(_arena, in slot);

    private void WriteSubmitted(uint index, in TaskSlot slot, ReadOnlySpan<byte> payload)
    {
        if (!_facts.IsOpen)
        {
            var profile = TellProfile(slot.Profile);
            BeginSubmitted(in slot, profile, _batchSession?.ClientId ?? 0, DecidedByBatch, _batchFirstRef);
        }

        WriteItem(index, slot.Ref - _batchFirstRef, payload);
    }

    private void WriteItem(uint index, ulong refOffset, ReadOnlySpan<byte> payload)
    {
        WriteItem(_tasks.IdOf(index).Value, _index[index].Key, refOffset, payload);
    }

    private void WriteItem(ulong id, uint key, ulong refOffset, ReadOnlySpan<byte> payload)
    {
        var item = new SubmittedItem { Id = id, RefOffset = refOffset, Payload = payload };
        if (key != 0 && Safeguard.JournaledKeys)
        {
            ref var row = ref _arena.Keys[key - 1];
            item.Key = new TaskKey(row.HashHigh, row.HashLow, row.Fingerprint);
            item.KeyRetentionMs = row.RetentionMs;
        }

        item.Write(_facts);
    }

    private ulong DecidedByBatch => _batchSession is null ? 0 : _batchFirstRef + (ulong)_batchItems - 1;

    private void BeginSubmitted(
        in TaskSlot slot, uint profile, ulong clientId, ulong decidedRef, ulong firstRef)
    {
        var fact = new SubmittedFact
        {
            ClientId = clientId,
            FirstRef = firstRef,
            DecidedRef = decidedRef,
            Profile = profile,
            Flags = (slot.Flags & SlotFlags.Unretained) != 0 ? SubmittedFact.FlagUnretained : (byte)0,
            ExpiresUnixMs = slot.Executions == 0 ? slot.DueUnixMs : 0,
            SubmittedUnixUs = slot.SubmittedUnixUs,
        };
        _facts.Begin(slot.Owner == 0 ? FactKind.SubmittedAs : FactKind.SubmittedBy);
        if (slot.Owner != 0)
        {
            _facts.Varint(slot.Owner);
        }

        fact.Write(_facts);
    }

    // A batch is one fact, unless it is so large that its record would be.
    private void EndSubmittedIfLarge()
    {
        if (_facts.IsOpen && _facts.Length >= PlmLimits.RecordBytesAim)
        {
            _facts.End();
            AppendFacts();
        }
    }

    private void NoteReleased(uint index, in TaskSlot slot)
    {
        if (IsJournaled(in slot) && _journal is not null)
        {
            _released.Add(_tasks.IdOf(index).Value);
            if (_released.Count * sizeof(ulong) >= PlmLimits.RecordBytesAim)
            {
                AppendFacts();
            }
        }
    }

    private void WriteReleased()
    {
        if (_released.Count > 0 && !_facts.IsOpen)
        {
            _facts.Begin(FactKind.Released);
            foreach (var id in _released)
            {
                _facts.Fixed64(id);
            }

            _facts.End();
            _released.Clear();
        }
    }

    private void AppendIfLarge()
    {
        if (_facts.Length >= PlmLimits.RecordBytesAim)
        {
            AppendFacts();
        }
    }

    // One record for everything since the last. What was freed comes last; a later task in the same slot may stand
    // before it, which says the same.
    private void AppendFacts()
    {
        WriteGrants();
        WriteReleased();
        if (_journal is null || _facts.Length == 0)
        {
            return;
        }

        CrashPoint.Hit("plm.facts.before-append");
        _factSequence = _journal.Append(RecordKind.Turn, _facts.Written);
        CrashPoint.Hit("plm.facts.appended");
        _facts.Clear();
        foreach (var (id, durability, isEnd) in _awaitAppend)
        {
            var awaiting = durability == DurabilityLevel.Relaxed ? _awaitWrite : _awaitSync;
            awaiting.Enqueue(new Awaited(_factSequence, id, isEnd));
        }

        _awaitAppend.Clear();
    }

    // Everything that the ring of finished tasks held so far was judged; once the journal has it too, workers may
    // forget it.
    private void NoteFinishedRead()
    {
        var position = _arena.Finished.ReadTotal;
        if (position == _finishedMarked || _owed.Count + _unjudged.Count > 0)
        {
            return;
        }

        _finishedMarked = position;
        _finishedMarks.Enqueue((position, _factSequence));
    }

    private void MarkFinishedSafe()
    {
        ulong safe = 0;
        while (_finishedMarks.TryPeek(out var mark) && mark.Sequence <= _synced)
        {
            _finishedMarks.Dequeue();
            safe = mark.Position;
        }

        if (safe != 0)
        {
            _arena.Set(CellCounter.FinishedSafe, safe);
            CrashPoint.Hit("plm.finished.safe-told");
        }
    }
}
