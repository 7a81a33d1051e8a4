// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Muster.Shared.Cells;

namespace Muster.Load;

/// <summary>
/// Kills the Scheduler, the Register and the PLM in turn while tasks flow, restarts each, and counts: tasks without a
/// result (lost), with two (duplicate_accepted), with a wrong one (changed), and tasks that ran twice although no
/// worker died (reruns). The recovery of a round is the time from the kill until a task submitted after it has its
/// result.
/// </summary>
internal static class Chaos
{
    public static async Task<bool> RunAsync(LoadOptions options)
    {
        var rounds = options.Rounds > 0 ? options.Rounds : 20;
        var workers = options.Workers > 0 ? options.Workers : 3;
        var random = new Random(options.Seed);
        Console.WriteLine(
            $"chaos: {rounds} rounds, seed {options.Seed}, {workers} workers, {TraceFlow.InFlight:N0} tasks in flight");
        await using var cell = await LoadWorker.StartCellAsync(workers);
        await using var client = MusterClient.Connect(cell.Address);
        await client.RunAsync(LoadWorker.Trace, TraceFlow.Payload(-1));

        var flow = new TraceFlow(client, long.MaxValue);
        var running = flow.RunAsync();
        var recovery = new List<double>();
        for (var round = 1; round <= rounds; round++)
        {
            var role = CellProcesses.Roles[(round + options.Seed) % CellProcesses.Roles.Count];
            await Task.Delay(random.Next(50, 300));
            var start = Stopwatch.GetTimestamp();
            await cell.KillRoleAsync(role);
            var restart = cell.StartRoleAsync(role);
            await client.RunAsync(LoadWorker.Trace, TraceFlow.Payload(-1)).WaitAsync(TimeSpan.FromSeconds(60));
            await restart;
            recovery.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            Console.WriteLine(
                $"  round {round,3}: {role,-9} killed, back after {recovery[^1],6:F0} ms; "
                + $"{flow.Submitted:N0} tasks so far");
        }

        flow.Stop();
        await running.WaitAsync(TimeSpan.FromSeconds(120));
        recovery.Sort();
        var p99 = recovery[(int)Math.Min(recovery.Count - 1, Math.Ceiling(recovery.Count * 0.99) - 1)];
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            rounds,
            seed = options.Seed,
            acked = flow.Submitted,
            lost = flow.Submitted - flow.Distinct,
            duplicate_accepted = flow.Duplicates,
            changed = flow.Changed,
            reruns = flow.Reruns,
            recovery_p50_ms = Math.Round(recovery[recovery.Count / 2]),
            recovery_p99_ms = Math.Round(p99),
        }));
        return flow.Submitted == flow.Distinct && flow.Duplicates == 0 && flow.Changed == 0 && flow.Reruns == 0;
    }
}
