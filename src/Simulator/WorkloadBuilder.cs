// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Scheduler.Decisions;

namespace Muster.Simulator;

/// <summary>Collects tasks and edges while a file is read.</summary>
internal sealed class WorkloadBuilder
{
    private readonly List<long> _durations = [];
    private readonly List<long> _arrivals = [];
    private readonly List<int> _handlers = [];
    private readonly List<int> _needs = [];
    private readonly List<int> _members = [];
    private readonly List<int> _users = [];
    private readonly List<float> _hints = [];
    private readonly List<long> _limits = [];
    private readonly List<(int Parent, int Child)> _edges = [];
    private readonly List<string> _names = [];
    private readonly List<string> _handlerNames = [];
    private readonly Dictionary<string, int> _handlerNumbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _userNumbers = new(StringComparer.Ordinal);
    private readonly List<Resources> _needList = [];
    private readonly Dictionary<Resources, int> _needNumbers = [];

    public int Count => _durations.Count;

    /// <summary>Adds a task; further columns are set by what is returned: its number.</summary>
    public int Add(string handler, long durationUs, Resources need, long arrivalUs = 0)
    {
        _durations.Add(durationUs);
        _arrivals.Add(arrivalUs);
        _handlers.Add(Number(_handlerNumbers, _handlerNames, handler));
        if (!_needNumbers.TryGetValue(need, out var number))
        {
            number = _needList.Count;
            _needNumbers.Add(need, number);
            _needList.Add(need);
        }

        _needs.Add(number);
        _members.Add(1);
        _users.Add(0);
        _hints.Add(0);
        _limits.Add(0);
        return _durations.Count - 1;
    }

    public void SetUser(int task, string user) => _users[task] = Number(_userNumbers, null, user);

    public void SetHint(int task, double hint) => _hints[task] = (float)Math.Max(hint, 0);

    public void SetLimit(int task, long us) => _limits[task] = us;

    public void SetMembers(int task, int members) => _members[task] = members;

    /// <summary>Names are given to all tasks, in order, or to none.</summary>
    public void AddName(string name) => _names.Add(name);

    public void AddEdge(int parent, int child) => _edges.Add((parent, child));

    /// <summary>
    /// The workload, with every edge once and arrivals counted from the first. A task that waits for itself is found
    /// here.
    /// </summary>
    /// <param name="name">Name for people.</param>
    /// <param name="boundUs">See <see cref="Workload.SlowdownBoundUs"/>.</param>
    /// <param name="machines">See <see cref="Workload.Machines"/>.</param>
    /// <param name="cyclic">A task on a cycle; -1 when there is none, and then the workload is returned.</param>
    public Workload? TryBuild(string name, long boundUs, IReadOnlyList<WorkerShape> machines, out int cyclic)
    {
        var first = long.MaxValue;
        foreach (var arrival in _arrivals)
        {
            first = Math.Min(first, arrival);
        }

        var arrivals = new long[Count];
        for (var task = 0; task < Count; task++)
        {
            arrivals[task] = _arrivals[task] - first;
        }

        var (childStart, children) = Lists();
        cyclic = FindCycle(childStart, children);
        return cyclic >= 0 ? null : new()
        {
            Name = name,
            DurationUs = [.. _durations],
            ArrivalUs = arrivals,
            Handler = [.. _handlers],
            HandlerNames = _handlerNames,
            Need = [.. _needs],
            Needs = _needList,
            Members = [.. _members],
            User = [.. _users],
            Hint = [.. _hints],
            LimitUs = [.. _limits],
            ChildStart = childStart,
            Children = children,
            TaskNames = _names.Count == Count ? _names : null,
            Machines = machines,
            SlowdownBoundUs = boundUs,
        };
    }

    private (int[] ChildStart, int[] Children) Lists()
    {
        _edges.Sort();
        var childStart = new int[Count + 1];
        var children = new List<int>(_edges.Count);
        var before = (-1, -1);
        foreach (var edge in _edges)
        {
            if (edge != before)
            {
                childStart[edge.Parent + 1]++;
                children.Add(edge.Child);
                before = edge;
            }
        }

        for (var task = 0; task < Count; task++)
        {
            childStart[task + 1] += childStart[task];
        }

        return (childStart, [.. children]);
    }

    private int FindCycle(int[] childStart, int[] children)
    {
        var parents = new int[Count];
        foreach (var child in children)
        {
            parents[child]++;
        }

        var open = new Stack<int>();
        for (var task = 0; task < Count; task++)
        {
            if (parents[task] == 0)
            {
                open.Push(task);
            }
        }

        var left = Count;
        while (open.TryPop(out var task))
        {
            left--;
            for (var edge = childStart[task]; edge < childStart[task + 1]; edge++)
            {
                if (--parents[children[edge]] == 0)
                {
                    open.Push(children[edge]);
                }
            }
        }

        return left == 0 ? -1 : Array.FindIndex(parents, count => count > 0);
    }

    private static int Number(Dictionary<string, int> numbers, List<string>? names, string name)
    {
        if (!numbers.TryGetValue(name, out var number))
        {
            number = numbers.Count;
            numbers.Add(name, number);
            names?.Add(name);
        }

        return number;
    }
}
