// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Shared.Cells;

namespace Muster.Load;

/// <summary>
/// W4: a backlog of no-op tasks with 100-byte payloads, queued while there is no worker and then drained by two, at
/// three depths. Queued means: every task is ready, and with a journal flushed as the level promises. The drain counts
/// from the first result, so that the start of the workers does not.
/// </summary>
internal sealed class Backlog(LoadOptions options, CellProcesses cell, ArenaMap arena, int workers)
{
    private const int PerSessionMax = 200_000;
    private const int PayloadBytes = 100;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    // A session may hold half of the cell's tasks, and never more than a limit that this is below.
    private readonly int _perSession = Math.Min(PerSessionMax, (int)arena.Limits.TasksMax / 4);
    private long _results;
    private long _firstResultAt;

    private sealed record Round(double EnqueuedPerSecond, double DrainedPerSecond, double ArenaBytes, double RoleBytes);

    public static async Task RunAsync(LoadOptions options)
    {
        if (options.Memory.Length > 0)
        {
            await SpillBacklog.RunAsync(options);
            return;
        }

        var tasks = options.Tasks > 0 ? options.Tasks : 1_000_000;
        var rounds = options.Rounds > 0 ? options.Rounds : 3;
        var workers = options.Workers > 0 ? options.Workers : 2;
        int[] depths = [.. new[] { tasks / 100, tasks / 10, tasks }.Where(depth => depth >= 1_000)];
        Console.WriteLine($"W4, durability {options.Durability}: {rounds} rounds at {depths.Length} depths up to "
            + $"{tasks:N0} tasks, then {workers} workers");

        // Blocks of 112 bytes hold the payloads, and a fifth more than all of them fits beside what is freed late.
        var bytes = Math.Max(128L << 20, tasks * 135L);
        await using var cell = await CellProcesses.StartAsync(
            "--durability", options.Durability, "--tasks-max", $"{tasks + 10_000}", "--payload-bytes-max", $"{bytes}",
            "--spilled-max", "0");
        using var arena = CellArena.Open(cell);
        var backlog = new Backlog(options, cell, arena, workers);
        await backlog.MeasureAsync(20_000);
        var reports = new List<object>();
        List<Round> deepest = [];
        foreach (var depth in depths)
        {
            deepest = await backlog.RoundsAsync(depth, rounds);
            reports.Add(new
            {
                tasks = depth,
                enqueue_per_s = Spread.Of([.. deepest.Select(round => round.EnqueuedPerSecond)]).Median,
                drain_per_s = Spread.Of([.. deepest.Select(round => round.DrainedPerSecond)]).Median,
            });
        }

        Print(options, tasks, deepest, reports, arena.TotalBytes);
    }

    private static void Print(
        LoadOptions options, int tasks, List<Round> rounds, List<object> depths, long reservedBytes)
    {
        var enqueue = Spread.Of([.. rounds.Select(round => round.EnqueuedPerSecond)]);
        var drain = Spread.Of([.. rounds.Select(round => round.DrainedPerSecond)]);
        var arenaBytes = Spread.Of([.. rounds.Select(round => round.ArenaBytes)], 1).Median;
        var roleBytes = Spread.Of([.. rounds.Select(round => round.RoleBytes)], 1).Median;
        Figures.Keep(new
        {
            workload = "W4",
            durability = options.Durability,
            path = LoadWorker.Path,
            tasks,
            tasks_per_s = Math.Min(enqueue.Median, drain.Median),
            tasks_per_s_min = Math.Min(enqueue.Min, drain.Min),
            tasks_per_s_max = Math.Min(enqueue.Max, drain.Max),
            enqueue_per_s = enqueue.Median,
            enqueue_per_s_min = enqueue.Min,
            enqueue_per_s_max = enqueue.Max,
            drain_per_s = drain.Median,
            drain_per_s_min = drain.Min,
            drain_per_s_max = drain.Max,
            bytes_per_task = Math.Round(arenaBytes + roleBytes, 1),
            arena_bytes_per_task = arenaBytes,
            role_bytes_per_task = roleBytes,
            payload_bytes = PayloadBytes,
            arena_reserved_bytes_per_task = Math.Round((double)reservedBytes / tasks, 1),
            depths,
        });
    }

