// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <content>
/// Quarantined tasks. Quarantine is an end like any other: it is delivered, and it never changes. But the task is kept
/// after that, with its payload, so that people can look at it and submit it anew, as a new task with a fresh budget.
/// <para>
/// The end's record holds what is known of the deaths as its error, and the payload in the place of the output, where
/// nobody is shown it; it lies in a payload block. Order of writes: the step to Done under the fault in EndFault, the
/// new block, its name in one store, the flags, the outcome. A successor that finds the step alone does the rest, and
/// knows by the record whether the block is the new one already.
/// </para>
/// </content>
internal sealed partial class PlmCore
{
    private const string RetryKeyPrefix = "muster.retry:";

    /// <summary>
    /// Submits a quarantined task anew: the same work under a new id, and no crash is held against it. The quarantined
    /// one is forgotten once its client has confirmed it. Asked again, it answers the same: the new task has a key.
    /// </summary>
    /// <param name="id">The quarantined task.</param>
    /// <param name="newId">The new task, on its way to the heap.</param>
    /// <param name="sequence">Of the journal: when this is safe, so is the new task; 0: at once.</param>
    /// <param name="owner">Not null: only this identity's. The new task is its owner's in any case.</param>
    public Fault Retry(TaskId id, out ulong newId, out ulong sequence, ushort? owner = null)
    {
        Invariant.That(_inTurn);
        (newId, sequence) = (0, 0);
        var key = Encoding.UTF8.GetBytes($"{RetryKeyPrefix}{id}");
        if (TryFindKey(TaskKey.Of(key, default, default), out var row)
            && (owner is null || IsOwn(new TaskId(_arena.Keys[row].TaskId), owner)))
        {
            (newId, sequence) = (_arena.Keys[row].TaskId, SealFacts());
            return Fault.None;
        }

        var fault = Find(id, out var index, out var word, owner);
        if (!fault.IsNone)
        {
            return fault;
        }

        ref var slot = ref _tasks[index];
        if (word.State != TaskState.Done || slot.Outcome != (byte)Outcome.Quarantined || !IsPublished(in slot))
        {
            return new(FaultCode.InvalidArgument, $"task {id} is not quarantined; submit the work again instead");
        }

        // Kept for those who ask for it, also when the first one had a session that was forgotten.
        var profile = ProfileOf(in slot);
        profile.RetentionMs = Math.Max(profile.RetentionMs, TaskLimits.RetentionMsDefault);
        profile.KeyRetentionMs = TaskLimits.KeyRetentionMsDefault;
        if (!TryIntern(profile, out var spec))
        {
            return ArenaFull("has tasks with so many different sets of options that none fits in");
        }

        fault = BeginBatch(null, null, 0, 1, spec with { Owner = slot.Owner });
        Invariant.That(fault.IsNone);

        // Whoever asks again may be another than the owner.
        _batchKeyOwner = 0;
        AddItem(PayloadOf(in slot), key);
        var receipt = EndBatch();
        if (receipt.Faults.Count > 0)
        {
            return receipt.Faults[0].Fault;
        }

        (newId, sequence) = (receipt.Ids[0], receipt.Sequence);
        slot.Flags |= SlotFlags.Unretained;
        if (slot.Client == 0)
        {
            Release(index);
            RunReleases();
        }

        return Fault.None;
    }

    // The bytes that were submitted. Without a record they lie where they always did.
    private ReadOnlySpan<byte> PayloadOf(in TaskSlot slot)
    {
        var block = _arena.Payloads.Bytes(slot.PayloadBlock, (int)slot.PayloadBytes);
        if ((slot.Flags & SlotFlags.ResultInPayload) == 0)
        {
            return block;
        }

        var isRecord = ResultRecord.TryRead(block, out _, out var payload);
        Invariant.That(isRecord);
        return payload;
    }

    // False: the Scheduler gave it back at this moment, so it had never been sent.
    private bool TryQuarantine(uint index, ref TaskSlot slot, StateWord word)
    {
        slot.Crashes++;
        if (TryEnd(index, word, FaultCode.TaskQuarantined))
        {
            return true;
        }

        slot.Crashes--;
        return false;
    }

    // Writes the record of a quarantined task, unless a predecessor did. Without room for it the fault says it all.
    private void WriteQuarantine(uint index, ref TaskSlot slot)
    {
        _crashNotes.Remove(_tasks.IdOf(index).Value, out var notes);
        if (!TryWriteRecord(ref slot, CrashNote.ErrorOf(slot.Crashes, notes)))
        {
            return;
        }

        slot.ResultBlock = 0;
        slot.ResultBytes = 0;
        slot.AttemptOutcome = (byte)Outcome.Quarantined;
        slot.ReportedUs = Since(in slot);
        slot.ReceivedUs = slot.AssignedUs;
        slot.StartedUs = slot.AssignedUs;
        slot.FinishedUs = slot.ReportedUs;
        slot.Flags |= (byte)(SlotFlags.ResultInPayload | TaskSlot.FlagOutcomeIsResult);
    }

    private bool TryWriteRecord(ref TaskSlot slot, ReadOnlySpan<byte> error)
    {
        var payload = _arena.Payloads.Bytes(slot.PayloadBlock, (int)slot.PayloadBytes);
        if (!payload.IsEmpty && ResultRecord.TryRead(payload, out var found, out _) && CrashNote.IsNote(found))
        {
            return true;
        }

        var size = ResultRecord.Size(error.Length, payload.Length);
        if (!_payloads.TryAllocate(size, out var block))
        {
            return false;
        }

        ResultRecord.Write(_arena.Payloads.Bytes(block, size), error, payload);
        var (old, oldBytes) = (slot.PayloadBlock, (int)slot.PayloadBytes);
        slot.SetPayload(block, (uint)size);
        _payloads.Free(old, oldBytes);
        return true;
    }

    private static bool HasQuarantineRecord(in TaskSlot slot) =>
        slot.Outcome == (byte)Outcome.Quarantined && (slot.Flags & SlotFlags.ResultInPayload) != 0;
}
