// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;
using Muster.Scheduler.Decisions;
using Muster.Simulator;

namespace Muster.Decisions;

/// <summary>
/// Independent tasks at load 0.8: bounded slowdowns of what was learned against exact shortest-first and one queue.
/// Durations are those of the folder's invocations, drawn anew by function, and two heavy-tailed mixes of classes.
/// </summary>
internal static class LooseGoal
{
    private const int Tasks = 60_000;
    private const double Load = 0.8;

    public static JsonObject Measure(WorkloadFolder folder)
    {
        var result = new JsonObject();
        var worst99 = 0.0;
        var worst999 = 0.0;
        foreach (var slots in (int[])[8, 64])
        {
            foreach (var (name, draw) in Mixes(folder))
            {
                var workload = Stream(name, draw, slots);
                var exact = Slowdowns(workload, slots, "shortest", knows: true);
                var learned = Slowdowns(workload, slots, "adaptive", knows: false);
                var fifo = Slowdowns(workload, slots, "fifo", knows: false);
                var ratio99 = Figures.Quantile(learned, 0.99) / Figures.Quantile(exact, 0.99);
                var ratio999 = Figures.Quantile(learned, 0.999) / Figures.Quantile(fifo, 0.999);
                worst99 = Math.Max(worst99, ratio99);
                worst999 = Math.Max(worst999, ratio999);
                Console.WriteLine(
                    $"G4 {name,-12} {slots,4} slots: p99 learned {Figures.Quantile(learned, 0.99):F2} exact "
                    + $"{Figures.Quantile(exact, 0.99):F2} fifo {Figures.Quantile(fifo, 0.99):F2}; p99.9 learned "
                    + $"{Figures.Quantile(learned, 0.999):F2} fifo {Figures.Quantile(fifo, 0.999):F2}");
                result[$"{name}_{slots}_p99"] = Figures.Round(ratio99);
                result[$"{name}_{slots}_p999_over_fifo"] = Figures.Round(ratio999);
            }
        }

        result["worst"] = Figures.Round(worst99);
        result["worst_p999_over_fifo"] = Figures.Round(worst999);
        return result;
    }

    /// <summary>Sorted bounded slowdowns; the first tenth, which fills the cell and the models, is left out.</summary>
    private static double[] Slowdowns(Workload workload, int slots, string policy, bool knows)
    {
        var run = Simulation.Run(workload, new()
        {
            Workers = Case.Workers(slots), Policy = policy, KnowsDurations = knows, UsesHints = false,
        });
        return Enumerable.Range(workload.Count / 10, workload.Count - (workload.Count / 10))
            .Select(task => Math.Max(
                1, (double)(run.EndUs[task] - run.ReadyUs[task])
                    / Math.Max(workload.DurationUs[task], workload.SlowdownBoundUs)))
            .Order().ToArray();
    }

    private static Workload Stream(string name, Func<RandomStream, (int Class, double Us)> draw, int slots)
    {
        var random = new RandomStream(7);
        var builder = new WorkloadBuilder();
        var drawn = new (int Class, double Us)[Tasks];
        for (var task = 0; task < Tasks; task++)
        {
            drawn[task] = draw(random);
        }

        var gap = drawn.Average(each => each.Us) / (slots * Load);
        var at = 0.0;
        foreach (var (number, us) in drawn)
        {
            at += gap * random.Exponential();
            builder.Add($"class {number}", Math.Max(1, (long)us), new Resources(1), (long)at);
        }

        return builder.TryBuild(name, boundUs: 10_000, [], out _)!;
    }

    private static IEnumerable<(string Name, Func<RandomStream, (int Class, double Us)> Draw)> Mixes(
        WorkloadFolder folder)
    {
        // Few long classes carry most of the work; inside a class durations differ by a factor of 1.3 or 2.7.
        yield return ("narrow", random => Mixed(random, spread: 0.25));
        yield return ("wide", random => Mixed(random, spread: 1));
        foreach (var stream in folder.Streams)
        {
            yield return (stream.Name, random =>
            {
                var task = random.Next(stream.Count);
                return (stream.Handler[task], stream.DurationUs[task] * Math.Exp(0.25 * random.Normal()));
            });
        }
    }

    private static (int Class, double Us) Mixed(RandomStream random, double spread)
    {
        var number = random.Next(64);

        // Means from 10 ms up, Pareto with index 1.1 by class, cut at 1,000 s.
        var mean = Math.Min(10_000 * Math.Pow((number + 0.5) / 64, -1 / 0.4), 1e9);
        return (number, mean * Math.Exp((spread * random.Normal()) - (spread * spread / 2)));
    }
}
