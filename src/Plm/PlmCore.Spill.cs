// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Spill;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Facts;
using Muster.Plm.Spill;

namespace Muster.Plm;

/// <content>
/// Extents to the disk and back. One word says where an extent's tasks are, and it is changed by one store:
/// <list type="number">
/// <item>Out: the file is written (by the host, between turns), then Held becomes Spilled, then the slots are freed.
/// Before the store the file counts for nothing, after it the slots do: a successor removes what does not count.</item>
/// <item>In: slots are filled from the file and stepped to Accepted, then Spilled becomes Held, then the file goes.
/// Nobody else can have acted on such a slot before, because it was in no list and its id led nowhere.</item>
/// </list>
/// Only tasks that have never been given out, whose acceptance is as durable as was promised, are ever on disk; so of
/// them there is nothing to remember but what was submitted.
/// </content>
internal sealed partial class PlmCore
{
    private readonly SpillBody _body = new();
    private readonly SpillProfiles _bodyProfiles = new();
    private readonly Queue<uint> _wanted = new();
    private readonly PriorityQueue<(uint Extent, ulong Generation), ulong> _spillDues = new();

    // Of tasks on disk, by id; none of the lists is empty.
    private readonly Dictionary<ulong, List<ITaskAwaiter>> _parked = [];
    private readonly uint[] _arrivals = new uint[SpillTable.ExtentTasksMax];
    private int _parkedCount;

    /// <summary>An extent was written, or could not be.</summary>
    public void SpillWritten(uint extent, ulong generation, bool isWritten)
    {
        Invariant.That(_inTurn && _spill is not null);
        if (_extentRows[extent].Generation != generation || _extentRows.State(extent) != SpillState.Held)
        {
            _spill.Forget(extent, generation);
            return;
        }

        _extents[extent].IsWriting = false;
        if (!isWritten)
        {
            QueueWrite(extent);
            return;
        }

        // One of its tasks ended meanwhile.
        if (CountSpillable(extent) != _extents[extent].Packed)
        {
            _spill.Forget(extent, generation);
            QueueWrite(extent);
            return;
        }

        CrashPoint.Hit("plm.spill.written");
        if (Safeguard.MarkBeforeLeaving)
        {
            _extentRows.SetState(extent, SpillState.Spilled);
        }

        CrashPoint.Hit("plm.spill.marked");
        LeaveSlots(extent);
        _extentRows.SetState(extent, SpillState.Spilled);
    }

    // Not while it is being written: the file of the second time would take the place of the first one's, and there is
    // a moment without any. Not while it takes more tasks: what was written would be less than what is marked.
    private void QueueWrite(uint extent)
    {
        ref var links = ref _extents[extent];
        var isOpen = _holdOf[_extentRows[extent].Class] is { } queue && queue.Open == extent + 1;
        if (_spill is not null && !isOpen && !links.IsWriting && !links.IsQueued)
        {
            links.IsQueued = true;
            _toWrite.Enqueue((extent, _extentRows[extent].Generation));
        }
    }

    // As many as fit into the arena and the disk's own memory, while the arena is full; oldest first.
    private void WriteOut()
    {
        // A worker may still claim one of them.
        if (_heldBack.Count > 0)
        {
            return;
        }

        while (_toWrite.TryPeek(out var next))
        {
            var (extent, generation) = next;
            if (_extentRows[extent].Generation != generation)
            {
                _toWrite.Dequeue();
                continue;
            }

            var isHeld = _extentRows.State(extent) == SpillState.Held;
            if (isHeld && !(IsPressed && _spill!.HasRoom))
            {
                return;
            }

            var count = isHeld ? CountSpillable(extent) : 0;
            if (count < 0)
            {
                return;
            }

            // With one that has ended it comes again when that one has gone: see LeaveExtent.
            _toWrite.Dequeue();
            _extents[extent].IsQueued = false;
            if (count > 0)
            {
                _extents[extent].IsWriting = true;
                _spill!.Write(extent, generation, Pack(extent));
            }
        }
    }

    // Tasks of a held extent, if it can go to disk; 0 when one of them has ended, -1 when the journal has to catch up.
    private int CountSpillable(uint extent)
    {
        var live = _extentRows.Live(extent);
        var count = 0;
        for (var place = _extentRows[extent].Count - 1; place >= 0; place--)
        {
            if (!SpillRow.IsSet(live, place))
            {
                continue;
            }

            var index = _extentRows.IndexOf(SpillTable.SlotOf(extent, place));
            if (_tasks.Read(index).State != TaskState.Accepted || IsHeldBack(index))
            {
                return 0;
            }

            if (_tasks[index].DurableUs == 0)
            {
                return -1;
            }

            count++;
        }

        return count;
    }

