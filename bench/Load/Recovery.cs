// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Shared.Cells;

namespace Muster.Load;

/// <summary>
/// W8: how soon a role is back in service after kill -9 with many tasks queued (from the kill until a task submitted
/// after it has its result), and how long a PLM takes to put a whole journal into a new arena (from the start of its
/// process until it serves, less the same for an empty cell).
/// </summary>
internal static class Recovery
{
    private const int QueuedTasks = 100_000;
    private const int PerSession = 200_000;

    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_absent =
        TaskType.Bytes("bench.absent");

    public static async Task RunAsync(LoadOptions options)
    {
        var replayed = options.Tasks > 0 ? options.Tasks : 1_000_000;
        var rounds = options.Rounds > 0 ? options.Rounds : 10;
        var queued = options.Queued > 0 ? options.Queued : QueuedTasks;
        Console.WriteLine($"W8, durability {options.Durability}: {rounds} kills of each role with {queued:N0} "
            + $"tasks queued, then the replay of {replayed:N0}");
        var cases = new Dictionary<string, object>();
        var all = await KillRolesAsync(options, rounds, queued, cases);
        var replayMs = options.Durability == "memory" ? null : await ReplayAsync(options, replayed);
        Figures.KeepLine(JsonSerializer.Serialize(new
        {
            workload = "W8",
            durability = options.Durability,
            tasks = queued,
            recovery_p50_ms = Percentile(all, 0.5),
            recovery_p99_ms = Percentile(all, 0.99),
            cases,
            replay_tasks = replayed,
            replay_ms = replayMs?.Median,
            replay_ms_max = replayMs?.Max,
        }));
    }

    private static async Task<List<double>> KillRolesAsync(
        LoadOptions options, int rounds, int queued, Dictionary<string, object> cases)
    {
        await using var cell = await StartAsync(options, queued + 1_000);
        cell.StartWorker(Environment.ProcessPath!, "worker", "--address", cell.Address);
        await using var probe = MusterClient.Connect(cell.Address);
        await probe.RunAsync(LoadWorker.Trace, TraceFlow.Payload(-1));
        await using var filler = new Filler(cell.Address);
        await filler.FillAsync(queued);
        var all = new List<double>();
        foreach (var role in CellProcesses.Roles)
        {
            List<double> times = [], gone = [], ready = [];
            for (var round = 0; round < rounds; round++)
            {
                var start = Stopwatch.GetTimestamp();
                await cell.KillRoleAsync(role);
                gone.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                await cell.StartRoleAsync(role);
                ready.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                await probe.RunAsync(LoadWorker.Trace, TraceFlow.Payload(round));
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            all.AddRange(times);
            cases[role] = new
            {
                p50_ms = Percentile(times, 0.5),
                p99_ms = Percentile(times, 0.99),
                gone_p50_ms = Percentile(gone, 0.5),
                ready_p50_ms = Percentile(ready, 0.5),
            };
            Console.WriteLine($"  {role,-10} p50 {Percentile(times, 0.5):N0} ms, p99 {Percentile(times, 0.99):N0} ms; "
                + $"its process gone after {Percentile(gone, 0.5):N0}, the next ready after "
                + $"{Percentile(ready, 0.5):N0} ms");
        }

        return all;
    }

    private static async Task<(double Median, double Max)?> ReplayAsync(LoadOptions options, int tasks)
    {
        var times = new List<double>();
        await using var cell = await StartAsync(options, tasks + 1_000);
        var emptyMs = await RestartMsAsync(cell);
        await using var filler = new Filler(cell.Address);
        await filler.FillAsync(tasks);
        for (var round = 0; round < 3; round++)
        {
            var wholeMs = await RestartMsAsync(cell);
            var queued = QueuedNow(cell);
            if (queued != (ulong)tasks)
            {
                throw new InvalidOperationException($"{queued} of {tasks} tasks came back");
            }

            times.Add(Math.Round(wholeMs - emptyMs));
            Console.WriteLine($"  replay of {tasks:N0} tasks: {times[^1]:N0} ms (the process itself {emptyMs:N0} ms)");
        }

        return (Throughput.Median(times), times.Max());
    }

    // All roles die, the arena goes as at a reboot, and the PLM comes back.
    private static async Task<double> RestartMsAsync(CellProcesses cell)
    {
        foreach (var role in CellProcesses.Roles)
        {
            await cell.KillRoleAsync(role);
        }

        ArenaFile.Remove(cell.Name);
        var start = Stopwatch.GetTimestamp();
        await cell.StartRoleAsync("plm");
        var ms = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        await cell.StartRoleAsync("scheduler");
        await cell.StartRoleAsync("register");
        return ms;
    }

    private static ulong QueuedNow(CellProcesses cell)
    {
        var fault = ArenaFile.Attach(cell.Name, readOnly: true, out var arena);
        if (!fault.IsNone)
        {
            throw new InvalidOperationException(fault.Message);
        }

        using (arena)
        {
            return arena!.Counter(CellCounter.TasksNow);
        }
    }

    private static Task<CellProcesses> StartAsync(LoadOptions options, int tasks) => CellProcesses.StartAsync(
        "--durability", options.Durability, "--tasks-max", $"{2 * tasks}", "--payload-bytes-max", "512M");

    /// <summary>So many tasks are accepted, and no worker offers their handler.</summary>
    public static async Task FillAsync(MusterClient client, int tasks, Durability level = Durability.CellDefault)
    {
        const int AtOnce = 10_000;
        var options = new SubmitOptions { Durability = level };
        for (var done = 0; done < tasks; done += AtOnce)
        {
            await Task.WhenAll(Enumerable.Range(done, Math.Min(AtOnce, tasks - done))
                .Select(n => client.SubmitAsync(s_absent, TraceFlow.Payload(n), options)));
        }
    }

    /// <summary>Clients with as many tasks as one session may have each.</summary>
    private sealed class Filler(string address) : IAsyncDisposable
    {
        private readonly List<MusterClient> _clients = [];

        public async Task FillAsync(int tasks)
        {
            for (var left = tasks; left > 0; left -= PerSession)
            {
                _clients.Add(MusterClient.Connect(address));
                await Recovery.FillAsync(_clients[^1], Math.Min(left, PerSession));
            }
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var client in _clients)
            {
                await client.DisposeAsync();
            }
        }
    }

    private static double Percentile(List<double> values, double fraction)
    {
        var sorted = values.Order().ToList();
        return Math.Round(sorted[Math.Min(sorted.Count - 1, (int)(fraction * sorted.Count))]);
    }
}
