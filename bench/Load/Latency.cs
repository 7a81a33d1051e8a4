// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading.Tasks;

namespace Muster.Load;

/// <summary>W2: latency with one task in flight, beside a bare relay measured in the same minute.</summary>
internal static class Latency
{
    public static async Task RunAsync(LoadOptions options)
    {
        var tasks = options.Tasks > 0 ? options.Tasks : 5_000;
        var rounds = options.Rounds > 0 ? options.Rounds : 3;
        var workers = options.Workers > 0 ? options.Workers : 2;
        Console.WriteLine(
            $"W2, durability {options.Durability}: {rounds} rounds of {tasks:N0} tasks, one in flight, "
            + $"{workers} workers");
        await using var cell = await LoadWorker.StartCellAsync(workers, options);
        await using var client = MusterClient.Connect(cell.Address);
        await MeasureAsync(client, 1_000);

        var p50 = new List<double>();
        var p99 = new List<double>();
        var floor50 = new List<double>();
        var floor99 = new List<double>();
        var unix50 = new List<double>();
        using var arena = CellArena.Open(cell);
        var costs = new List<PerTask>();
        for (var round = 1; round <= rounds; round++)
        {
            var floor = Relay.Measure(tasks, overTcp: true);
            var unix = Relay.Measure(tasks, overTcp: false);
            var before = CellUse.Now(cell, arena);
            var recorder = await MeasureAsync(client, tasks);
            costs.Add(CellUse.Now(cell, arena).Since(before, tasks));
            p50.Add(recorder.Percentile(0.50));
            p99.Add(recorder.Percentile(0.99));
            floor50.Add(floor.Percentile(0.50));
            floor99.Add(floor.Percentile(0.99));
            unix50.Add(unix.Percentile(0.50));
            Console.WriteLine(
                $"  round {round}: p50 {p50[^1],7:F0} us, p99 {p99[^1],7:F0} us; "
                + $"bare relay over TCP p50 {floor50[^1],6:F0} us, p99 {floor99[^1],6:F0} us, "
                + $"over Unix sockets p50 {unix50[^1],6:F0} us");
        }

        var cpu = Spread.Of([.. costs.Select(cost => cost.CpuUsOfAll)], 2);
        var syscalls = await SyscallCounts.MeasureAsync(cell, tasks, () => MeasureAsync(client, tasks));
        Figures.Keep(new
        {
            workload = "W2",
            durability = options.Durability,
            path = LoadWorker.Path,
            tasks,
            p50_us = Spread.Of(p50, 1).Median,
            p50_us_min = Spread.Of(p50, 1).Min,
            p50_us_max = Spread.Of(p50, 1).Max,
            p99_us = Spread.Of(p99, 1).Median,
            p99_us_min = Spread.Of(p99, 1).Min,
            p99_us_max = Spread.Of(p99, 1).Max,
            floor_p50_us = Spread.Of(floor50, 1).Median,
            floor_p99_us = Spread.Of(floor99, 1).Median,
            floor_unix_p50_us = Spread.Of(unix50, 1).Median,
            cpu_us_per_task = cpu.Median,
            cpu_us_per_task_min = cpu.Min,
            cpu_us_per_task_max = cpu.Max,
            cpu_us_per_task_of = PerTask.Medians(costs, static cost => cost.CpuUs, 2),
            fsyncs_per_task = Spread.Of([.. costs.Select(static cost => cost.JournalFlushes)], 3).Median,
            syscalls_per_task_of = syscalls,
            sleeps_per_task_of = PerTask.Medians(costs, static cost => cost.Sleeps, 3),
        });
    }

    public static async Task<LatencyRecorder> MeasureAsync(MusterClient client, int tasks)
    {
        ReadOnlyMemory<byte> payload = new byte[100];
        var recorder = new LatencyRecorder();
        for (var n = 0; n < tasks; n++)
        {
            var start = Stopwatch.GetTimestamp();
            await client.RunAsync(LoadWorker.NoOp, payload);
            recorder.Add(LatencyRecorder.MicrosecondsSince(start));
        }

        return recorder;
    }
}
