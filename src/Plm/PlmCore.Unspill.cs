// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Spill;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Attempts;
using Muster.Plm.Facts;
using Muster.Plm.Spill;

namespace Muster.Plm;

/// <content>
/// From the disk back into slots, and what can be asked of a task that is on disk: to cancel it, and to wait for it.
/// </content>
internal sealed partial class PlmCore
{
    private void ReadAhead(HoldQueue queue)
    {
        var at = queue.Head;
        for (var ahead = 0; at != 0 && ahead < PlmLimits.SpillReadAhead; ahead++)
        {
            if (_extentRows.State(at - 1) == SpillState.Spilled)
            {
                _spill!.Prefetch(at - 1, _extentRows[at - 1].Generation);
            }

            at = _extents[at - 1].Next;
        }
    }

    // Tasks that were cancelled, or whose time to start is over: whoever waits for them shall hear of it before their
    // turn to run would have come.
    private void BringInWanted()
    {
        while (_spillDues.TryPeek(out var next, out var due) && due <= _now.UnixMs)
        {
            _spillDues.Dequeue();
            if (_extentRows[next.Extent].Generation == next.Generation)
            {
                Want(next.Extent);
            }
        }

        while (_wanted.TryPeek(out var extent))
        {
            if (_extentRows.State(extent) == SpillState.Spilled
                && !(HasRoomFor(extent, WantedUpTo) && TryBringIn(extent)))
            {
                return;
            }

            _wanted.Dequeue();
            _extents[extent].IsWanted = false;
        }
    }

    private void Want(uint extent)
    {
        if (_extentRows.State(extent) == SpillState.Spilled && !_extents[extent].IsWanted)
        {
            _extents[extent].IsWanted = true;
            _wanted.Enqueue(extent);
        }
    }

    // From the file into slots. False: it is not read yet, or there is no room.
    private bool TryBringIn(uint extent)
    {
        var generation = _extentRows[extent].Generation;
        if (!HasRoomFor(extent) || !_spill!.TryRead(extent, generation, out var body))
        {
            return false;
        }

        var count = FillSlots(extent, body);
        if (count < 0)
        {
            return false;
        }

        CrashPoint.Hit("plm.unspill.filled");
        _extentRows.SetState(extent, SpillState.Held);
        _ownersOnDisk.Remove(extent);
        CrashPoint.Hit("plm.unspill.marked");
        _extents[extent].InSlots = count;
        _heldCount += count;
        Attach(extent, _arrivals.AsSpan(0, count));
        _spill.Forget(extent, generation);
        Count(CellCounter.SpilledNow, -count);
        return true;
    }

    private bool HasRoomFor(uint extent, double share = 1) =>
        (share * _tasks.Capacity) - SlotsInUse >= CountLive(extent)
        && (share * _arena.Payloads.CapacityBytes) - _arena.Payloads.UsedBytes >= _extentRows[extent].BodyBytes;

    // Fills and steps; the slots count for nothing yet. -1, and nothing was changed, when payloads or profiles do not
    // fit.
    private int FillSlots(uint extent, ReadOnlySpan<byte> body)
    {
        var live = _extentRows.Live(extent);
        var reader = new FactReader(body[(int)_extentRows[extent].RunBytes..]);
        var count = 0;
        _bodyProfiles.Clear();
        while (!reader.IsEmpty)
        {
            var record = SpillRecord.Read(ref reader);
            ref readonly var profile = ref _bodyProfiles.Of(record);
            if (!SpillRow.IsSet(live, (int)record.Place))
            {
                continue;
            }

            uint block = 0;
            if (!TryIntern(profile, out var spec) || !_payloads.TryAllocate(record.Payload.Length, out block))
            {
                foreach (var filled in _arrivals.AsSpan(0, count))
                {
                    _index[filled].Key = 0;
                    DropCopy(filled);
                }

                return -1;
            }

            record.Payload.CopyTo(_arena.Payloads.Bytes(block, record.Payload.Length));
            _arrivals[count++] = FillArrival(extent, record, spec, block);
            CrashPoint.Hit("plm.unspill.task-filled");
        }

        return count;
    }

    private uint FillArrival(uint extent, in SpillRecord record, in TaskSpec spec, uint block)
    {
        var index = TakeSlot();
        ref var slot = ref _tasks[index];
        var generation = TaskId.NextGeneration(slot.OwnGeneration, _arena.Epoch);
        FillFrom(ref slot, spec, record);
        _profiles.Hold(slot.Profile);
        slot.PayloadBlock = block;
        slot.Generation = generation;
        Move(index, ref slot, SpillTable.SlotOf(extent, (int)record.Place));
        _index[index].Key = KeyOf(record, _tasks.IdOf(index));
        if (slot.Client == 0 && record.Client != 0)
        {
            // Its session was forgotten meanwhile.
            ForgetSoonUnlessKeyed(index, ref slot);
        }

        var accepted = new StateWord(TaskState.Accepted, Attempt.None, (uint)generation);
        Invariant.That(_tasks.TryStep(Role.Plm, index, _tasks.Read(index), accepted));
        return index;
    }

