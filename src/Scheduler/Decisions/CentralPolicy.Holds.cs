// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// Held reservations and gangs. The first task in order that does not fit gets one: the workers on which it is expected
/// to fit first are hidden from all others, except from those that will be gone by then or fit beside it. It is held
/// until the task starts, is withdrawn, or one of a higher band needs it; so a wide task is never overtaken for ever.
/// </summary>
internal sealed partial class CentralPolicy
{
    /// <summary>Held workers that are looked at for a task that may go first.</summary>
    private const int HeldWorkersTriedMax = 64;

    private readonly GangTable _gangs = new();
    private int[] _shadow = [];
    private long[] _sweepEnds = [];
    private int[] _sweepTasks = [];
    private Place[] _heldPlaces = new Place[16];
    private Resources[] _heldSpare = new Resources[16];
    private int _heldCount;
    private int _heldTask = -1;
    private long _heldUs;
    private bool _isHoldStale;

    private bool HasHeldRoom()
    {
        for (var i = 0; i < Math.Min(_heldCount, HeldWorkersTriedMax); i++)
        {
            if (_index.Free(_heldPlaces[i].Worker, 0) > 0)
            {
                return true;
            }
        }

        return false;
    }

    private bool TryStartHeld(long nowUs, out Start start)
    {
        var task = _heldTask;
        ReleaseHold();
        if (TryPlace(task, nowUs, out start))
        {
            _ready.UnblockAll();
            return true;
        }

        Hold(task, nowUs);
        return false;
    }

    private void ReleaseHold()
    {
        for (var i = 0; i < _heldCount; i++)
        {
            _index.Hide(_heldPlaces[i].Worker, false);
        }

        _heldCount = 0;
        _heldTask = -1;
    }

    /// <summary>
    /// Finds the earliest time at which the task is expected to fit, by letting what runs end in its expected order, and
    /// hides the workers where it will. Without effect when it would not even fit into empty workers.
    /// </summary>
    private void Hold(int task, long nowUs)
    {
        Invariant.That(_heldTask < 0);
        ref readonly var need = ref _shapes[_facts[task].Shape];
        var members = _facts[task].Members;
        CopyFree();
        var room = 0L;
        for (var worker = 0; worker < _index.End; worker++)
        {
            room += members > 1 ? ShadowFit(worker, need) : 0;
        }

        SortRunning(nowUs);
        var found = NoWorker;
        _heldUs = nowUs;
        for (var i = 0; i < _runningCount && room < members; i++)
        {
            var ended = _sweepTasks[i];
            _heldUs = _sweepEnds[i];
            if (_worker[ended] >= 0)
            {
                room += Release(_worker[ended], _shapes[_facts[ended].Shape], 1, need);
                found = _worker[ended];
                continue;
            }

            for (var at = GangOf(ended); at >= 0; at = _gangs.Next(at))
            {
                room += Release(_gangs[at].Worker, _shapes[_facts[ended].Shape], _gangs[at].Members, need);
                found = _gangs[at].Worker;
            }
        }

        if (room >= members)
        {
            Reserve(task, need, members, members == 1 ? found : NoWorker);
        }
    }

    private void Reserve(int task, in Resources need, int members, int only)
    {
        _heldTask = task;
        _isHoldStale = false;
        var left = members;
        for (var worker = Math.Max(only, 0); left > 0 && worker < _index.End; worker++)
        {
            var count = Math.Min(left, ShadowFit(worker, need));
            if (count == 0)
            {
                continue;
            }

            if (_heldCount == _heldPlaces.Length)
            {
                Array.Resize(ref _heldPlaces, _heldCount * 2);
                Array.Resize(ref _heldSpare, _heldCount * 2);
            }

            left -= count;
            var at = worker * Resources.Kinds;
            _heldPlaces[_heldCount] = new(worker, count);
            _heldSpare[_heldCount++] = new(
                _shadow[at] - (need.Slots * count),
                _shadow[at + 1] - (need.MemoryMiB * count),
                _shadow[at + 2] - (need.Third * count),
                _shadow[at + 3] - (need.Fourth * count));
            _index.Hide(worker, true);

            // When and what may go first there has changed.
            UnblockFitting(worker);
        }

        Invariant.That(left == 0);
    }

    /// <summary>Room on a held worker for a task that does not delay the one it is held for.</summary>
    private bool TryBackfill(int task, in Resources need, long nowUs, out int worker)
    {
        for (var i = 0; i < Math.Min(_heldCount, HeldWorkersTriedMax) && task != _heldTask; i++)
        {
            worker = _heldPlaces[i].Worker;
            if (!_index.Fits(worker, need))
            {
                continue;
            }

            if (nowUs + (Expect(task) / _index.SpeedOf(worker)) <= _heldUs)
            {
                return true;
            }

            ref var spare = ref _heldSpare[i];
            if (spare.Slots >= need.Slots && spare.MemoryMiB >= need.MemoryMiB && spare.Third >= need.Third
                && spare.Fourth >= need.Fourth)
            {
                spare = new(
                    spare.Slots - need.Slots, spare.MemoryMiB - need.MemoryMiB, spare.Third - need.Third,
                    spare.Fourth - need.Fourth);
                return true;
            }
        }

        worker = NoWorker;
        return false;
    }

    private bool TryPlaceGang(int task, long nowUs, out Start start)
    {
        start = default;
        ref readonly var need = ref _shapes[_facts[task].Shape];
        var left = _facts[task].Members;
        for (var worker = 0; worker < _index.End && left > 0; worker++)
        {
            left -= _index.IsHidden(worker) ? 0 : Math.Min(left, _index.FitCount(worker, need));
        }

        if (left > 0)
        {
            return false;
        }

        left = _facts[task].Members;
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

        _worker[task] = -2 - list;
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
            UnblockFitting(place.Worker);
        }
    }

    private int GangOf(int task) => -2 - _worker[task];

    private void CopyFree()
    {
        var length = _index.End * Resources.Kinds;
        if (_shadow.Length < length)
        {
            _shadow = new int[length * 2];
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
    private int Release(int worker, in Resources freed, int members, in Resources need)
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
        var at = worker * Resources.Kinds;
        var count = _shadow[at] / need.Slots;
        for (var kind = 1; kind < Resources.Kinds && count > 0; kind++)
        {
            count = need[kind] > 0 ? Math.Min(count, _shadow[at + kind] / need[kind]) : count;
        }

        return count;
    }
}
