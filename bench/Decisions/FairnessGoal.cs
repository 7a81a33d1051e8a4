// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;
using Muster.Scheduler.Decisions;
using Muster.Simulator;

namespace Muster.Decisions;

/// <summary>
/// Twelve users that always have tasks waiting, on 16 workers of 16 slots and 64 GiB: some want slots, some memory,
/// some half a worker at once. What each had of what it uses most, while all were waiting; and how full the fuller
/// resource was.
/// </summary>
internal static class FairnessGoal
{
    private const int Users = 12;
    private const int Workers = 16;
    private const int SpanUs = 40_000_000;
    private static readonly Resources s_worker = new(16, 65_536);

    public static JsonObject Measure()
    {
        var figures = Enumerable.Range(1, 5).Select(seed => MeasureSeed((ulong)seed)).ToList();
        return new()
        {
            ["jain"] = Figures.Round(figures.Min(each => each.Jain)),
            ["worst"] = Figures.Round(figures.Min(each => each.Worst)),
            ["use"] = Figures.Round(figures.Min(each => each.Use)),
        };
    }

    private static (double Jain, double Worst, double Use) MeasureSeed(ulong seed)
    {
        var random = new RandomStream(seed);
        var builder = new WorkloadBuilder();
        var needs = Enumerable.Range(0, Users).Select(Need).ToArray();
        var means = Enumerable.Range(0, Users).Select(_ => 2e5 * Math.Exp(random.Normal())).ToArray();
        for (var user = 0; user < Users; user++)
        {
            // A third more than an equal share of the whole span, so that nobody runs out.
            var tasks = SpanUs * 3.0 / (means[user] * Dominant(needs[user]) * Users);
            for (var each = 0; each < tasks; each++)
            {
                var us = means[user] * Math.Exp((0.5 * random.Normal()) - 0.125);
                builder.SetUser(
                    builder.Add($"class {user}", Math.Max(1, (long)us), needs[user]), $"user {user}");
            }
        }

        var workload = builder.TryBuild("users", boundUs: 10_000, [], out _)!;
        var run = Simulation.Run(workload, new()
        {
            Workers = [.. Enumerable.Repeat(new WorkerShape(s_worker), Workers)], UsesHints = false,
        });
        return Count(workload, run, needs, seed);
    }

    private static (double Jain, double Worst, double Use) Count(
        Workload workload, SimulationResult run, Resources[] needs, ulong seed)
    {
        // Until the first user has no task waiting any more.
        var lastStart = new long[Users];
        for (var task = 0; task < workload.Count; task++)
        {
            lastStart[workload.User[task]] = Math.Max(lastStart[workload.User[task]], run.StartUs[task]);
        }

        var end = lastStart.Min();
        var had = new double[Users];
        double slots = 0, memory = 0;
        for (var task = 0; task < workload.Count; task++)
        {
            var us = (double)Math.Max(0, Math.Min(end, run.EndUs[task]) - Math.Min(end, run.StartUs[task]));
            var need = needs[workload.User[task]];
            had[workload.User[task]] += us * Dominant(need);
            slots += us * need.Slots / (s_worker.Slots * Workers);
            memory += us * need.MemoryMiB / ((double)s_worker.MemoryMiB * Workers);
        }

        var use = Math.Max(slots, memory) / end;
        var worst = had.Min() / had.Average();
        Console.WriteLine(
            $"G8 seed {seed}: over {end / 1e6:F0} s Jain {Figures.Jain(had):F4}, worst {worst:F4}, slots "
            + $"{slots / end:F4}, memory {memory / end:F4}");
        return (Figures.Jain(had), worst, use);
    }

    private static double Dominant(Resources need) => Math.Max(
        (double)need.Slots / (s_worker.Slots * Workers), need.MemoryMiB / ((double)s_worker.MemoryMiB * Workers));

    // Small and wide, of slots and of memory.
    private static Resources Need(int user) => (user % 6) switch
    {
        0 => new(1, 1_024),
        1 => new(1, 8_192),
        2 => new(2, 4_096),
        3 => new(4, 8_192),
        4 => new(2, 16_384),
        _ => user < 6 ? new(8, 16_384) : new(4, 24_576),
    };
}