    // Row + 1; 0: the row is another task's by now.
    private uint KeyOf(in SpillRecord record, TaskId id) =>
        record.Key != 0 && _arena.Keys.IsUsed(record.Key - 1) && _arena.Keys[record.Key - 1].TaskId == id.Value
            ? record.Key
            : 0;

    // As it was when it was submitted.
    private void FillFrom(ref TaskSlot slot, in TaskSpec spec, in SpillRecord record)
    {
        _batchSpec = spec with { Owner = record.Owner };
        _batchSession = null;
        FillSlot(ref slot, record.Payload.Length, 0, 0);
        slot.Flags = record.IsUnretained ? SlotFlags.Unretained : (byte)0;
        slot.SubmittedUnixUs = record.SubmittedUnixUs;
        slot.DueUnixMs = record.DueUnixMs;
        slot.DurableUs = 1;
        var session = record.Client == 0 ? null : _sessions[record.Client - 1];
        if (session is not null && _arena.Clients[session.Row].Sessions == record.Session)
        {
            slot.Client = (ushort)record.Client;
            slot.Ref = record.Ref;
        }
    }

    // What the PLM keeps beside the slots.
    private void Attach(uint extent, ReadOnlySpan<uint> arrivals)
    {
        foreach (var session in _sessions)
        {
            session?.ForgetSpilled(extent);
        }

        var isUntold = _snapshotBegin != 0 && _extents[extent].ToldIn != _snapshotBegin;
        foreach (var index in arrivals)
        {
            ref var slot = ref _tasks[index];
            if (SessionOf(in slot) is { } session)
            {
                _index.Append(ref session.Live, index);
            }

            if (slot.DueUnixMs != 0)
            {
                RecoverExpiry(index, in slot);
            }

            RecoverDeadline(index, in slot);

            if (_parked.Remove(_tasks.IdOf(index).Value, out var awaiters))
            {
                _parkedCount -= awaiters.Count;
                _awaiters.AddAll(index, awaiters);
            }

            if (isUntold)
            {
                TellIfLive(index);
            }
        }

        EndCancelled(arrivals);
    }

    private bool WasCancelledOnDisk(in TaskSlot slot) =>
        slot.MovedSlot is var moved and not 0
        && SpillRow.IsSet(_extentRows.Cancelled(SpillTable.ExtentOf(moved)), SpillTable.PlaceOf(moved));

    private void EndCancelled(ReadOnlySpan<uint> arrivals)
    {
        foreach (var index in arrivals)
        {
            if (WasCancelledOnDisk(in _tasks[index]))
            {
                if (_spilledEndTexts.Remove(_tasks.IdOf(index).Value, out var text))
                {
                    Remember(ref _tasks[index], HistoryBytes.KindEnd, 0, text);
                }

                Invariant.That(TryEnd(index, _tasks.Read(index), FaultCode.TaskCancelled));
            }
        }
    }

    // The bit is in the arena and the end in the journal; the task hears of it when it has been read in.
    private CancelAnswer CancelSpilled(TaskId id, ReadOnlySpan<byte> text)
    {
        var extent = SpillTable.ExtentOf(id.Slot);
        var place = SpillTable.PlaceOf(id.Slot);
        if (SpillRow.IsSet(_extentRows.Cancelled(extent), place))
        {
            return CancelAnswer.AlreadyCancelled;
        }

        SpillRow.Set(_extentRows.Cancelled(extent), place);
        if (!text.IsEmpty && _spilledEndTexts.Count < PlmLimits.CrashNotesMax)
        {
            _spilledEndTexts[id.Value] = text.ToArray();
        }

        if (_journal is not null)
        {
            WriteCancelled(id, text);
        }

        Want(extent);
        return CancelAnswer.Cancelled;
    }

    private void WriteCancelled(TaskId id, ReadOnlySpan<byte> text)
    {
        _facts.Begin(FactKind.Ended);
        new EndedFact
        {
            Id = id.Value,
            Outcome = (byte)Outcome.Cancelled,
            EndFault = (ushort)FaultCode.TaskCancelled,
            EndText = text,
        }.Write(_facts);
        _facts.End();
        AppendIfLarge();
    }

    private Fault ParkAwaiter(TaskId id, ITaskAwaiter awaiter)
    {
        if (!_parked.TryGetValue(id.Value, out var awaiters))
        {
            awaiters = [];
        }

        if (awaiters.Count >= PlmLimits.AwaitersPerTaskMax
            || _parkedCount + _awaiters.Count >= _options.AwaitersMax)
        {
            return TooManyAwaiters();
        }

        awaiters.Add(awaiter);
        _parked[id.Value] = awaiters;
        _parkedCount++;
        return Fault.None;
    }

    private void StopParked(TaskId id, ITaskAwaiter awaiter)
    {
        if (_parked.TryGetValue(id.Value, out var awaiters) && awaiters.Remove(awaiter))
        {
            _parkedCount--;
            if (awaiters.Count == 0)
            {
                _parked.Remove(id.Value);
            }
        }
    }
}
