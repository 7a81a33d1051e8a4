// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.Intrinsics;
using Muster.Core;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// Who has room for what. One bitmap of workers with an idle slot per group of equal speed, and a column of free
/// amounts per kind of resource, searched eight workers at a time. A worker that is held for a wide task is hidden: its
/// amounts are kept, and no search finds it. Single-threaded; grows when a worker is added.
/// </summary>
internal sealed class WorkerIndex
{
    private const int Lanes = 8;

    private readonly int[][] _free = new int[Resources.Kinds][];
    private readonly int[][] _total = new int[Resources.Kinds][];
    private readonly long[] _sum = new long[Resources.Kinds];
    private readonly IdleBitmap[] _idle = new IdleBitmap[DecisionLimits.SpeedGroupsMax];
    private readonly double[] _speeds = new double[DecisionLimits.SpeedGroupsMax];

    // Free slots as searches see them: less than none for a worker that is hidden or absent.
    private int[] _open = [];
    private int[] _group = [];
    private bool[] _isHidden = [];
    private int _end;
    private int _wide;
    private uint _sampleAt;

    public WorkerIndex()
    {
        for (var kind = 0; kind < Resources.Kinds; kind++)
        {
            _free[kind] = [];
            _total[kind] = [];
        }

        for (var group = 0; group < _idle.Length; group++)
        {
            _idle[group] = new();
        }

        Grow(64);
    }

    /// <summary>Groups of equal speed, fastest first.</summary>
    public int Groups { get; private set; }

    /// <summary>One more than the highest number of a worker that ever was.</summary>
    public int End => _end;

    /// <summary>Workers that are there.</summary>
    public int Present { get; private set; }

    /// <summary>Workers with an idle slot that are not hidden.</summary>
    public int IdleWorkers { get; private set; }

    public double SpeedOf(int worker) => _speeds[_group[worker]];

    public double Speed(int group) => _speeds[group];

    public int GroupOf(int worker) => _group[worker];

    public int Idle(int group) => _idle[group].Count;

    /// <summary>What all workers together have of a kind.</summary>
    public long Sum(int kind) => _sum[kind];

    public int Free(int worker, int kind) => _free[kind][worker];

    public int Total(int worker, int kind) => _total[kind][worker];

    public bool IsHidden(int worker) => _isHidden[worker];

    public bool IsPresent(int worker) => worker < _end && _total[0][worker] > 0;

    public void Add(int worker, Resources has, double speed)
    {
        Invariant.That(worker is >= 0 and < DecisionLimits.WorkersMax && has.Slots > 0 && speed > 0);
        Grow(worker + 1);
        Invariant.That(_total[0][worker] == 0);
        _end = Math.Max(_end, worker + 1);
        for (var kind = 0; kind < Resources.Kinds; kind++)
        {
            _total[kind][worker] = has[kind];
            _free[kind][worker] = has[kind];
            _sum[kind] += has[kind];
        }

        Present++;
        _wide += has.Slots > 1 ? 1 : 0;
        _group[worker] = GroupOfSpeed(speed);
        _isHidden[worker] = false;
        Show(worker);
    }

    public void Remove(int worker)
    {
        Invariant.That(_total[0][worker] > 0);
        Present--;
        _wide -= _total[0][worker] > 1 ? 1 : 0;
        for (var kind = 0; kind < Resources.Kinds; kind++)
        {
            Invariant.That(_free[kind][worker] == _total[kind][worker]);
            _sum[kind] -= _total[kind][worker];
            _total[kind][worker] = 0;
            _free[kind][worker] = 0;
        }

        Show(worker);
    }

    public void Take(int worker, in Resources need, int members = 1)
    {
        for (var kind = 0; kind < Resources.Kinds; kind++)
        {
            _free[kind][worker] -= need[kind] * members;
            Invariant.That(_free[kind][worker] >= 0);
        }

        Show(worker);
    }

    public void Give(int worker, in Resources need, int members = 1)
    {
        for (var kind = 0; kind < Resources.Kinds; kind++)
        {
            _free[kind][worker] += need[kind] * members;
            Invariant.That(_free[kind][worker] <= _total[kind][worker]);
        }

        Show(worker);
    }

