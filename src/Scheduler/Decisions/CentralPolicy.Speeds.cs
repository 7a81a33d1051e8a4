// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// Workers of unlike speed. A task goes where it is expected to end first, and that may be a faster worker that is
/// still busy: then it waits, the faster one counts as taken by it, and the next task in order is asked. So a slow
/// worker stays idle only while everything that was asked ends sooner without it.
/// </summary>
internal sealed partial class CentralPolicy
{
    private readonly IndexedHeap[] _groupEnds;
    private readonly ulong[] _ends = new ulong[DecisionLimits.WeighedTasksMax * DecisionLimits.SpeedGroupsMax];
    private readonly int[] _endCounts = new int[DecisionLimits.SpeedGroupsMax];
    private readonly int[] _frontier = new int[DecisionLimits.WeighedTasksMax * 2];
    private readonly int[] _setAside = new int[DecisionLimits.WeighedTasksMax + 1];
    private int[] _endPositions = [];

    /// <summary>A group came, and numbers moved: what runs is put where it belongs.</summary>
    private void PrepareGroups()
    {
        Array.Clear(_endPositions);
        for (var group = 0; group < _groupEnds.Length; group++)
        {
            _groupEnds[group] = new(_endPositions, 64);
        }

        for (var at = 0; at < _runningCount; at++)
        {
            var task = _running[at];
            NoteGroupEnd(task, Task(task).Worker, Task(task).StartUs);
        }
    }

    private void ReservePositions(int tasks)
    {
        Array.Resize(ref _endPositions, tasks);
        foreach (var ends in _groupEnds)
        {
            ends?.MovePositions(_endPositions);
        }

        Array.Resize(ref _watchPositions, tasks);
        _watched.MovePositions(_watchPositions);
    }

    private void NoteGroupEnd(int task, int worker, long nowUs)
    {
        if (_groupEnds[0] is not null && Task(task).Worker >= 0)
        {
            _groupEnds[_index.GroupOf(worker)].Push(task, (ulong)(nowUs + Task(task).ExpectedUs));
        }
    }

    private void ForgetGroupEnd(int task)
    {
        if (_groupEnds[0] is not null && Task(task).Worker >= 0 && _endPositions[task] > 0)
        {
            _groupEnds[_index.GroupOf(Task(task).Worker)].Remove(task);
        }
    }

    private bool TryStartWeighed(long nowUs, out Start start)
    {
        start = default;
        Array.Fill(_endCounts, -1);
        var aside = 0;
        var weighed = 0;
        var isFound = false;
        while (weighed < DecisionLimits.WeighedTasksMax && (_index.IdleWorkers > 0 || HasHeldRoom())
            && _ready.TryTop(out var number))
        {
            if (TryClass(number, nowUs, ref weighed, out start))
            {
                isFound = true;
                break;
            }

            _ready.SetAside(number);
            _setAside[aside++] = number;
        }

        while (aside > 0)
        {
            _ready.PutBack(_setAside[--aside]);
        }

        return isFound;
    }

    private bool TryClass(int number, long nowUs, ref int weighed, out Start start)
    {
        start = default;
        for (var task = _ready.Head(number); task >= 0 && weighed < DecisionLimits.WeighedTasksMax;)
        {
            weighed++;
            ref readonly var need = ref _shapes[Task(task).Facts.Shape];
            if (need.Slots > 1 || !need.IsSlotsOnly || Task(task).Facts.Members > 1)
            {
                if (TryPlace(task, nowUs, out start))
                {
                    return true;
                }

                if (MayHold(task))
                {
                    Hold(task, nowUs);
                }

                return false;
            }

            if (IsBestNow(Expect(task), nowUs, out var group)
                && _index.TryFind(need, _placement, out var worker, group))
            {
                start = StartOn(task, worker, nowUs);
                return true;
            }

            task = _ready[number].Ordered is null ? _ready.Next(task) : -1;
        }

        return false;
    }

    /// <summary>
    /// Whether the fastest idle worker ends a task of this duration as soon as any busy one; otherwise the busy one
    /// that does counts as taken by it.
    /// </summary>
    private bool IsBestNow(long expectedUs, long nowUs, out int idle)
    {
        for (idle = 0; idle < _index.Groups && _index.Idle(idle) == 0; idle++)
        {
        }

        if (idle == _index.Groups)
        {
            return false;
        }

        var best = nowUs + (expectedUs / _index.Speed(idle));
        var bestGroup = -1;
        for (var group = 0; group < idle; group++)
        {
            var ends = EndsOf(group, nowUs);
            if (ends.Length > 0)
            {
                var endUs = ends[0] + (expectedUs / _index.Speed(group));
                (best, bestGroup) = endUs < best ? (endUs, group) : (best, bestGroup);
            }
        }

        if (bestGroup >= 0)
        {
            Postpone(EndsOf(bestGroup, nowUs), (ulong)best);
        }

        return bestGroup < 0;
    }

    /// <summary>The earliest times at which workers of a group come free, in order.</summary>
    private Span<ulong> EndsOf(int group, long nowUs)
    {
        var ends = _ends.AsSpan(group * DecisionLimits.WeighedTasksMax, DecisionLimits.WeighedTasksMax);
        if (_endCounts[group] < 0)
        {
            _endCounts[group] = _groupEnds[group].CopySmallest(ends, _frontier);
            foreach (ref var end in ends[.._endCounts[group]])
            {
                // One that is late is expected to be late once more.
                end = end > (ulong)nowUs ? end : (ulong)nowUs + ((ulong)nowUs - end);
            }

            ends[.._endCounts[group]].Sort();
        }

        return ends[.._endCounts[group]];
    }

    private static void Postpone(Span<ulong> ends, ulong endUs)
    {
        var at = 0;
        for (; at + 1 < ends.Length && ends[at + 1] < endUs; at++)
        {
            ends[at] = ends[at + 1];
        }

        ends[at] = endUs;
    }
}
