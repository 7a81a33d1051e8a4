// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Shared.Cells;

namespace Muster.Load;

/// <summary>
/// W3: tasks are due on a fixed schedule whether or not earlier ones have come back, and each latency counts from the
/// moment the task was due, so a stall is seen by every task that it delayed.
/// </summary>
internal static class OpenLoop
{
    private static readonly int[] s_rates = [1_000, 10_000, 100_000];

    // Tasks due within one such step are submitted together, each late by what is left of it, which its latency holds.
    private const double StepUs = 50;

    private sealed record Rate(int PerSecond, Spread P50, Spread P99, Spread CpuUs, List<PerTask> Costs);

    public static async Task RunAsync(LoadOptions options)
    {
        var rounds = options.Rounds > 0 ? options.Rounds : 3;
        var workers = options.Workers > 0 ? options.Workers : 2;
        Console.WriteLine(
            $"W3, durability {options.Durability}: {rounds} rounds of {options.Seconds} s at each rate, "
            + $"{workers} workers");
        await using var cell = await LoadWorker.StartCellAsync(workers, options);
        await using var client = MusterClient.Connect(cell.Address);
        await RunRateAsync(client, 10_000, 2);

        using var arena = CellArena.Open(cell);
        var floor = Relay.Measure(5_000, overTcp: true);
        var rates = new List<Rate>();
        foreach (var perSecond in options.PerSecond > 0 ? [options.PerSecond] : s_rates)
        {
            rates.Add(await MeasureAsync(cell, arena, client, perSecond, rounds, options.Seconds));
        }

        var last = rates[^1];
        var syscalls = await SyscallCounts.MeasureAsync(
            cell, last.PerSecond * options.Seconds, () => RunRateAsync(client, last.PerSecond, options.Seconds));
        var steps = await StepTimes.MeasureAsync(
            cell, options, () => RunRateAsync(client, last.PerSecond, options.Seconds));
        Console.WriteLine($"  of tasks by single calls beside them, us: "
            + string.Join(", ", steps.Select(static step => $"{step.Key} {step.Value:F0}")));
        Figures.Keep(new
        {
            workload = "W3",
            durability = options.Durability,
            path = LoadWorker.Path,
            per_s = last.PerSecond,
            tasks = last.PerSecond * options.Seconds,
            p50_us = last.P50.Median,
            p50_us_min = last.P50.Min,
            p50_us_max = last.P50.Max,
            p99_us = last.P99.Median,
            p99_us_min = last.P99.Min,
            p99_us_max = last.P99.Max,
            floor_p50_us = Math.Round(floor.Percentile(0.50), 1),
            floor_p99_us = Math.Round(floor.Percentile(0.99), 1),
            cpu_us_per_task = last.CpuUs.Median,
            cpu_us_per_task_min = last.CpuUs.Min,
            cpu_us_per_task_max = last.CpuUs.Max,
            cpu_us_per_task_of = PerTask.Medians(last.Costs, static cost => cost.CpuUs, 2),
            fsyncs_per_task = Spread.Of([.. last.Costs.Select(static cost => cost.JournalFlushes)], 5).Median,
            syscalls_per_task_of = syscalls,
            sleeps_per_task_of = PerTask.Medians(last.Costs, static cost => cost.Sleeps, 4),
            step_us = steps,
            rates = rates.Select(static rate => new
            {
                per_s = rate.PerSecond,
                p50_us = rate.P50.Median,
                p99_us = rate.P99.Median,
                cpu_us_per_task = rate.CpuUs.Median,
            }),
        });
    }

    private static async Task<Rate> MeasureAsync(
        CellProcesses cell, ArenaMap arena, MusterClient client, int perSecond, int rounds, int seconds)
    {
        var p50 = new List<double>();
        var p99 = new List<double>();
        var costs = new List<PerTask>();
        for (var round = 1; round <= rounds; round++)
        {
            var before = CellUse.Now(cell, arena);
            var recorder = await RunRateAsync(client, perSecond, seconds);
            costs.Add(CellUse.Now(cell, arena).Since(before, (double)perSecond * seconds));
            p50.Add(recorder.Percentile(0.50));
            p99.Add(recorder.Percentile(0.99));
            Console.WriteLine($"  {perSecond,7:N0}/s round {round}: p50 {p50[^1],9:F0} us, p99 {p99[^1],9:F0} us; "
                + $"CPU us per task: {costs[^1]}");
        }

        return new(
            perSecond,
            Spread.Of(p50, 1),
            Spread.Of(p99, 1),
            Spread.Of([.. costs.Select(static cost => cost.CpuUsOfAll)], 2),
            costs);
    }

    private static async Task<LatencyRecorder> RunRateAsync(MusterClient client, int perSecond, int seconds)
    {
        ReadOnlyMemory<byte> payload = new byte[100];
        var recorder = new LatencyRecorder();
        var total = perSecond * seconds;
        var open = total;
        var done = new TaskCompletionSource();
        var start = Stopwatch.GetTimestamp();
        await Task.Factory.StartNew(
            () =>
            {
                var ticksPerTask = (double)Stopwatch.Frequency / perSecond;
                var together = Math.Max(1, (int)(perSecond * StepUs / 1e6));
                Pace.Begin();
                for (var n = 0; n < total; n++)
                {
                    if (n % together == 0)
                    {
                        Pace.Until(start + (long)(Math.Min(n + together, total) * ticksPerTask));
                    }

                    _ = RunOneAsync(start + (long)((n + 1) * ticksPerTask));
                }
            },
            TaskCreationOptions.LongRunning);
        await done.Task.WaitAsync(TimeSpan.FromSeconds(seconds + 120));
        return recorder;

        async Task RunOneAsync(long due)
        {
            try
            {
                await client.RunAsync(LoadWorker.NoOp, payload);
                recorder.Add(LatencyRecorder.MicrosecondsSince(due));
            }
            catch (Exception error)
            {
                done.TrySetException(error);
            }

            if (Interlocked.Decrement(ref open) == 0)
            {
                done.TrySetResult();
            }
        }
    }
}
