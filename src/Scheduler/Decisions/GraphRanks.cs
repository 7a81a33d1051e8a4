// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// The rank (b-level) of each member of a graph: what it is expected to take, and the longest chain of its descendants
/// after it. Ranks are counted anew when expectations moved, from the leaves up, a bounded number of edges at a time;
/// meanwhile the old ones stand. Single-threaded; grows when a graph is admitted.
/// </summary>
internal sealed class GraphRanks(Func<int, long> expect, Action<int, long> changed)
{
    private readonly List<Graph> _graphs = [];
    private readonly List<int> _dirty = [];
    private int _cursor;
    private bool _isAgain;

    /// <summary>Whether ranks are being counted anew.</summary>
    public bool IsBehind => _dirty.Count > 0;

    /// <summary>Admits a graph and ranks it at once. Returns its number, from 0.</summary>
    public int Admit(int first, int[] childStart, int[] children)
    {
        var count = childStart.Length - 1;
        var parents = new int[count];
        foreach (var child in children)
        {
            parents[child]++;
        }

        var order = new int[count];
        var placed = 0;
        for (var task = 0; task < count; task++)
        {
            if (parents[task] == 0)
            {
                order[placed++] = task;
            }
        }

        for (var at = 0; at < placed; at++)
        {
            for (var edge = childStart[order[at]]; edge < childStart[order[at] + 1]; edge++)
            {
                if (--parents[children[edge]] == 0)
                {
                    order[placed++] = children[edge];
                }
            }
        }

        Invariant.That(placed == count);
        var graph = new Graph(first, childStart, children, order, new long[count]);
        _graphs.Add(graph);
        for (var at = count - 1; at >= 0; at--)
        {
            Rank(graph, order[at]);
        }

        return _graphs.Count - 1;
    }

    /// <summary>The longest chain of the graph, as far as is known.</summary>
    public long LengthUs(int graph) => _graphs[graph].LengthUs;

    /// <summary>A member started: no rank of it is asked for any more.</summary>
    public void Started(int graph) => _graphs[graph].Left--;

    /// <summary>Expectations moved: every graph with members left is to be ranked anew.</summary>
    public void Invalidate()
    {
        if (_dirty.Count > 0)
        {
            _isAgain = true;
            return;
        }

        for (var graph = _graphs.Count - 1; graph >= 0; graph--)
        {
            if (_graphs[graph].Left > 0)
            {
                _dirty.Add(graph);
            }
        }

        _cursor = 0;
    }

    /// <summary>Goes on with the count, for so many edges and members.</summary>
    public void Step(int edgesMax)
    {
        while (_dirty.Count > 0 && edgesMax > 0)
        {
            var graph = _graphs[_dirty[^1]];
            if (graph.Left <= 0 || _cursor == graph.Order.Length)
            {
                _dirty.RemoveAt(_dirty.Count - 1);
                _cursor = 0;
                continue;
            }

            var task = graph.Order[graph.Order.Length - 1 - _cursor++];
            edgesMax -= 1 + graph.ChildStart[task + 1] - graph.ChildStart[task];
            Rank(graph, task);
        }

        if (_dirty.Count == 0 && _isAgain)
        {
            _isAgain = false;
            Invalidate();
        }
    }

    private void Rank(Graph graph, int task)
    {
        var below = 0L;
        for (var edge = graph.ChildStart[task]; edge < graph.ChildStart[task + 1]; edge++)
        {
            below = Math.Max(below, graph.Ranks[graph.Children[edge]]);
        }

        var rank = below + expect(graph.First + task);
        if (rank != graph.Ranks[task])
        {
            graph.Ranks[task] = rank;
            graph.LengthUs = Math.Max(graph.LengthUs, rank);
            changed(graph.First + task, rank);
        }
    }

    private sealed class Graph(int first, int[] childStart, int[] children, int[] order, long[] ranks)
    {
        public int First { get; } = first;
        public int[] ChildStart { get; } = childStart;
        public int[] Children { get; } = children;
        public int[] Order { get; } = order;
        public long[] Ranks { get; } = ranks;
        public long LengthUs { get; set; }
        public int Left { get; set; } = order.Length;
    }
}
