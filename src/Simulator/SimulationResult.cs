// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Simulator;

/// <summary>What happened to every task, as columns. Times are in microseconds from the first arrival.</summary>
internal sealed class SimulationResult
{
    public required Workload Workload { get; init; }

    public required SimulationOptions Options { get; init; }

    public required long[] ReadyUs { get; init; }

    public required long[] StartUs { get; init; }

    public required long[] EndUs { get; init; }

    /// <summary>The worker that ended the task; of a gang, its first.</summary>
    public required int[] Worker { get; init; }

    /// <summary>Tasks in the order of their starts.</summary>
    public required IReadOnlyList<int> Order { get; init; }

    public required long Decisions { get; init; }

    public required long Copies { get; init; }

    /// <summary>Slot time of everything that ran, copies included.</summary>
    public required double BusyUs { get; init; }

    /// <summary>Processor time of the whole simulation, reading and reporting left out.</summary>
    public required double WallSeconds { get; init; }

    public long MakespanUs
    {
        get
        {
            var last = 0L;
            foreach (var end in EndUs)
            {
                last = end > last ? end : last;
            }

            return last;
        }
    }
}