    private async Task<List<Round>> RoundsAsync(int tasks, int rounds)
    {
        var done = new List<Round>();
        for (var round = 1; round <= rounds; round++)
        {
            done.Add(await MeasureAsync(tasks));
            Console.WriteLine($"  {tasks,10:N0} round {round}: enqueue {done[^1].EnqueuedPerSecond,9:N0}/s, "
                + $"drain {done[^1].DrainedPerSecond,9:N0}/s; bytes a task: arena {done[^1].ArenaBytes:F1}, "
                + $"roles {done[^1].RoleBytes:F1}");
        }

        return done;
    }

    private async Task<Round> MeasureAsync(int tasks)
    {
        (_results, _firstResultAt) = (0, 0);
        var clients = new List<MusterClient>();
        var maps = new List<Task>();
        var before = RoleBytes();
        var payloadBytes = arena.Payloads.UsedBytes;
        var start = Stopwatch.GetTimestamp();
        for (var left = tasks; left > 0; left -= _perSession)
        {
            clients.Add(MusterClient.Connect(cell.Address));
            maps.Add(MapAsync(clients[^1], Math.Min(left, _perSession)));
        }

        await WhileRunning(maps, () => arena.Ready.Count >= (ulong)tasks, "all tasks are queued");
        if (options.Durability != "memory")
        {
            await FlushedAsync(clients[0]);
        }

        var enqueueSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var arenaBytes = SlotBytes(arena.Limits) + ((double)(arena.Payloads.UsedBytes - payloadBytes) / tasks);
        var roleBytes = (RoleBytes() - before) / tasks;
        var drainedPerSecond = await DrainAsync(tasks, maps);
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        return new(tasks / enqueueSeconds, drainedPerSecond, arenaBytes, roleBytes);
    }

    private async Task<double> DrainAsync(int tasks, List<Task> maps)
    {
        for (var n = 0; n < workers; n++)
        {
            cell.StartWorker(Environment.ProcessPath!, "worker", "--address", cell.Address);
        }

        await Task.WhenAll(maps).WaitAsync(s_patience);
        var rate = (tasks - 1) / Stopwatch.GetElapsedTime(_firstResultAt).TotalSeconds;
        foreach (var worker in cell.Workers.ToList())
        {
            worker.Kill();
            await worker.WaitForExitAsync();
            cell.RemoveWorker(worker);
            worker.Dispose();
        }

        // The next backlog starts from nothing, without a worker that is still believed to live.
        await CellArena.UntilAsync(
            () => arena.Counter(CellCounter.TasksNow) == 0 && LivingWorkers() == 0, s_patience, "the cell is empty");
        return rate;
    }

    private async Task MapAsync(MusterClient client, int tasks)
    {
        ReadOnlyMemory<byte> payload = new byte[PayloadBytes];
        await foreach (var _ in client.MapAsync(
            LoadWorker.NoOp, Enumerable.Repeat(payload, tasks), new MapOptions { InFlightMax = _perSession }))
        {
            if (Interlocked.Increment(ref _results) == 1)
            {
                _firstResultAt = Stopwatch.GetTimestamp();
            }
        }
    }

    // The journal is one sequence: when this task is accepted, everything before it is as durable.
    private static async Task FlushedAsync(MusterClient client)
    {
        var last = await client.SubmitAsync(TaskType.Bytes("bench.absent"), ReadOnlyMemory<byte>.Empty);
        await client.CancelAsync(last.Id);
    }

    // A map that fails tells why; without this the wait would only time out.
    private static async Task WhileRunning(List<Task> maps, Func<bool> condition, string what)
    {
        var reached = CellArena.UntilAsync(condition, s_patience, what);
        var first = await Task.WhenAny([reached, .. maps]);
        await first;
        await reached;
    }

    // The slot itself, and its places in the rings that must be able to hold every task.
    private static double SlotBytes(ArenaLimits limits)
    {
        var one = ArenaLayout.Of(limits with { TasksMax = ArenaLimits.TasksMaxMin });
        var all = ArenaLayout.Of(limits);
        return (double)(all.TotalBytes - one.TotalBytes) / (limits.TasksMax - ArenaLimits.TasksMaxMin);
    }

    private int LivingWorkers()
    {
        var living = 0;
        for (uint row = 0; row < arena.Workers.HighWater; row++)
        {
            living += arena.Workers.Health(row) is WorkerHealth.Alive or WorkerHealth.Suspect ? 1 : 0;
        }

        return living;
    }

    private double RoleBytes() => CellProcesses.Roles.Sum(role => ProcessUse.Of(cell.Role(role)).PrivateBytes);
}
