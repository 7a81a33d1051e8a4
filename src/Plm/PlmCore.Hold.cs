// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena.Heap;
using Muster.Arena.Spill;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Spill;

namespace Muster.Plm;

/// <content>
/// Tasks that wait behind the ready ones of their class when the arena fills up. They get ids that do not name their
/// slots, in extents of one class, and stay Accepted. Extents leave for the disk and come back (see Spill) and are
/// released to the heap oldest first, so that a class runs in the order of submission wherever its tasks were.
/// <para>
/// Room is shared like this: while less than <see cref="PressedFrom"/> of the arena is used, nobody waits. From then on
/// a class may have ready what <see cref="ReadyShare"/> says, and the rest of it waits. What waits in slots may fill
/// the arena to <see cref="HeldUpTo"/>, and is refused beyond; the last part is there for what comes back, and its end,
/// from <see cref="WantedUpTo"/>, for what comes back in its turn: what comes sooner cannot leave before that.
/// </para>
/// </content>
internal sealed partial class PlmCore
{
    private const double PressedFrom = 5 / 8.0;
    private const double HeldUpTo = 7 / 8.0;
    private const double WantedUpTo = 15 / 16.0;
    private const int ExtentTasksMin = 8;
    private const long ExtentBytesMax = 4 << 20;

    private readonly IPlmSpill? _spill;
    private readonly SpillTable _extentRows;
    private readonly uint _holdFrom;
    private readonly long _holdFromBytes;
    private readonly HoldQueue?[] _holdOf = new HoldQueue?[Arena.ArenaLayout.HeapClasses];

    // Those that are not empty, highest priority first.
    private readonly List<HoldQueue> _holds = [];
    private readonly Stack<uint> _freeExtents = new();

    // Closed extents, with their generations, that may go to disk; some have been released meanwhile.
    private readonly Queue<(uint Extent, ulong Generation)> _toWrite = new();
    private ExtentLinks[] _extents = new ExtentLinks[64];
    private ulong _lastOrder;

    // Tasks in slots whose extents are Held.
    private long _heldCount;

    /// <summary>Tasks of one extent: small enough that some dozens of extents fit into the arena.</summary>
    private int ExtentTasks => _options.ExtentTasks != 0
        ? _options.ExtentTasks
        : (int)Math.Clamp(_tasks.Capacity / 64, ExtentTasksMin, SpillTable.ExtentTasksMax);

    private uint SlotsInUse => _tasks.HighWater - _free.Count - RetiredSlots;

    private bool IsPressed => SlotsInUse >= _holdFrom || _arena.Payloads.UsedBytes >= _holdFromBytes;

    // A class that has little ready is served before what waits, and the less is left the less is little: so there is
    // always something left for the next class.
    private uint ReadyShare =>
        Math.Max(1, Math.Min(_holdFrom / 5, (_tasks.Capacity - SlotsInUse) / 4));

    private bool MustHold(ushort classId)
    {
        if (_spill is null || (_holds.Count == 0 && !IsPressed))
        {
            return false;
        }

        return _holdOf[classId] is { Head: not 0 }
            || (IsPressed && _ready.CountOf(classId) + (uint)_pushCount >= ReadyShare);
    }

    // Not none: the task cannot wait here either.
    private Fault RefusalOfHold()
    {
        if (SlotsInUse >= HeldUpTo * _tasks.Capacity
            || _arena.Payloads.UsedBytes >= HeldUpTo * _arena.Payloads.CapacityBytes)
        {
            return _spill!.Refusal.IsNone
                ? ArenaFull("has no room for more tasks until those that wait are on the disk")
                : _spill.Refusal;
        }

        var queue = HoldOf(_batchSpec.Class);
        return queue.Open != 0 || TryOpenExtent(queue)
            ? Fault.None
            : ArenaFull($"has no ids left for tasks that wait, {_extentRows.Capacity} times "
                + $"{SpillTable.ExtentTasksMax} (--spilled-max), or no memory for them");
    }

    private HoldQueue HoldOf(ushort classId) =>
        _holdOf[classId] ??= new HoldQueue(classId, _ready.ClassOf(classId).Priority);

    private bool TryOpenExtent(HoldQueue queue)
    {
        if (!TryTakeExtent(out var extent))
        {
            return false;
        }

        ref var row = ref _extentRows[extent];
        row.Class = queue.Class;
        row.Count = 0;
        row.Generation = TaskId.NextGeneration(row.Generation, _arena.Epoch);
        row.Order = _lastOrder = Math.Max(_lastOrder + 1, (ulong)_now.UnixUs);
        row.DueUnixMs = 0;
        row.BodyBytes = 0;
        row.RunBytes = 0;
        _extentRows.Live(extent).Clear();
        _extentRows.Cancelled(extent).Clear();
        CrashPoint.Hit("plm.hold.extent-filled");
        _extentRows.SetState(extent, SpillState.Held);
        CrashPoint.Hit("plm.hold.extent-open");
        _extents[extent] = default;
        AppendHold(queue, extent);
        queue.Open = extent + 1;
        queue.OpenBytes = 0;
        return true;
    }

    private bool TryTakeExtent(out uint extent)
    {
        while (_freeExtents.TryPop(out extent))
        {
            // One whose generations are used up rests until the cell's next epoch.
            if (TaskId.NextGeneration(_extentRows[extent].Generation, _arena.Epoch) != 0)
            {
                return true;
            }
        }

        extent = _extentRows.HighWater;
        if (extent == _extentRows.Capacity || !_extentRows.TryReserve(extent))
        {
            return false;
        }

        _extentRows.HighWater = extent + 1;
        CoverExtents(extent + 1);
        return true;
    }

