// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;
using Muster.Shared.Cells;

namespace Muster.Load;

/// <summary>
/// W5: /bin/true as a command, many times, by the workers that a user starts, beside bare loops of posix_spawn in the
/// same round.
/// </summary>
internal static class Commands
{
    public static async Task RunAsync(LoadOptions options)
    {
        var tasks = options.Tasks > 0 ? options.Tasks : 2_000;
        var rounds = options.Rounds > 0 ? options.Rounds : 3;
        var workers = options.Workers > 0 ? options.Workers : 2;
        Console.WriteLine($"W5, durability {options.Durability}: {rounds} rounds of {tasks:N0} x /bin/true, {workers} "
            + $"workers of {options.Slots} slots, beside {workers} loops of posix_spawn");
        await using var cell = await CellProcesses.StartAsync("--durability", options.Durability);
        for (var n = 0; n < workers; n++)
        {
            cell.StartWorker(
                CellProcesses.Executable,
                "worker",
                "--address",
                cell.Address,
                "--slots",
                options.Slots.ToString(CultureInfo.InvariantCulture));
        }

        await using var client = MusterClient.Connect(cell.Address);
        using var arena = CellArena.Open(cell);
        // As many as a round, or the rounds measure the compiler.
        await CommandsAsync(client, tasks);
        var rates = new List<double>();
        var floors = new List<double>();
        var cpu = new List<double>();
        PerTask? cost = null;
        for (var round = 1; round <= rounds; round++)
        {
            floors.Add(await SpawnLoop.MeasureAsync(tasks, workers));
            var before = CellUse.Now(cell, arena);
            var start = Stopwatch.GetTimestamp();
            await CommandsAsync(client, tasks);
            rates.Add(tasks / Stopwatch.GetElapsedTime(start).TotalSeconds);
            cost = CellUse.Now(cell, arena).Since(before, tasks);
            cpu.Add(cost.CpuUsOfAll);
            Console.WriteLine($"  round {round}: {rates[^1],7:N0} commands/s, bare loops {floors[^1],7:N0}/s; "
                + $"CPU us per command, children left out: {cost}");
        }

        var rate = Spread.Of(rates);
        var floor = Spread.Of(floors);
        Figures.Keep(new
        {
            workload = "W5",
            durability = options.Durability,
            path = LoadWorker.Path,
            tasks,
            tasks_per_s = rate.Median,
            tasks_per_s_min = rate.Min,
            tasks_per_s_max = rate.Max,
            floor_per_s = floor.Median,
            floor_per_s_min = floor.Min,
            floor_per_s_max = floor.Max,
            share_of_floor = Spread.Of([.. rates.Zip(floors, (ours, bare) => ours / bare)], 3).Median,
            cpu_us_per_task = Spread.Of(cpu, 1).Median,
            cpu_us_per_task_of = cost!.CpuUs,
        });
    }

    private static async Task CommandsAsync(MusterClient client, int tasks)
    {
        var command = new CommandSpec { Arguments = ["/bin/true"] };
        var results = await Task.WhenAll(Enumerable.Range(0, tasks).Select(_ => client.RunCommandAsync(command)));
        if (results.Any(result => result.ExitCode != 0))
        {
            throw new InvalidOperationException("/bin/true failed");
        }
    }
}
