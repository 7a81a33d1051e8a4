// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Load;

/// <summary>
/// W3: tasks are due on a fixed schedule whether or not earlier ones have come back, and each latency counts from the
/// moment the task was due, so a stall is seen by every task that it delayed.
/// </summary>
internal static class OpenLoop
{
    private static readonly int[] s_rates = [1_000, 10_000, 100_000];

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

        var rates = new List<object>();
        Spread last50 = default, last99 = default, cpuUs = default;
        using var arena = CellArena.Open(cell);
        PerTask cost = null!;
        var floor = Relay.Measure(5_000, overTcp: true);
        foreach (var rate in s_rates)
        {
            var p50 = new List<double>();
            var p99 = new List<double>();
            var cpu = new List<double>();
            for (var round = 1; round <= rounds; round++)
            {
                var before = CellUse.Now(cell, arena);
                var recorder = await RunRateAsync(client, rate, options.Seconds);
                cost = CellUse.Now(cell, arena).Since(before, (double)rate * options.Seconds);
                cpu.Add(cost.CpuUsOfAll);
                p50.Add(recorder.Percentile(0.50));
                p99.Add(recorder.Percentile(0.99));
                Console.WriteLine($"  {rate,7:N0}/s round {round}: p50 {p50[^1],9:F0} us, p99 {p99[^1],9:F0} us");
            }

            (last50, last99) = (Spread.Of(p50, 1), Spread.Of(p99, 1));
            cpuUs = Spread.Of(cpu, 2);
            rates.Add(new
            {
                per_s = rate,
                p50_us = last50.Median,
                p99_us = last99.Median,
                cpu_us_per_task = cpuUs.Median,
            });
        }

        Figures.Print(new
        {
            workload = "W3",
            durability = options.Durability,
            tasks = s_rates[^1] * options.Seconds,
            p50_us = last50.Median,
            p50_us_min = last50.Min,
            p50_us_max = last50.Max,
            p99_us = last99.Median,
            p99_us_min = last99.Min,
            p99_us_max = last99.Max,
            floor_p50_us = Math.Round(floor.Percentile(0.50), 1),
            floor_p99_us = Math.Round(floor.Percentile(0.99), 1),
            cpu_us_per_task = cpuUs.Median,
            cpu_us_per_task_of = cost.CpuUs,
            rates,
        });
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
                using var pause = new ManualResetEventSlim();
                for (var n = 0; n < total; n++)
                {
                    var due = start + (long)(n * ticksPerTask);
                    for (var ahead = due - Stopwatch.GetTimestamp(); ahead > 0; ahead = due - Stopwatch.GetTimestamp())
                    {
                        // Long gaps are slept through, so that the generator does not take a core from the cell.
                        if (ahead > Stopwatch.Frequency / 5_000)
                        {
                            pause.Wait(TimeSpan.FromTicks(ahead * TimeSpan.TicksPerSecond / Stopwatch.Frequency));
                        }
                        else
                        {
                            Thread.Yield();
                        }
                    }

                    _ = RunOneAsync(due);
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
