// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>
/// Rounds in which Muster and every peer take turns, so that all meet the machine as it is in the same minutes; then
/// the table, and the ratios as the last line.
/// </summary>
internal sealed class PeerComparison(string load, IReadOnlyList<IPeer> peers, int rounds)
{
    private const int LoneTasks = 5_000;
    private static readonly string[] s_levels = ["memory", "durable"];

    private readonly Dictionary<string, List<double>> _rates = [];
    private readonly Dictionary<string, List<double>> _p50s = [];
    private readonly Dictionary<string, List<double>> _p99s = [];

    private sealed record Line(string Name, string Durability, Spread Rate, Spread P50, Spread P99);

    public async Task RunAsync()
    {
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var level in s_levels)
            {
                var flow = await MusterRun.MeasureAsync(load, "W1", level);
                var lone = await MusterRun.MeasureAsync(load, "W2", level);
                Note(round, Ours(level), Number(flow, "tasks_per_s"), Number(lone, "p50_us"), Number(lone, "p99_us"));
            }

            foreach (var peer in peers)
            {
                var (rate, p50, p99) = await PeerRun.MeasureAsync(peer, LoneTasks);
                Note(round, peer.Name, rate, p50, p99);
            }
        }

        var ours = s_levels.Select(level => LineOf(Ours(level), level)).ToList();
        var theirs = peers.Select(peer => LineOf(peer.Name, peer.Durability)).ToList();
        PrintTable([.. ours, .. theirs], ours[0]);
        PrintRatios(ours, theirs);
    }

    private static string Ours(string level) => $"muster {level}";

    private static double Number(JsonObject figures, string name) => figures[name]!.GetValue<double>();

    private static void PrintTable(List<Line> lines, Line reference)
    {
        Console.WriteLine();
        Console.WriteLine($"{"",-17}{"durability",-12}{"tasks/s (min-max)",-32}{"p50 us",9}{"p99 us",10}   "
            + $"of {reference.Name}");
        foreach (var line in lines)
        {
            var rate = $"{line.Rate.Median:N0} ({line.Rate.Min:N0}-{line.Rate.Max:N0})";
            Console.WriteLine($"{line.Name,-17}{line.Durability,-12}{rate,-32}{line.P50.Median,9:N0}"
                + $"{line.P99.Median,10:N0}   {line.Rate.Median / reference.Rate.Median,6:P1} of its tasks/s, "
                + $"{line.P50.Median / reference.P50.Median:F2} times its p50");
        }

        Console.WriteLine();
    }

    // Above 1 Muster is ahead, in both workloads.
    private static void PrintRatios(List<Line> ours, List<Line> theirs)
    {
        var ratio = ours.ToDictionary(
            our => our.Durability,
            our => new Dictionary<string, Dictionary<string, double>>
            {
                ["W1"] = theirs.ToDictionary(
                    peer => peer.Name, peer => Math.Round(our.Rate.Median / peer.Rate.Median, 3)),
                ["W2"] = theirs.ToDictionary(
                    peer => peer.Name, peer => Math.Round(peer.P50.Median / our.P50.Median, 3)),
            });
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            ratio = ratio["memory"],
            ratio_durable = ratio["durable"],
            ratio_is = new { W1 = "our tasks/s / their tasks/s", W2 = "their p50 / our p50" },
            figures = ours.Concat(theirs).ToDictionary(
                line => line.Name,
                line => new
                {
                    durability = line.Durability,
                    tasks_per_s = line.Rate.Median,
                    tasks_per_s_min = line.Rate.Min,
                    tasks_per_s_max = line.Rate.Max,
                    p50_us = line.P50.Median,
                    p99_us = line.P99.Median,
                }),
        }));
    }

    private Line LineOf(string name, string durability) => new(
        name, durability, Spread.Of(_rates[name]), Spread.Of(_p50s[name], 1), Spread.Of(_p99s[name], 1));

    private void Note(int round, string name, double rate, double p50, double p99)
    {
        Add(_rates, name, rate);
        Add(_p50s, name, p50);
        Add(_p99s, name, p99);
        Console.WriteLine(
            $"  round {round}: {name,-15} {rate,10:N0} tasks/s, lone p50 {p50,7:N0} us, p99 {p99,8:N0} us");
    }

    private static void Add(Dictionary<string, List<double>> lists, string name, double value)
    {
        lists.TryAdd(name, []);
        lists[name].Add(value);
    }
}
