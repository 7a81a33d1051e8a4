// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Scheduler.Decisions;
using Muster.Simulator;

namespace Muster.Decisions;

/// <summary>A workflow on a number of slots, and the bound that its makespan is measured by.</summary>
internal sealed record Case(Workload Workload, string At, int Slots, double BoundUs)
{
    public static readonly string[] Sizes = ["8", "64", "512", "knee"];

    public bool IsKnee => At == "knee";

    /// <summary>That many workers of one slot, of these speeds in turn.</summary>
    public static IReadOnlyList<WorkerShape> Workers(int slots, params double[] speeds) =>
        [.. Enumerable.Range(0, slots)
            .Select(each => new WorkerShape(new(1), speeds.Length == 0 ? 1 : speeds[each % speeds.Length]))];

    /// <summary>Makespan over the bound.</summary>
    public double Ratio(SimulationOptions options) =>
        Simulation.Run(Workload, options with { Workers = Workers(Slots) }).MakespanUs / BoundUs;

    public double Ratio(string policy, bool knows, ClassModels? models = null) => Ratio(new()
    {
        Workers = [],
        Policy = policy,
        KnowsDurations = knows,
        UsesHints = models is not null,
        Models = models,
    });
}
