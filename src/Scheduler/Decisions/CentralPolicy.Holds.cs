// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// Held reservations and gangs. The first task in order of a user that does not fit gets one: the workers on which it
/// is expected to fit first are hidden from all others, except from tasks that will be gone by then or fit beside it.
/// It is held until the task starts, is withdrawn, or a worker comes or goes; so a wide task is never overtaken for
/// ever. Each user has one at most, and no more than half of the workers are held.
/// </summary>
internal sealed partial class CentralPolicy
{
    /// <summary>Reservations at once.</summary>
    private const int HoldsMax = 16;

    /// <summary>Held workers that are looked at for a task that may go first.</summary>
    private const int HeldWorkersTriedMax = 64;

    private readonly GangTable _gangs = new();
    private readonly HeldRoom[] _holds = new HeldRoom[HoldsMax];
    private int[] _shadow = [];
    private long[] _sweepEnds = [];
    private int[] _sweepTasks = [];
    private HeldRoom?[] _heldAt = [];
    private int _holdCount;
    private bool _isAnyStale;

    private bool HasHeldRoom()
    {
        for (var i = 0; i < _holdCount; i++)
        {
            var held = _holds[i];
            for (var at = 0; at < Math.Min(held.Count, HeldWorkersTriedMax); at++)
            {
                if (_index.Free(held.Places[at].Worker, 0) > 0)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Looks at reservations beside which something ended: their tasks may fit now.</summary>
    private bool TryStartHeld(long nowUs, out Start start)
    {
        start = default;
        _isAnyStale = false;
        for (var i = 0; i < _holdCount; i++)
        {
            var held = _holds[i];
            if (!held.IsStale)
            {
                continue;
            }

            held.IsStale = false;
            var task = held.Task;
            var worker = held.Places[0].Worker;
            if (Task(task).Facts.Members == 1 && _index.Present > 1
                && !_index.Fits(worker, _shapes[Task(task).Facts.Shape]))
            {
                // Not yet. The time stands even when it has passed, so that nobody may go first any more.
                continue;
            }

            var us = held.Us;
            Release(held);
            if (TryPlace(task, nowUs, out start))
            {
                _ready.UnblockAll();
                _isAnyStale = true;
                return true;
            }

            // Takes the last place in the list, where it is not looked at again: it is not stale. What was promised
            // stands: a later time would let others go first again and again.
            var before = _holdCount;
            Hold(task, nowUs);
            Invariant.That(_holdCount == before + 1);
            _holds[before].Us = Math.Min(_holds[before].Us, us);
            i--;
        }

        return false;
    }

    /// <summary>Whether a task that does not fit may hold room: its user holds none, and enough is left.</summary>
    private bool MayHold(int task)
    {
        var share = ShareOf(task);
        for (var i = 0; i < _holdCount; i++)
        {
            if (_holds[i].Share == share)
            {
                return false;
            }
        }

        if (_holdCount < Math.Min(HoldsMax, Math.Max(1, _index.Present / 2)))
        {
            return true;
        }

        // One of a higher band takes over.
        for (var i = 0; i < _holdCount; i++)
        {
            if (_holds[i].Share!.Band < share.Band)
            {
                Release(_holds[i]);
                return true;
            }
        }

        return false;
    }

    private void Release(HeldRoom held)
    {
        for (var at = 0; at < held.Count; at++)
        {
            _index.Hide(held.Places[at].Worker, false);
            _heldAt[held.Places[at].Worker] = null;
        }

        held.Count = 0;
        held.Task = HeldRoom.None;
        held.IsStale = false;
        var place = Array.IndexOf(_holds, held);
        _holdCount--;
        (_holds[place], _holds[_holdCount]) = (_holds[_holdCount], held);
    }

    private void ReleaseHolds()
    {
        while (_holdCount > 0)
        {
            Release(_holds[_holdCount - 1]);
        }
    }

    private void ReleaseHoldOf(int task)
    {
        for (var i = 0; i < _holdCount; i++)
        {
            if (_holds[i].Task == task)
            {
                // What waited only for its sake may start now.
                Release(_holds[i]);
                _ready.UnblockAll();
                return;
            }
        }
    }

    private void NoteFreed(int worker)
    {
        UnblockFitting(worker);
        if (worker < _heldAt.Length && _heldAt[worker] is { } held)
        {
            held.IsStale = true;
            _isAnyStale = true;
        }
    }

    /// <summary>
    /// Finds the earliest time at which the task is expected to fit, by letting what runs end in its expected order,
    /// and hides the workers where it will. Without effect when it would not even fit into empty workers.
    /// </summary>
    private void Hold(int task, long nowUs)
    {
        ref readonly var need = ref _shapes[Task(task).Facts.Shape];
        var members = Task(task).Facts.Members;
        CopyFree();
        var room = 0L;
        var found = NoWorker;
        for (var worker = 0; worker < _index.End; worker++)
        {
            room += ShadowFit(worker, need);
            found = found < 0 && room > 0 ? worker : found;
        }

        SortRunning(nowUs);
        var us = nowUs;
        for (var i = 0; i < _runningCount && room < members; i++)
        {
            var ended = _sweepTasks[i];
            us = _sweepEnds[i];
            if (Task(ended).Worker >= 0)
            {
                room += Free(Task(ended).Worker, _shapes[Task(ended).Facts.Shape], 1, need);
                found = Task(ended).Worker;
                continue;
            }

            for (var at = GangOf(ended); at >= 0; at = _gangs.Next(at))
            {
                var before = room;
                room += Free(_gangs[at].Worker, _shapes[Task(ended).Facts.Shape], _gangs[at].Members, need);
                found = room > before ? _gangs[at].Worker : found;
            }
        }

        if (room >= members)
        {
            Keep(task, need, members, us, members == 1 ? found : NoWorker);
        }
    }

    private void Keep(int task, in Resources need, int members, long us, int only)
    {
        var held = _holds[_holdCount] ??= new();
        _holdCount++;
        held.Task = task;
        held.Share = ShareOf(task);
        held.Us = us;
        var left = members;
        for (var worker = Math.Max(only, 0); left > 0 && worker < _index.End; worker++)
        {
            var count = Math.Min(left, ShadowFit(worker, need));
            if (count == 0)
            {
                continue;
            }

            if (held.Count == held.Places.Length)
            {
                held.Places = Larger(held.Places);
                held.Spare = Larger(held.Spare);
            }

            left -= count;
            var at = worker * Resources.Kinds;
            held.Places[held.Count] = new(worker, count);
            held.Spare[held.Count++] = new(
                _shadow[at] - (need.Slots * count),
                _shadow[at + 1] - (need.MemoryMiB * count),
                _shadow[at + 2] - (need.Third * count),
                _shadow[at + 3] - (need.Fourth * count));
            _index.Hide(worker, true);
            _heldAt[worker] = held;

            // When and what may go first there has changed.
            UnblockFitting(worker);
        }

        Invariant.That(left == 0);
    }

    private static T[] Larger<T>(T[] array)
    {
        Array.Resize(ref array, array.Length * 2);
        return array;
    }

    /// <summary>Room on a held worker for a task that does not delay the one it is held for.</summary>
    private bool TryBackfill(int task, in Resources need, long nowUs, out int worker)
    {
        for (var i = 0; i < _holdCount; i++)
        {
            for (var at = 0; at < Math.Min(_holds[i].Count, HeldWorkersTriedMax); at++)
            {
                worker = _holds[i].Places[at].Worker;
                if (_index.Fits(worker, need) && MayGoFirst(_holds[i], at, task, need, nowUs))
                {
                    return true;
                }
            }
        }

        worker = NoWorker;
        return false;
    }

    private bool MayGoFirst(HeldRoom held, int at, int task, in Resources need, long nowUs)
    {
        if (held.Task == task
            || nowUs + (Expect(task) / _index.SpeedOf(held.Places[at].Worker)) <= held.Us)
        {
            return true;
        }

        ref var spare = ref held.Spare[at];
        if (spare.Slots < need.Slots || spare.MemoryMiB < need.MemoryMiB || spare.Third < need.Third
            || spare.Fourth < need.Fourth)
        {
            return false;
        }

        spare = new(
            spare.Slots - need.Slots, spare.MemoryMiB - need.MemoryMiB, spare.Third - need.Third,
            spare.Fourth - need.Fourth);
        return true;
    }

    private bool TryPlaceGang(int task, long nowUs, out Start start)
    {
        start = default;
        ref readonly var need = ref _shapes[Task(task).Facts.Shape];
        var left = Task(task).Facts.Members;
        for (var worker = 0; worker < _index.End && left > 0; worker++)
        {
            left -= _index.IsHidden(worker) ? 0 : Math.Min(left, _index.FitCount(worker, need));
        }

        if (left > 0)
        {
            return false;
        }

        left = Task(task).Facts.Members;
        var list = -1;
        var first = NoWorker;
        for (var worker = 0; left > 0; worker++)
        {
            var count = _index.IsHidden(worker) ? 0 : Math.Min(left, _index.FitCount(worker, need));
            if (count > 0)
            {
                first = first < 0 ? worker : first;
                left -= count;
                _index.Take(worker, need, count);
                list = _gangs.Add(new(worker, count), list);
            }
        }

        Task(task).Worker = -2 - list;
        Begin(task, first, nowUs);
        start = new(task, first);
        return true;
    }

    private void VacateGang(int task, in Resources need)
    {
        for (var at = GangOf(task); at >= 0;)
        {
            var place = _gangs[at];
            at = _gangs.RemoveFirst(at);
            _index.Give(place.Worker, need, place.Members);
            NoteFreed(place.Worker);
        }
    }

    private int GangOf(int task) => -2 - Task(task).Worker;

    private void CopyFree()
    {
        var length = _index.End * Resources.Kinds;
        if (_shadow.Length < length)
        {
            _shadow = new int[length * 2];
        }

        if (_heldAt.Length < _index.End)
        {
            Array.Resize(ref _heldAt, _shadow.Length / Resources.Kinds);
        }

        for (var worker = 0; worker < _index.End; worker++)
        {
            for (var kind = 0; kind < Resources.Kinds; kind++)
            {
                _shadow[(worker * Resources.Kinds) + kind] = _index.Free(worker, kind);
            }
        }
    }

    private void SortRunning(long nowUs)
    {
        if (_sweepEnds.Length < _runningCount)
        {
            _sweepEnds = new long[_running.Length];
            _sweepTasks = new int[_running.Length];
        }

        for (var i = 0; i < _runningCount; i++)
        {
            _sweepTasks[i] = _running[i];
            _sweepEnds[i] = EstimatedEndUs(_running[i], nowUs);
        }

        Array.Sort(_sweepEnds, _sweepTasks, 0, _runningCount);
    }

    // What room for the need this adds.
    private int Free(int worker, in Resources freed, int members, in Resources need)
    {
        var before = ShadowFit(worker, need);
        for (var kind = 0; kind < Resources.Kinds; kind++)
        {
            _shadow[(worker * Resources.Kinds) + kind] += freed[kind] * members;
        }

        return ShadowFit(worker, need) - before;
    }

    private int ShadowFit(int worker, in Resources need)
    {
        // What is held for one task is not promised to another.
        if (_index.IsHidden(worker))
        {
            return 0;
        }

        var at = worker * Resources.Kinds;
        var count = _shadow[at] / need.Slots;
        for (var kind = 1; kind < Resources.Kinds && count > 0; kind++)
        {
            count = need[kind] > 0 ? Math.Min(count, _shadow[at + kind] / need[kind]) : count;
        }

        return count;
    }
}
