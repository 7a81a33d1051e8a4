// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;

namespace Muster.Load;

/// <summary>W1: tasks per second from submit to result at the client: 100-byte payload, 32-byte result, no-op
/// handler.</summary>
internal static class Throughput
{
    private const int InFlight = 20_000;

    public static async Task RunAsync(LoadOptions options)
    {
        var tasks = options.Tasks > 0 ? options.Tasks : 500_000;
        var rounds = options.Rounds > 0 ? options.Rounds : 3;
        var workers = options.Workers > 0 ? options.Workers : 2;
        Console.WriteLine(
            $"W1, durability {options.Durability}: {rounds} rounds of {tasks:N0} no-op tasks, {workers} workers");
        await using var cell = await LoadWorker.StartCellAsync(workers, options);
        await using var client = MusterClient.Connect(cell.Address);
        await MapAsync(client, tasks / 10);

        var rates = new List<double>();
        var cpu = new List<double>();
        for (var round = 1; round <= rounds; round++)
        {
            var before = cell.CpuSeconds();
            var start = Stopwatch.GetTimestamp();
            await MapAsync(client, tasks);
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var after = cell.CpuSeconds();
            rates.Add(tasks / seconds);
            cpu.Add(after.Sum(pair => pair.Value - before[pair.Key]) / tasks * 1e6);
            var parts = after.Select(pair => $"{pair.Key} {(pair.Value - before[pair.Key]) / tasks * 1e6:F2}");
            Console.WriteLine(
                $"  round {round}: {tasks / seconds,10:N0} tasks/s; CPU us per task: {string.Join(", ", parts)}");
        }

        Console.WriteLine(JsonSerializer.Serialize(new
        {
            workload = "W1",
            durability = options.Durability,
            path = LoadWorker.Path,
            tasks,
            tasks_per_s = Math.Round(Median(rates)),
            tasks_per_s_min = Math.Round(rates.Min()),
            tasks_per_s_max = Math.Round(rates.Max()),
            cpu_us_per_task = Math.Round(Median(cpu), 3),
        }));
    }

    public static double Median(List<double> values)
    {
        var sorted = values.Order().ToList();
        var middle = sorted.Count / 2;
        return sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static async Task MapAsync(MusterClient client, int tasks)
    {
        ReadOnlyMemory<byte> payload = new byte[100];
        var done = 0;
        await foreach (var _ in client.MapAsync(
            LoadWorker.NoOp, Enumerable.Repeat(payload, tasks), new MapOptions { InFlightMax = InFlight }))
        {
            done++;
        }

        if (done != tasks)
        {
            throw new InvalidOperationException($"{done} results for {tasks} tasks");
        }
    }
}
