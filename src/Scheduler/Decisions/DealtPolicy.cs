// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// Binds early: each task goes to the queue of a worker when it becomes ready, at random or in turn, and waits there
/// whatever happens elsewhere. A baseline to compare with, as honest as it can be: only workers that it could fit are
/// drawn. One caller; see <see cref="ISchedulingPolicy"/>.
/// </summary>
internal sealed class DealtPolicy(bool isRandom, ulong seed = 1) : ISchedulingPolicy
{
    private readonly WorkerIndex _index = new();
    private readonly ShapeTable _shapes = new();
    private int[] _shapeOf = [];
    private int[] _next = [];
    private int[] _workerOf = [];
    private int[] _head = [];
    private int[] _tail = [];
    private bool[] _isQueued = [];
    private int[] _toTry = new int[64];
    private int _toTryCount;
    private int _turn;
    private ulong _random = seed;

    public string Name => isRandom ? "random" : "roundrobin";

    public int Waiting { get; private set; }

    public long NextDueUs => long.MaxValue;

    public int Intern(Resources need) => _shapes.Intern(need);

    public void AddWorker(int worker, Resources has, double speed)
    {
        _index.Add(worker, has, speed);
        if (worker >= _head.Length)
        {
            var before = _head.Length;
            var length = Math.Max(worker + 1, Math.Max(64, before * 2));
            Array.Resize(ref _head, length);
            Array.Resize(ref _tail, length);
            Array.Resize(ref _isQueued, length);
            Array.Fill(_head, -1, before, length - before);
        }
    }

    public void RemoveWorker(int worker)
    {
        _index.Remove(worker);
        var task = _head[worker];
        _head[worker] = -1;
        while (task >= 0)
        {
            var next = _next[task];
            Waiting--;
            Ready(task, 0);
            task = next;
        }
    }

    public void Admit(int task, in TaskFacts facts)
    {
        // One worker for all members would be another task; baselines are for what one worker can run.
        Invariant.That(facts.Members == 1);
        if (task >= _next.Length)
        {
            var length = Math.Max(task + 1, Math.Max(64, _next.Length * 2));
            Array.Resize(ref _next, length);
            Array.Resize(ref _shapeOf, length);
            Array.Resize(ref _workerOf, length);
        }

        _shapeOf[task] = facts.Shape;
    }

    public void AdmitGraph(int first, int[] childStart, int[] children)
    {
        // The order among tasks is that of their becoming ready.
    }

    public void Ready(int task, long nowUs)
    {
        var worker = Draw(_shapes[_shapeOf[task]]);
        _workerOf[task] = worker;
        _next[task] = -1;
        if (_head[worker] < 0)
        {
            _head[worker] = task;
        }
        else
        {
            _next[_tail[worker]] = task;
        }

        _tail[worker] = task;
        Waiting++;
        TryLater(worker);
    }

    public void Withdraw(int task)
    {
        var worker = _workerOf[task];
        var before = -1;
        for (var at = _head[worker]; at != task; at = _next[at])
        {
            before = at;
        }

        if (before < 0)
        {
            _head[worker] = _next[task];
        }
        else
        {
            _next[before] = _next[task];
        }

        _tail[worker] = _next[task] < 0 ? before : _tail[worker];
        Waiting--;
        TryLater(worker);
    }

    public bool TryStart(long nowUs, out Start start)
    {
        while (_toTryCount > 0)
        {
            var worker = _toTry[_toTryCount - 1];
            var task = _head[worker];
            if (task >= 0 && _index.Fits(worker, _shapes[_shapeOf[task]]))
            {
                _head[worker] = _next[task];
                _index.Take(worker, _shapes[_shapeOf[task]]);
                Waiting--;
                start = new(task, worker);
                return true;
            }

            _toTryCount--;
            _isQueued[worker] = false;
        }

        start = default;
        return false;
    }

    public bool TryCopy(long nowUs, out Start start)
    {
        start = default;
        return false;
    }

    public void Ended(int task, int worker, long ranUs, long nowUs)
    {
        _index.Give(worker, _shapes[_shapeOf[task]]);
        TryLater(worker);
    }

    public int Places(int task, Span<Place> places)
    {
        places[0] = new(_workerOf[task], 1);
        return 1;
    }

    public void CheckInvariants()
    {
        _index.CheckInvariants();
        var waiting = 0;
        for (var worker = 0; worker < _index.End; worker++)
        {
            for (var task = _head[worker]; task >= 0; task = _next[task])
            {
                Invariant.That(_workerOf[task] == worker);
                waiting++;
            }
        }

        Invariant.That(waiting == Waiting);
    }

    private void TryLater(int worker)
    {
        if (_isQueued[worker])
        {
            return;
        }

        if (_toTryCount == _toTry.Length)
        {
            Array.Resize(ref _toTry, _toTryCount * 2);
        }

        _isQueued[worker] = true;
        _toTry[_toTryCount++] = worker;
    }

    // The drawn worker, or the next one that the task could fit.
    private int Draw(in Resources need)
    {
        var at = isRandom ? (int)(NextRandom() % (ulong)_index.End) : _turn;
        for (var tried = 0; tried < _index.End; tried++, at++)
        {
            at = at >= _index.End ? 0 : at;
            if (_index.CouldFit(at, need))
            {
                _turn = at + 1 == _index.End ? 0 : at + 1;
                return at;
            }
        }

        throw new InvariantException("a task fits no worker");
    }

    // SplitMix64.
    private ulong NextRandom()
    {
        _random += 0x9E3779B97F4A7C15UL;
        var mixed = (_random ^ (_random >> 30)) * 0xBF58476D1CE4E5B9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
        return mixed ^ (mixed >> 31);
    }
}
