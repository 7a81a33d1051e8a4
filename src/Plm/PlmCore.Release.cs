// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <content>
/// Freeing ended tasks. The result block is the Register's: its record must be in the ring before the slot is free,
/// because a Register that takes over in between would count the block as nobody's. While the ring is full, ended tasks
/// wait in a list here; they keep their slots, so submissions are refused at worst.
/// </content>
internal sealed partial class PlmCore
{
    private SlotList _releasing;

    /// <summary>Forgets ended tasks that belong to no session, before their retention ends.</summary>
    /// <returns>How many were forgotten.</returns>
    public int ReleaseTasks(ReadOnlySpan<ulong> ids, ushort? owner = null)
    {
        Invariant.That(_inTurn);
        var released = 0;
        foreach (var id in ids)
        {
            if (Find(new TaskId(id), out var index, out var word, owner).IsNone
                && word.State == TaskState.Done
                && IsPublished(in _tasks[index])
                && _tasks[index].Client == 0)
            {
                Release(index);
                released++;
            }
        }

        RunReleases();
        return released;
    }

    private void KeepForRetention(uint index, ref TaskSlot slot)
    {
        var retentionMs = RetentionMs(in slot, (Outcome)slot.Outcome);
        if (retentionMs == 0)
        {
            Release(index);
        }
        else
        {
            _timers.Set(index, _now.Ms + retentionMs);
        }
    }

    // How long the task is kept when it has ended so, without a session.
    private uint RetentionMs(in TaskSlot slot, Outcome outcome)
    {
        var retentionMs = ProfileOf(in slot).RetentionMs;
        return (slot.Flags & SlotFlags.Unretained) != 0 ? 0
            : outcome == Outcome.Quarantined ? Math.Max(retentionMs, (uint)_options.QuarantineKeptMs)
            : retentionMs;
    }

    // Wall clock ms; 0: its session decides.
    private ulong ForgetAt(in TaskSlot slot, Outcome outcome) =>
        slot.Client == 0 ? _now.UnixMs + RetentionMs(in slot, outcome) : 0;

    // Its session was forgotten; whoever repeats the submission under the task's key may still ask for it.
    private void ForgetSoonUnlessKeyed(uint index, ref TaskSlot slot)
    {
        if (_index[index].Key == 0)
        {
            slot.Flags |= SlotFlags.Unretained;
        }
    }

    // The task is Done, in no list, and nobody will ask for it again.
    private void Release(uint index)
    {
        ref var slot = ref _tasks[index];
        Invariant.That((slot.Flags & SlotFlags.Released) == 0 && _tasks.Read(index).State == TaskState.Done);
        slot.Flags |= SlotFlags.Released;
        NoteReleased(index, in slot);
        CrashPoint.Hit("plm.release.marked");
        _timers.Remove(index);
        _index.Append(ref _releasing, index);
    }

    private void RunReleases()
    {
        Span<uint> slots = stackalloc uint[PlmLimits.FreeBatchMax];
        Span<FreedRecord> records = stackalloc FreedRecord[PlmLimits.FreeBatchMax];
        while (_releasing.Count > 0)
        {
            var count = GatherReleases(slots, records, out var recordCount);
            if (count == 0)
            {
                _effects.SignalRegister();
                return;
            }

            CrashPoint.Hit("plm.release.before-ring");
            var written = _arena.Freed.TryWrite(records[..recordCount]);
            CrashPoint.Hit("plm.release.in-ring");
            Invariant.That(written == recordCount);
            foreach (var index in slots[..count])
            {
                FreeSlot(index);
            }

            if (recordCount > 0 && !HasRoomInFreed(_arena.Freed.Capacity / 2))
            {
                _effects.SignalRegister();
            }
        }
    }

    // Takes as many from the list as the ring has room for, marked, with the records of their blocks.
    private int GatherReleases(Span<uint> slots, Span<FreedRecord> records, out int recordCount)
    {
        var room = _arena.Freed.Capacity - _arena.Freed.Count;
        recordCount = 0;
        var count = 0;
        while (count < slots.Length && _releasing.Head != 0)
        {
            var index = _releasing.Head - 1;
            ref var slot = ref _tasks[index];
            if ((slot.Flags & TaskSlot.FlagOutcomeIsResult) != 0 && slot.ResultBytes != 0)
            {
                if (recordCount == room)
                {
                    break;
                }

                slot.Flags |= SlotFlags.Returned;
                records[recordCount++] = new FreedRecord(slot.ResultBlock, slot.ResultBytes, _tasks.IdOf(index).Value);
            }

            _index.Remove(ref _releasing, index);
            slots[count++] = index;
        }

        return count;
    }

    private void FreeSlot(uint index)
    {
        ref var slot = ref _tasks[index];
        var (block, bytes) = (slot.PayloadBlock, (int)slot.PayloadBytes);
        var history = HistoryBlockOf(in slot);
        StepToFree(index);
        CrashPoint.Hit("plm.release.slot-free");
        _payloads.Free(block, bytes);
        FreeHistory(history);
        Count(CellCounter.DoneNow, -1);
        Count(CellCounter.TasksNow, -1);
    }

    private void StepToFree(uint index)
    {
        EndKey(index);
        _index[index].Key = 0;
        var word = _tasks.Read(index);
        Invariant.That(word.State == TaskState.Done && _index[index].Awaiter == 0);
        var stepped = _tasks.TryStep(Role.Plm, index, word, word.With(TaskState.Free, Attempt.None));
        Invariant.That(stepped);
        _profiles.Drop(_tasks[index].Profile);
        if (_tasks[index].MovedSlot is var moved and not 0)
        {
            LeaveExtent(moved);
        }

        AppendFree(index);
    }

    // A slot whose generations of this epoch are used up rests until the next epoch: ids never repeat.
    private void AppendFree(uint index)
    {
        if (TaskId.NextGeneration(_tasks[index].OwnGeneration, _arena.Epoch) != 0)
        {
            _index.Append(ref _free, index);
        }
        else
        {
            RetiredSlots++;
        }
    }

    private bool HasRoomInFreed(int records) => _arena.Freed.Capacity - _arena.Freed.Count >= records;

    private void WriteFreed(uint index, in TaskSlot slot)
    {
        if (slot.ResultBytes != 0)
        {
            var record = new FreedRecord(slot.ResultBlock, slot.ResultBytes, _tasks.IdOf(index).Value);
            var written = _arena.Freed.TryWrite(new ReadOnlySpan<FreedRecord>(in record));
            Invariant.That(written == 1);
        }
    }

    /// <summary>Slots that hold no task and can hold none before the cell's next epoch.</summary>
    public uint RetiredSlots { get; private set; }
}
