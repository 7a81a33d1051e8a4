// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Scheduler.Decisions;

namespace Muster.Simulator;

/// <summary>
/// Tasks to run, as columns: when each arrives, how long it takes at speed 1, what it needs, and whose children it
/// waits for. Times are in microseconds from the first arrival. Does not change once it is made.
/// </summary>
internal sealed class Workload
{
    public required string Name { get; init; }

    public required long[] DurationUs { get; init; }

    public required long[] ArrivalUs { get; init; }

    /// <summary>What each task runs, as an index into <see cref="HandlerNames"/>.</summary>
    public required int[] Handler { get; init; }

    public required IReadOnlyList<string> HandlerNames { get; init; }

    /// <summary>What each task needs, as an index into <see cref="Needs"/>.</summary>
    public required int[] Need { get; init; }

    public required IReadOnlyList<Resources> Needs { get; init; }

    public required int[] Members { get; init; }

    public required int[] User { get; init; }

    /// <summary>Numbers that durations may grow with; 0 where there is none.</summary>
    public required float[] Hint { get; init; }

    /// <summary>The longest that the user said; 0 where nothing was said.</summary>
    public required long[] LimitUs { get; init; }

    /// <summary>Children of task t: from <c>ChildStart[t]</c> to <c>ChildStart[t + 1]</c>.</summary>
    public required int[] ChildStart { get; init; }

    public required int[] Children { get; init; }

    /// <summary>Names of tasks for pictures; null when they have none.</summary>
    public IReadOnlyList<string>? TaskNames { get; init; }

    /// <summary>Workers that the file says the log was made on; empty when it does not say.</summary>
    public IReadOnlyList<WorkerShape> Machines { get; init; } = [];

    /// <summary>Tasks shorter than this count as this long when slowdowns are counted.</summary>
    public long SlowdownBoundUs { get; init; } = 10_000;

    public int Count => DurationUs.Length;

    public bool IsGraph => Children.Length > 0;

    /// <summary>Work of all tasks: slots times microseconds.</summary>
    public double AreaUs
    {
        get
        {
            var area = 0.0;
            for (var task = 0; task < Count; task++)
            {
                area += (double)DurationUs[task] * SlotsOf(task);
            }

            return area;
        }
    }

    public long SlotsOf(int task) => (long)Needs[Need[task]].Slots * Members[task];

    /// <summary>Most slots that one member of a task needs.</summary>
    public int SlotsMax
    {
        get
        {
            var most = 1;
            foreach (var need in Needs)
            {
                most = Math.Max(most, need.Slots);
            }

            return most;
        }
    }
}