    private void CoverExtents(uint count)
    {
        if (_extents.Length < count)
        {
            Array.Resize(ref _extents, (int)Math.Max(count, 2 * _extents.Length));
        }
    }

    private void AppendHold(HoldQueue queue, uint extent)
    {
        if (queue.Tail == 0)
        {
            queue.Head = extent + 1;
        }
        else
        {
            _extents[queue.Tail - 1].Next = extent + 1;
        }

        queue.Tail = extent + 1;
        if (!queue.IsListed)
        {
            queue.IsListed = true;
            var at = _holds.FindIndex(other => other.Priority < queue.Priority);
            _holds.Insert(at < 0 ? _holds.Count : at, queue);
        }
    }

    // Of a slot that is filled and still Free: from now on its task has an id of the class's open extent.
    private void Hold(uint index, ref TaskSlot slot)
    {
        var queue = _holdOf[slot.Class]!;
        var extent = queue.Open - 1;
        ref var row = ref _extentRows[extent];
        var place = row.Count++;
        SpillRow.Set(_extentRows.Live(extent), place);
        _extents[extent].InSlots++;
        _heldCount++;
        Move(index, ref slot, SpillTable.SlotOf(extent, place));
        CrashPoint.Hit("plm.hold.moved");
        queue.OpenBytes += slot.PayloadBytes;
        if (row.Count >= ExtentTasks || queue.OpenBytes >= ExtentBytes)
        {
            CloseExtent(queue);
        }
    }

    private long ExtentBytes => Math.Min(ExtentBytesMax, _arena.Payloads.CapacityBytes / 64);

    private void Move(uint index, ref TaskSlot slot, uint movedSlot)
    {
        _extentRows.Map(movedSlot, index);
        slot.Generation = TaskSlot.Moved(slot.OwnGeneration, movedSlot);
    }

    private void CloseExtent(HoldQueue queue)
    {
        var extent = queue.Open - 1;
        queue.Open = 0;
        QueueWrite(extent);
    }

    private bool IsHeld(in TaskSlot slot) =>
        slot.MovedSlot is var moved and not 0
        && _extentRows.State(SpillTable.ExtentOf(moved)) == SpillState.Held;

    // At the end of each turn.
    private void RunHolds()
    {
        if (_holds.Count == 0)
        {
            return;
        }

        BringInWanted();
        for (var at = 0; at < _holds.Count; at++)
        {
            var queue = _holds[at];
            ReleaseFrom(queue);
            if (queue.Head == 0)
            {
                queue.IsListed = false;
                _holds.RemoveAt(at--);
            }
        }

        WriteOut();
    }

    private void ReleaseFrom(HoldQueue queue)
    {
        while (queue.Head != 0
            && _ready.CountOf(queue.Class) + (uint)_pushCount < ReadyShare
            && _ungranted.Count < PlmLimits.GrantsMax)
        {
            var extent = queue.Head - 1;
            if (_extentRows.State(extent) == SpillState.Spilled && !TryBringIn(extent))
            {
                return;
            }

            Release(queue, extent);
        }

        ReadAhead(queue);
    }

    private void Release(HoldQueue queue, uint extent)
    {
        Invariant.That(queue.Head == extent + 1 && _extentRows.State(extent) == SpillState.Held);
        if (queue.Open == queue.Head)
        {
            queue.Open = 0;
        }

        queue.Head = _extents[extent].Next;
        queue.Tail = queue.Head == 0 ? 0 : queue.Tail;
        _extents[extent].Next = 0;
        CrashPoint.Hit("plm.hold.before-release");
        _extentRows.SetState(extent, SpillState.Released);
        CrashPoint.Hit("plm.hold.released");
        _heldCount -= _extents[extent].InSlots;
        if (_extents[extent].InSlots == 0)
        {
            FreeExtent(extent);
            return;
        }

        var live = _extentRows.Live(extent);
        for (var place = 0; place < _extentRows[extent].Count; place++)
        {
            if (SpillRow.IsSet(live, place))
            {
                LetGoHeld(_extentRows.IndexOf(SpillTable.SlotOf(extent, place)));
            }
        }
    }

    private void LetGoHeld(uint index)
    {
        ref var slot = ref _tasks[index];
        var word = _tasks.Read(index);

        // A task that may start once only is let go when the journal has it; one that workers may hold, later.
        if (word.State == TaskState.Accepted && !(StartsOnce(in slot) && slot.DurableUs == 0) && !IsHeldBack(index))
        {
            LetGo(index, ref slot, word);
        }
    }

    // The task's slot is free.
    private void LeaveExtent(uint movedSlot)
    {
        var extent = SpillTable.ExtentOf(movedSlot);
        SpillRow.Clear(_extentRows.Live(extent), SpillTable.PlaceOf(movedSlot));
        SpillRow.Clear(_extentRows.Cancelled(extent), SpillTable.PlaceOf(movedSlot));
        _extents[extent].InSlots--;
        if (_extentRows.State(extent) == SpillState.Held)
        {
            _heldCount--;
            QueueWrite(extent);
        }

        Invariant.That(_extents[extent].InSlots >= 0 && _heldCount >= 0);
        if (_extents[extent].InSlots == 0 && _extentRows.State(extent) == SpillState.Released)
        {
            FreeExtent(extent);
        }
    }

    private void FreeExtent(uint extent)
    {
        _extentRows.SetState(extent, SpillState.Free);
        CrashPoint.Hit("plm.hold.extent-free");
        _freeExtents.Push(extent);
    }
}