    public void Hide(int worker, bool isHidden)
    {
        _isHidden[worker] = isHidden;
        Show(worker);
    }

    public bool Fits(int worker, in Resources need) =>
        _free[0][worker] >= need.Slots && _free[1][worker] >= need.MemoryMiB
        && _free[2][worker] >= need.Third && _free[3][worker] >= need.Fourth;

    /// <summary>How many members with this need the worker has room for.</summary>
    public int FitCount(int worker, in Resources need)
    {
        var count = _free[0][worker] / need.Slots;
        for (var kind = 1; kind < Resources.Kinds && count > 0; kind++)
        {
            count = need[kind] > 0 ? Math.Min(count, _free[kind][worker] / need[kind]) : count;
        }

        return count;
    }

    /// <summary>Whether the need would fit into the worker if it were empty.</summary>
    public bool CouldFit(int worker, in Resources need) =>
        _total[0][worker] >= need.Slots && _total[1][worker] >= need.MemoryMiB
        && _total[2][worker] >= need.Third && _total[3][worker] >= need.Fourth;

    /// <summary>
    /// A worker with room in the fastest group that has one, or in one group alone. Like slots are taken from the
    /// bitmap; other needs go to the best fit, above 512 workers the best of a sample unless the sample has none.
    /// </summary>
    public bool TryFind(in Resources need, Placement placement, out int worker, int onlyGroup = -1)
    {
        worker = -1;
        if (IdleWorkers == 0)
        {
            return false;
        }

        var isLike = need.Slots == 1 && need.IsSlotsOnly && (placement != Placement.Spread || _wide == 0);
        for (var group = Math.Max(onlyGroup, 0); group < (onlyGroup < 0 ? Groups : onlyGroup + 1); group++)
        {
            if (_idle[group].Count == 0)
            {
                continue;
            }

            if (isLike ? _idle[group].TryFirst(out worker) : TrySearch(need, placement, group, out worker))
            {
                return true;
            }
        }

        return false;
    }

    private bool TrySearch(in Resources need, Placement placement, int group, out int worker)
    {
        var blocks = (_end + Lanes - 1) / Lanes;
        var sample = DecisionLimits.SampledWorkers / Lanes;
        if (blocks <= sample)
        {
            worker = Best(need, placement, group, 0, blocks, out _);
            return worker >= 0;
        }

        // A walk with a step that no number of blocks here shares, so that samples differ and repeat run for run.
        _sampleAt = (_sampleAt + 0x9E3779B1u) % (uint)blocks;
        for (int seen = 0, at = (int)_sampleAt; seen < blocks;)
        {
            var length = Math.Min(Math.Min(sample, blocks - at), blocks - seen);
            worker = Best(need, placement, group, at, at + length, out _);
            if (worker >= 0)
            {
                return true;
            }

            seen += length;
            at = at + length == blocks ? 0 : at + length;
        }

        worker = -1;
        return false;
    }

