// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Muster.Shared.Histories;

namespace Muster.Load.Faults;

/// <summary>
/// Measures what a cell gets done at its best, offers ten times that in an open loop by clients that do not slow down
/// when they are refused, and then normal load again. The workers' slots are the bottleneck, as they are in a real
/// cell, and the arena's size bounds the queue, and with it how long the last accepted task waits.
/// </summary>
internal static class Overload
{
    private const int Factor = 10;
    private const int Clients = 4;
    private const int Workers = 2;
    private const int Slots = 16;
    private const int WaitMsMax = 10;
    private const int TasksMax = 8_192;
    private const double RecoverySecondsMax = 5;
    private const double GoodputShareMin = 0.9;

    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    public static async Task<bool> RunAsync(LoadOptions options)
    {
        using var log = new ChaosLog();
        await using var cell = await CellProcesses.StartAsync(new CellSetup
        {
            PlmOptions = ["--tasks-max", $"{TasksMax}"],
            ErrorLine = log.Take,
        });
        for (var worker = 0; worker < Workers; worker++)
        {
            cell.StartWorker(Environment.ProcessPath!, "worker", "--address", cell.Address, "--slots", $"{Slots}");
        }

        await using var sdk = MusterClient.Connect(cell.Address);
        await sdk.RunAsync(LoadWorker.NoOp, ReadOnlyMemory<byte>.Empty).WaitAsync(s_deadline);
        var peak = await PeakAsync(cell, options, TimeSpan.FromSeconds(8));
        var usual = await LatencyMsAsync(sdk, 100);
        var memory = new MemorySamples(cell);
        Console.WriteLine(
            $"overload: {peak:N0} tasks/s at best; {Factor * peak:N0} offered for {options.Seconds} s by {Clients} "
            + $"clients; usual latency {usual:F1} ms; the arena holds {TasksMax:N0} tasks");

        var oracle = new HistoryOracle();
        var clients = Enumerable.Range(0, Clients).Select(number => New(cell, options, oracle, $"open-{number}",
            perSecond: (int)(Factor * peak / Clients))).ToList();
        clients.ForEach(client => client.Start());
        await Task.Delay(TimeSpan.FromSeconds(2));
        var before = oracle.Results;
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < options.Seconds)
        {
            await Task.Delay(500);
            memory.Take();
        }

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var goodput = (oracle.Results - before) / seconds;
        var offered = oracle.Counts;
        var closing = clients.Select(client => client.DrainAsync(s_deadline)).ToList();
        var normal = await NormalAfterAsync(sdk, Math.Max(20, 4 * usual));
        await Task.WhenAll(closing);
        var without = clients.Sum(client => client.RefusalsWithoutDelay);
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        var after = oracle.Counts;
        Figures.KeepLine(JsonSerializer.Serialize(new
        {
            workload = "overload",
            durability = options.Durability,
            seconds = Math.Round(seconds),
            peak_per_s = Math.Round(peak),
            offered_per_s = Math.Round((offered.Acked + offered.Refused) / (seconds + 2)),
            goodput_per_s = Math.Round(goodput),
            goodput_share = Math.Round(goodput / peak, 3),
            refused = after.Refused,
            refused_without_delay = without,
            normal_after_s = Math.Round(normal, 2),
            lost = after.Lost,
            duplicate_accepted = after.DuplicateAccepted,
            changed = after.Changed,
            rss_mb_max = memory.MaxMb,
            rss_growth_mb = memory.GrowthMb,
        }));
        return goodput >= GoodputShareMin * peak && normal <= RecoverySecondsMax && without == 0 && after.IsClean;
    }

    private static SessionClient New(
        CellProcesses cell, LoadOptions options, HistoryOracle oracle, string actor, int perSecond) => new(
        new SessionClientOptions
        {
            Address = cell.Address,
            Actor = actor,
            Durability = options.Level,
            PerSecond = perSecond,
            InFlightMax = 2_000,
            BatchMax = 1_000,
            WaitMsMax = WaitMsMax,
        },
        new SessionBook(),
        oracle);

    /// <summary>Results per second with as much under way as keeps every slot busy.</summary>
    private static async Task<double> PeakAsync(CellProcesses cell, LoadOptions options, TimeSpan length)
    {
        var oracle = new HistoryOracle();
        await using var client = New(cell, options, oracle, "peak", perSecond: 0);
        client.Start();
        await Task.Delay(TimeSpan.FromSeconds(2));
        var (before, start) = (oracle.Results, Stopwatch.GetTimestamp());
        await Task.Delay(length);
        var peak = (oracle.Results - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        await client.DrainAsync(s_deadline);
        return peak;
    }

    /// <summary>The 90th percentile of so many tasks, one after another.</summary>
    private static async Task<double> LatencyMsAsync(MusterClient sdk, int count)
    {
        var times = new List<double>();
        for (var task = 0; task < count; task++)
        {
            times.Add(await OneAsync(sdk));
        }

        times.Sort();
        return times[times.Count * 9 / 10];
    }

    /// <summary>Seconds until ten tasks in a row, at the usual priority, are as fast as they usually are.</summary>
    private static async Task<double> NormalAfterAsync(MusterClient sdk, double normalMs)
    {
        var start = Stopwatch.GetTimestamp();
        var normalSince = 0.0;
        for (var row = 0; row < 10;)
        {
            var began = Stopwatch.GetElapsedTime(start).TotalSeconds;
            normalSince = row == 0 ? began : normalSince;
            row = await OneAsync(sdk) <= normalMs ? row + 1 : 0;
        }

        return normalSince;
    }

    private static async Task<double> OneAsync(MusterClient sdk)
    {
        var start = Stopwatch.GetTimestamp();
        await sdk.RunAsync(LoadWorker.NoOp, ReadOnlyMemory<byte>.Empty).WaitAsync(s_deadline);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