    private ReadOnlySpan<byte> Pack(uint extent)
    {
        _body.Clear();
        var live = _extentRows.Live(extent);
        for (var place = 0; place < _extentRows[extent].Count; place++)
        {
            if (SpillRow.IsSet(live, place))
            {
                var index = _extentRows.IndexOf(SpillTable.SlotOf(extent, place));
                _body.Add(RecordOf(index, place), ProfileOf(in _tasks[index]));
            }
        }

        return FinishBody(extent);
    }

    private ReadOnlySpan<byte> FinishBody(uint extent)
    {
        var body = _body.Finish();
        ref var row = ref _extentRows[extent];
        row.BodyBytes = (uint)body.Length;
        row.RunBytes = (uint)_body.RunBytes;
        row.DueUnixMs = _body.DueUnixMs;
        _extents[extent].Packed = _body.Count;
        return body;
    }

    private SpillRecord RecordOf(uint index, int place)
    {
        ref var slot = ref _tasks[index];
        var client = SessionOf(in slot) is null ? 0u : slot.Client;
        return new SpillRecord
        {
            Place = (uint)place,
            IsUnretained = (slot.Flags & SlotFlags.Unretained) != 0,
            DueUnixMs = slot.DueUnixMs,
            SubmittedUnixUs = slot.SubmittedUnixUs,
            Key = _index[index].Key,
            Client = client,
            Session = client == 0 ? 0 : _arena.Clients[client - 1].Sessions,
            Ref = slot.Ref,
            Owner = slot.Owner,
            Payload = _arena.Payloads.Bytes(slot.PayloadBlock, (int)slot.PayloadBytes),
        };
    }

    private void LeaveSlots(uint extent)
    {
        var live = _extentRows.Live(extent);
        var count = 0;
        _ownersOnDisk.Remove(extent);
        for (var place = 0; place < _extentRows[extent].Count; place++)
        {
            if (SpillRow.IsSet(live, place))
            {
                var index = _extentRows.IndexOf(SpillTable.SlotOf(extent, place));
                NoteOwner(extent, (uint)place, 1, _tasks[index].Owner);
                LeaveSlot(extent, index);
                count++;
            }
        }

        _extents[extent].InSlots = 0;
        _heldCount -= count;
        NoteSpilled(extent, count);
        Count(CellCounter.SpilledTotal, count);
    }

    private void NoteSpilled(uint extent, int count)
    {
        Count(CellCounter.SpilledNow, count);
        if (_extentRows[extent].DueUnixMs is var due and not 0)
        {
            _spillDues.Enqueue((extent, _extentRows[extent].Generation), due);
        }
    }

    private void LeaveSlot(uint extent, uint index)
    {
        ref var slot = ref _tasks[index];
        if (SessionOf(in slot) is { } session)
        {
            _index.Remove(ref session.Live, index);
            session.NoteSpilled(extent, 1);
        }

        var awaiters = _awaiters.TakeAll(index);
        if (awaiters is not null)
        {
            _parked.Add(_tasks.IdOf(index).Value, awaiters);
            _parkedCount += awaiters.Count;
        }

        _timers.Remove(index);
        _deadlines.Remove(index);
        _index[index].Key = 0;
        DropCopy(index);
    }

    // Frees a slot whose task is on disk; of the task nothing ends.
    private void DropCopy(uint index)
    {
        ref var slot = ref _tasks[index];
        var (block, bytes) = (slot.PayloadBlock, (int)slot.PayloadBytes);
        var history = HistoryBlockOf(in slot);
        StepCopyToFree(index);
        CrashPoint.Hit("plm.spill.slot-free");
        _payloads.Free(block, bytes);
        FreeHistory(history);
        AppendFree(index);
    }

    // A worker that outlived an earlier arena may have claimed the task at the moment when its extent was marked: what
    // is on disk is the task, so that attempt is void, and its worker is told so when it reports. Once marked, nobody
    // finds the slot by the task's id any more, so this ends. A result block that it names by then stays unused until
    // the Register restarts.
    private void StepCopyToFree(uint index)
    {
        var word = _tasks.Read(index);
        while (word.State != TaskState.Done)
        {
            if (_tasks.TryStep(Role.Plm, index, word, word.With(TaskState.Done)))
            {
                CrashPoint.Hit("plm.spill.slot-done");
            }

            word = _tasks.Read(index);
        }

        Invariant.That(_tasks.TryStep(Role.Plm, index, word, word.With(TaskState.Free, Attempt.None)));
        _profiles.Drop(_tasks[index].Profile);
    }
}
