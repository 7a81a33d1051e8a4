// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Shared.Cells;

namespace Muster.Load;

/// <summary>W1: tasks per second from submit to result at the client: 100-byte payload, 32-byte result, no-op
/// handler.</summary>
internal static class Throughput
{
    // Fewer of large payloads, so that they fit into an arena of the default size.
    private const int InFlight = 20_000;
    private const long InFlightBytes = 32 << 20;

    private sealed record Round(double PerSecond, PerTask Cost, double ClientBytes, double WorkerBytes);

    public static async Task RunAsync(LoadOptions options)
    {
        var tasks = options.Tasks > 0 ? options.Tasks : 500_000;
        var rounds = options.Rounds > 0 ? options.Rounds : 3;
        var workers = options.Workers > 0 ? options.Workers : 2;
        Console.WriteLine(
            $"W1, durability {options.Durability}: {rounds} rounds of {tasks:N0} no-op tasks of "
            + $"{options.PayloadBytes:N0} bytes, {workers} workers");
        await using var cell = await LoadWorker.StartCellAsync(workers, options);
        await using var client = options.IsOverTls ? TlsCell.Connect(cell) : MusterClient.Connect(cell.Address);
        ReadOnlyMemory<byte> payload = new byte[options.PayloadBytes];
        // As many as a round: what the compiler does in the first seconds is measured by W11.
        await MapAsync(client, payload, tasks);

        using var arena = CellArena.Open(cell);
        var rolesBefore = await Allocations.OfRolesAsync(arena);
        var results = new List<Round>();
        for (var round = 1; round <= rounds; round++)
        {
            results.Add(await MeasureAsync(cell, arena, client, payload, tasks, workers));
            Console.WriteLine(
                $"  round {round}: {results[^1].PerSecond,10:N0} tasks/s; CPU us per task: {results[^1].Cost}");
        }

        var allocated = (await Allocations.OfRolesAsync(arena)).ToDictionary(
            role => role.Key, role => Math.Round((role.Value - rolesBefore[role.Key]) / tasks / rounds, 3));
        var syscalls = await SyscallCounts.MeasureAsync(cell, tasks, () => MapAsync(client, payload, tasks));
        List<PerTask> costs = [.. results.Select(round => round.Cost)];
        var cpu = Spread.Of([.. costs.Select(cost => cost.CpuUsOfAll)], 3);
        allocated["worker"] = Spread.Of([.. results.Select(round => round.WorkerBytes)], 1).Median;
        allocated["client"] = Spread.Of([.. results.Select(round => round.ClientBytes)], 1).Median;
        var rate = Spread.Of([.. results.Select(round => round.PerSecond)]);
        Figures.Keep(new
        {
            workload = "W1",
            durability = options.Durability,
            path = options.IsOverTls ? "mtls" : LoadWorker.Path,
            tasks,
            payload_bytes = options.PayloadBytes,
            tasks_per_s = rate.Median,
            tasks_per_s_min = rate.Min,
            tasks_per_s_max = rate.Max,
            cpu_us_per_task = cpu.Median,
            cpu_us_per_task_min = cpu.Min,
            cpu_us_per_task_max = cpu.Max,
            cpu_us_per_task_of = PerTask.Medians(costs, static cost => cost.CpuUs, 3),
            allocated_bytes_per_task_of = allocated,
            fsyncs_per_task = Spread.Of([.. costs.Select(static cost => cost.JournalFlushes)], 5).Median,
            journal_writes_per_task = Spread.Of([.. costs.Select(static cost => cost.JournalWrites)], 5).Median,
            write_calls_per_task = Spread.Of([.. costs.Select(static cost => cost.FileWrites)], 4).Median,
            syscalls_per_task_of = syscalls,
            sleeps_per_task_of = PerTask.Medians(costs, static cost => cost.Sleeps, 4),
        });
    }

    public static double Median(List<double> values)
    {
        var sorted = values.Order().ToList();
        var middle = sorted.Count / 2;
        return sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static async Task<Round> MeasureAsync(
        CellProcesses cell,
        ArenaMap arena,
        MusterClient client,
        ReadOnlyMemory<byte> payload,
        int tasks,
        int workers)
    {
        var allocated = await Allocations.NowAsync(client, workers);
        var before = CellUse.Now(cell, arena);
        var start = Stopwatch.GetTimestamp();
        await MapAsync(client, payload, tasks);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var cost = CellUse.Now(cell, arena).Since(before, tasks);
        var now = await Allocations.NowAsync(client, workers);
        return new(
            tasks / seconds,
            cost,
            (now.Client - allocated.Client) / tasks,
            (now.Workers - allocated.Workers) / tasks);
    }

    private static async Task MapAsync(MusterClient client, ReadOnlyMemory<byte> payload, int tasks)
    {
        var done = 0;
        var inFlight = (int)Math.Clamp(InFlightBytes / (payload.Length + 1), 64, InFlight);
        var options = new MapOptions { InFlightMax = inFlight };
        await foreach (var _ in client.MapAsync(LoadWorker.NoOp, Enumerable.Repeat(payload, tasks), options))
        {
            done++;
        }

        if (done != tasks)
        {
            throw new InvalidOperationException($"{done} results for {tasks} tasks");
        }
    }
}
