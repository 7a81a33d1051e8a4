// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;

namespace Muster.Simulator.Bounds;

/// <summary>
/// Unlike speeds. Of all tasks with at least some head and some tail, the k largest need at least the k fastest slots
/// between them; and before and after all of them lie that head and that tail. True for every head, tail and k.
/// </summary>
internal static class SpeedBound
{
    private const int ThresholdsMax = 60;

    public static double Of(ChainTask[] tasks, IReadOnlyList<WorkerShape> workers)
    {
        var speeds = workers.SelectMany(worker => Enumerable.Repeat(worker.Speed, worker.Has.Slots))
            .OrderDescending().ToArray();
        var fastest = speeds[0];
        var bySize = tasks.OrderByDescending(task => task.LengthUs).ToArray();
        var best = 0.0;
        foreach (var head in Thresholds(tasks, task => task.HeadUs))
        {
            foreach (var tail in Thresholds(tasks, task => task.TailUs))
            {
                best = Math.Max(best, head + tail + Least(bySize, head, tail, speeds, fastest));
            }
        }

        return best;
    }

    private static double Least(ChainTask[] bySize, double head, double tail, double[] speeds, double fastest)
    {
        var work = 0.0;
        var rate = 0.0;
        var best = double.MinValue;
        var taken = 0;
        foreach (var task in bySize)
        {
            if (task.HeadUs < head || task.TailUs < tail)
            {
                continue;
            }

            // Lengths are at the highest speed.
            work += task.LengthUs * fastest * task.Slots;
            for (var slot = 0; slot < task.Slots && taken < speeds.Length; slot++)
            {
                rate += speeds[taken++];
            }

            best = Math.Max(best, work / rate);
        }

        return best;
    }

    private static double[] Thresholds(ChainTask[] tasks, Func<ChainTask, double> of)
    {
        var values = tasks.Select(of).Distinct().Order().ToArray();
        var step = Math.Max(1, values.Length / ThresholdsMax);
        return values.Where((_, at) => at % step == 0).ToArray();
    }
}
