// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Shared.Cells;

namespace Muster.Load.Fleet;

/// <summary>
/// W7: what a fleet of workers that are connected and beat costs the roles while nothing runs, and what it does to the
/// latency of a lone task, which two real workers run.
/// </summary>
internal static class FleetCosts
{
    private const int RealWorkers = 2;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    public static async Task RunAsync(LoadOptions options)
    {
        var fleet = options.Workers > 0 ? options.Workers : 1_000;
        var rounds = options.Rounds > 0 ? options.Rounds : 3;
        var tasks = options.Tasks > 0 ? options.Tasks : 5_000;
        Console.WriteLine($"W7, durability {options.Durability}: {fleet:N0} simulated workers, {rounds} rounds of "
            + $"{options.Seconds} s at rest and {tasks:N0} tasks one after the other, with and without them");
        var rows = Math.Max(1_024, fleet + (2 * RealWorkers)).ToString(CultureInfo.InvariantCulture);
        await using var cell = await LoadWorker.StartCellAsync(RealWorkers, options, "--workers-max", rows);
        await using var client = MusterClient.Connect(cell.Address);
        using var arena = CellArena.Open(cell);
        await Latency.MeasureAsync(client, 1_000);
        var alone = new FleetState(await RestAsync(cell, arena, options.Seconds, rounds, "without the fleet"),
            await LatenciesAsync(client, tasks, rounds, "without the fleet"));
        cell.StartWorker(
            Environment.ProcessPath!,
            "fleet",
            "--address",
            cell.Address,
            "--workers",
            fleet.ToString(CultureInfo.InvariantCulture));
        await CellArena.UntilAsync(() => Alive(arena) == fleet + RealWorkers, s_patience, "the fleet is connected");
        var with = new FleetState(await RestAsync(cell, arena, options.Seconds, rounds, "with the fleet"),
            await LatenciesAsync(client, tasks, rounds, "with the fleet"));
        if (Alive(arena) != fleet + RealWorkers)
        {
            throw new InvalidOperationException($"{fleet + RealWorkers - Alive(arena)} workers were given up");
        }

        Print(options, fleet, tasks, alone, with);
    }

    private sealed record RestCost(Dictionary<string, List<double>> CorePercent, Dictionary<string, double> Bytes);

    private sealed record FleetState(RestCost Rest, List<(double P50, double P99)> Latencies)
    {
        public double Percent(string role) => Spread.Of(Rest.CorePercent[role], 2).Median;

        public Spread P50 => Spread.Of([.. Latencies.Select(round => round.P50)], 1);

        public Spread P99 => Spread.Of([.. Latencies.Select(round => round.P99)], 1);
    }

    private static void Print(LoadOptions options, int fleet, int tasks, FleetState alone, FleetState with)
    {
        var register = Spread.Of(with.Rest.CorePercent["register"], 2);
        Figures.Keep(new
        {
            workload = "W7",
            durability = options.Durability,
            tasks,
            workers = fleet,
            register_core_percent = register.Median,
            register_core_percent_min = register.Min,
            register_core_percent_max = register.Max,
            register_core_percent_alone = alone.Percent("register"),
            core_percent_of = CellProcesses.Roles.ToDictionary(role => role, with.Percent),
            cpu_us_per_worker_and_s = Math.Round(
                (register.Median - alone.Percent("register")) / 100 / fleet * 1e6, 2),
            bytes_per_worker_of = CellProcesses.Roles.ToDictionary(
                role => role, role => Math.Round((with.Rest.Bytes[role] - alone.Rest.Bytes[role]) / fleet)),
            p50_us = with.P50.Median,
            p50_us_min = with.P50.Min,
            p50_us_max = with.P50.Max,
            p99_us = with.P99.Median,
            p50_us_alone = alone.P50.Median,
            p99_us_alone = alone.P99.Median,
        });
    }

    private static async Task<RestCost> RestAsync(
        CellProcesses cell, ArenaMap arena, int seconds, int rounds, string when)
    {
        // What connecting left behind is no cost of rest.
        await Task.Delay(TimeSpan.FromSeconds(2));
        var percent = CellProcesses.Roles.ToDictionary(role => role, _ => new List<double>());
        var bytes = new Dictionary<string, double>();
        for (var round = 1; round <= rounds; round++)
        {
            var before = CellUse.Now(cell, arena);
            await Task.Delay(TimeSpan.FromSeconds(seconds));
            var cost = CellUse.Now(cell, arena).Since(before, seconds);
            foreach (var role in CellProcesses.Roles)
            {
                percent[role].Add(cost.CpuUs[role] / 1e6 * 100);
                bytes[role] = ProcessUse.Of(cell.Role(role)).PrivateBytes;
            }

            Console.WriteLine($"  {when}, at rest, round {round}, % of a core: "
                + string.Join(", ", percent.Select(pair => $"{pair.Key} {pair.Value[^1]:F2}")));
        }

        return new(percent, bytes);
    }

    private static async Task<List<(double P50, double P99)>> LatenciesAsync(
        MusterClient client, int tasks, int rounds, string when)
    {
        var all = new List<(double P50, double P99)>();
        for (var round = 1; round <= rounds; round++)
        {
            var recorder = await Latency.MeasureAsync(client, tasks);
            all.Add((recorder.Percentile(0.50), recorder.Percentile(0.99)));
            Console.WriteLine($"  {when}, round {round}: p50 {all[^1].P50,7:F0} us, p99 {all[^1].P99,7:F0} us");
        }

        return all;
    }

    private static int Alive(ArenaMap arena)
    {
        var alive = 0;
        for (uint row = 0; row < arena.Workers.HighWater; row++)
        {
            alive += arena.Workers.Health(row) == WorkerHealth.Alive ? 1 : 0;
        }

        return alive;
    }
}
