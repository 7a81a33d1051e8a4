// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Simulator.Bounds;

/// <summary>Heads and tails of all tasks: the longest chains that lead to them and away from them.</summary>
internal sealed class Chains
{
    public Chains(Workload workload, double speed)
    {
        var order = Order(workload);
        var heads = new double[workload.Count];
        var tails = new double[workload.Count];
        Tasks = new ChainTask[workload.Count];
        foreach (var task in order)
        {
            heads[task] = Math.Max(heads[task], workload.ArrivalUs[task]);
            var end = heads[task] + (workload.DurationUs[task] / speed);
            for (var edge = workload.ChildStart[task]; edge < workload.ChildStart[task + 1]; edge++)
            {
                heads[workload.Children[edge]] = Math.Max(heads[workload.Children[edge]], end);
            }
        }

        for (var at = order.Length - 1; at >= 0; at--)
        {
            var task = order[at];
            for (var edge = workload.ChildStart[task]; edge < workload.ChildStart[task + 1]; edge++)
            {
                var child = workload.Children[edge];
                tails[task] = Math.Max(tails[task], tails[child] + (workload.DurationUs[child] / speed));
            }

            Tasks[task] = new(heads[task], workload.DurationUs[task] / speed, tails[task], workload.SlotsOf(task));
            LongestUs = Math.Max(LongestUs, heads[task] + (workload.DurationUs[task] / speed) + tails[task]);
        }
    }

    public ChainTask[] Tasks { get; }

    public double LongestUs { get; }

    private static int[] Order(Workload workload)
    {
        var parents = new int[workload.Count];
        foreach (var child in workload.Children)
        {
            parents[child]++;
        }

        var order = new int[workload.Count];
        var placed = 0;
        for (var task = 0; task < workload.Count; task++)
        {
            if (parents[task] == 0)
            {
                order[placed++] = task;
            }
        }

        for (var at = 0; at < placed; at++)
        {
            for (var edge = workload.ChildStart[order[at]]; edge < workload.ChildStart[order[at] + 1]; edge++)
            {
                if (--parents[workload.Children[edge]] == 0)
                {
                    order[placed++] = workload.Children[edge];
                }
            }
        }

        return order;
    }
}
