// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text.Json.Nodes;
using Muster.Simulator;

namespace Muster.Decisions;

/// <summary>Rigid jobs of the folder's logs: p99 of bounded slowdowns against plain EASY.</summary>
internal static class RigidGoal
{
    public static JsonObject Measure(WorkloadFolder folder)
    {
        var result = new JsonObject();
        var worst = 0.0;
        foreach (var log in folder.Logs)
        {
            var own = Slowdowns(log, "backfill");
            var easy = Slowdowns(log, "easy");
            var shared = Slowdowns(log, "adaptive");
            var ratio = Figures.Quantile(own, 0.99) / Figures.Quantile(easy, 0.99);
            worst = Math.Max(worst, ratio);
            Console.WriteLine(
                $"G10 {log.Name,-28} p99 {Figures.Quantile(own, 0.99):F1} easy {Figures.Quantile(easy, 0.99):F1}; "
                + $"mean {own.Average():F1} easy {easy.Average():F1}; max {own[^1]:F0} easy {easy[^1]:F0}");
            result[log.Name] = Figures.Round(ratio);
            result[log.Name + "_adaptive"] = Figures.Round(
                Figures.Quantile(shared, 0.99) / Figures.Quantile(easy, 0.99));
        }

        result["worst"] = Figures.Round(worst);
        return result;
    }

    private static double[] Slowdowns(Workload log, string policy)
    {
        var workers = log.Machines.Count > 0
            ? log.Machines
            : [new(new((int)Enumerable.Range(0, log.Count).Max(log.SlotsOf)))];
        var run = Simulation.Run(log, new() { Workers = workers, Policy = policy });
        return Enumerable.Range(0, log.Count)
            .Select(task => Math.Max(
                1, (double)(run.EndUs[task] - run.ReadyUs[task])
                    / Math.Max(log.DurationUs[task], log.SlowdownBoundUs)))
            .Order().ToArray();
    }
}
