// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Simulator.Bounds;

/// <summary>
/// What no schedule can beat: the longest chain, all work over all slots, and the energetic bound, which asks for every
/// span of time how much work has to lie in it. In microseconds. With unlike speeds the first is taken at the highest
/// speed, the second over the sum of speeds, and the third is their best combination over heads and tails.
/// </summary>
internal sealed class LowerBounds
{
    private LowerBounds(double chainUs, double areaUs, double energeticUs, bool isEnergeticKnown)
    {
        CriticalPathUs = chainUs;
        AreaUs = areaUs;
        EnergeticUs = energeticUs;
        IsEnergeticKnown = isEnergeticKnown;
    }

    public double CriticalPathUs { get; }

    public double AreaUs { get; }

    /// <summary>At least as high as the other two.</summary>
    public double EnergeticUs { get; }

    /// <summary>False when there are too many tasks to count it; then it is the higher of the other two.</summary>
    public bool IsEnergeticKnown { get; }

    public double BestUs => EnergeticUs;

    public static LowerBounds Of(Workload workload, System.Collections.Generic.IReadOnlyList<WorkerShape> workers)
    {
        var slots = 0.0;
        var rate = 0.0;
        var fastest = 0.0;
        var slowest = double.MaxValue;
        foreach (var worker in workers)
        {
            slots += worker.Has.Slots;
            rate += worker.Has.Slots * worker.Speed;
            fastest = Math.Max(fastest, worker.Speed);
            slowest = Math.Min(slowest, worker.Speed);
        }

        var chains = new Chains(workload, fastest);
        var area = 0.0;
        foreach (var task in chains.Tasks)
        {
            area += task.LengthUs * task.Slots;
        }

        var areaUs = area * fastest / rate;
        var bestUs = Math.Max(chains.LongestUs, areaUs);
        var isKnown = workload.Count <= EnergeticBound.TasksMax;
        var energeticUs = !isKnown ? bestUs
            : fastest == slowest ? EnergeticBound.Of(chains.Tasks, slots, bestUs)
            : Math.Max(bestUs, SpeedBound.Of(chains.Tasks, workers));
        return new(chains.LongestUs, areaUs, energeticUs, isKnown);
    }
}
