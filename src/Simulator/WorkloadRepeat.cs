// SPDX-License-Identifier: Apache-2.0
using System.Linq;

namespace Muster.Simulator;

/// <summary>A workload several times over, all at once: more of the same, to see what scale does.</summary>
internal static class WorkloadRepeat
{
    public static Workload Of(Workload one, int times)
    {
        var children = new int[one.Children.Length * times];
        var childStart = new int[(one.Count * times) + 1];
        for (var copy = 0; copy < times; copy++)
        {
            for (var edge = 0; edge < one.Children.Length; edge++)
            {
                children[(copy * one.Children.Length) + edge] = one.Children[edge] + (copy * one.Count);
            }

            for (var task = 0; task <= one.Count; task++)
            {
                childStart[(copy * one.Count) + task] = one.ChildStart[task] + (copy * one.Children.Length);
            }
        }

        return new()
        {
            Name = one.Name,
            DurationUs = Repeat(one.DurationUs, times),
            ArrivalUs = Repeat(one.ArrivalUs, times),
            Handler = Repeat(one.Handler, times),
            HandlerNames = one.HandlerNames,
            Need = Repeat(one.Need, times),
            Needs = one.Needs,
            Members = Repeat(one.Members, times),
            User = Repeat(one.User, times),
            Hint = Repeat(one.Hint, times),
            LimitUs = Repeat(one.LimitUs, times),
            ChildStart = childStart,
            Children = children,
            Machines = one.Machines,
            SlowdownBoundUs = one.SlowdownBoundUs,
        };
    }

    private static T[] Repeat<T>(T[] one, int times)
    {
        var all = new T[one.Length * times];
        foreach (var copy in Enumerable.Range(0, times))
        {
            one.CopyTo(all, copy * one.Length);
        }

        return all;
    }
}