    /// <summary>The best of the workers in these blocks of eight; -1 when none has room.</summary>
    private int Best(in Resources need, Placement placement, int group, int first, int end, out float bestScore)
    {
        var slots = Vector256.Create(need.Slots);
        var memory = Vector256.Create(need.MemoryMiB);
        var third = Vector256.Create(need.Third);
        var fourth = Vector256.Create(need.Fourth);
        var groups = Vector256.Create(group);
        var perSlot = Vector256.Create(1f / Math.Max(_sum[0], 1));
        var perMiB = Vector256.Create(_sum[1] > 0 ? 1f / _sum[1] : 0);
        var worst = Vector256.Create(float.MaxValue);
        var bestScores = worst;
        var bestBlocks = Vector256.Create(-1);
        var isSpread = placement == Placement.Spread;
        for (var block = first; block < end; block++)
        {
            var at = (nuint)(block * Lanes);
            var open = Vector256.LoadUnsafe(ref _open[0], at);
            var openMemory = Vector256.LoadUnsafe(ref _free[1][0], at);
            var fits = Vector256.GreaterThanOrEqual(open, slots)
                & Vector256.GreaterThanOrEqual(openMemory, memory)
                & Vector256.GreaterThanOrEqual(Vector256.LoadUnsafe(ref _free[2][0], at), third)
                & Vector256.GreaterThanOrEqual(Vector256.LoadUnsafe(ref _free[3][0], at), fourth)
                & Vector256.Equals(Vector256.LoadUnsafe(ref _group[0], at), groups);
            if (fits == Vector256<int>.Zero)
            {
                continue;
            }

            var score = (Vector256.ConvertToSingle(open) * perSlot)
                + (Vector256.ConvertToSingle(openMemory) * perMiB);
            score = Vector256.ConditionalSelect(fits.AsSingle(), isSpread ? -score : score, worst);
            var isBetter = Vector256.LessThan(score, bestScores);
            bestScores = Vector256.ConditionalSelect(isBetter, score, bestScores);
            bestBlocks = Vector256.ConditionalSelect(isBetter.AsInt32(), Vector256.Create(block), bestBlocks);
        }

        bestScore = float.MaxValue;
        var best = -1;
        for (var lane = 0; lane < Lanes; lane++)
        {
            var candidate = (bestBlocks[lane] * Lanes) + lane;
            if (bestBlocks[lane] >= 0
                && (bestScores[lane] < bestScore || (bestScores[lane] == bestScore && candidate < best)))
            {
                (bestScore, best) = (bestScores[lane], candidate);
            }
        }

        return best;
    }

    private int GroupOfSpeed(double speed)
    {
        for (var group = 0; group < Groups; group++)
        {
            if (_speeds[group] == speed)
            {
                return group;
            }
        }

        if (Groups == DecisionLimits.SpeedGroupsMax)
        {
            var nearest = 0;
            for (var group = 1; group < Groups; group++)
            {
                nearest = Math.Abs(_speeds[group] - speed) < Math.Abs(_speeds[nearest] - speed) ? group : nearest;
            }

            return nearest;
        }

        // Kept fastest first: the slower groups move up by one.
        var place = Groups++;
        for (; place > 0 && _speeds[place - 1] < speed; place--)
        {
            _speeds[place] = _speeds[place - 1];
            (_idle[place], _idle[place - 1]) = (_idle[place - 1], _idle[place]);
        }

        _speeds[place] = speed;
        for (var worker = 0; worker < _end; worker++)
        {
            _group[worker] += _group[worker] >= place ? 1 : 0;
        }

        return place;
    }

    private void Show(int worker)
    {
        _open[worker] = _isHidden[worker] || _total[0][worker] == 0 ? -1 : _free[0][worker];
        var bitmap = _idle[_group[worker]];
        IdleWorkers -= bitmap.Count;
        bitmap.Set(worker, _open[worker] > 0);
        IdleWorkers += bitmap.Count;
    }

    private void Grow(int workers)
    {
        if (workers <= _open.Length)
        {
            return;
        }

        var length = Math.Max(_open.Length * 2, (workers + 63) / 64 * 64);
        for (var kind = 0; kind < Resources.Kinds; kind++)
        {
            Array.Resize(ref _free[kind], length);
            Array.Resize(ref _total[kind], length);
        }

        var before = _open.Length;
        Array.Resize(ref _open, length);
        Array.Fill(_open, -1, before, length - before);
        Array.Resize(ref _group, length);
        Array.Resize(ref _isHidden, length);
        foreach (var bitmap in _idle)
        {
            bitmap.Reserve(length);
        }
    }

    public void CheckInvariants()
    {
        var idle = 0;
        for (var worker = 0; worker < _end; worker++)
        {
            for (var kind = 0; kind < Resources.Kinds; kind++)
            {
                Invariant.That(_free[kind][worker] >= 0 && _free[kind][worker] <= _total[kind][worker]);
            }

            Invariant.That(_idle[_group[worker]].Contains(worker) == (_open[worker] > 0));
            Invariant.That(_open[worker] == -1 || _open[worker] == _free[0][worker]);
            idle += _open[worker] > 0 ? 1 : 0;
        }

        Invariant.That(idle == IdleWorkers);
    }
}
