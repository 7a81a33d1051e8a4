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
    private static readonly string[] s_levels = ["memory", "durable"];

    private readonly Dictionary<string, List<PeerFigures>> _figures = [];
    private readonly Dictionary<string, string> _failures = [];

    private sealed record Line(string Name, string Durability, Spread Rate, Spread P50, Spread P99, Spread? Commands);

    public async Task RunAsync(IReadOnlyDictionary<string, string> leftOut)
    {
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var level in s_levels)
            {
                Note(round, Ours(level), await MeasureOursAsync(level));
                foreach (var peer in PeersAfter(level))
                {
                    await MeasureAsync(round, peer);
                }
            }
        }

        var ours = s_levels.Select(level => LineOf(Ours(level), level)).ToList();
        var theirs = peers.Where(peer => _figures.ContainsKey(peer.Name))
            .Select(peer => LineOf(peer.Name, peer.Durability)).ToList();
        PrintTable([.. ours, .. theirs], ours);
        foreach (var (name, why) in leftOut.Concat(_failures))
        {
            Console.WriteLine(_figures.ContainsKey(name) ? $"{name} failed in {why}" : $"{name} is left out: {why}");
        }

        PrintRatios(ours, theirs, leftOut.Concat(_failures).ToDictionary());
    }

    private static string Ours(string level) => $"muster {level}";

    // Half of the peers after each of our own turns: what changes within a round falls on all.
    private IEnumerable<IPeer> PeersAfter(string level) => peers.Where((_, at) => s_levels[at % 2] == level);

    // What goes wrong with another system is said, and the rest is still measured.
    private async Task MeasureAsync(int round, IPeer peer)
    {
        try
        {
            Note(round, peer.Name, await peer.MeasureAsync());
        }
        catch (Exception failure)
        {
            Console.WriteLine($"  round {round}: {peer.Name} failed: {failure.Message}");
            _failures[peer.Name] = $"round {round}: {failure.Message}";
        }
    }

    private async Task<PeerFigures> MeasureOursAsync(string level)
    {
        var flow = await MusterRun.MeasureAsync(load, "W1", level);
        var lone = await MusterRun.MeasureAsync(load, "W2", level);
        var commands = await MusterRun.MeasureAsync(load, "W5", level);
        return new(
            Number(flow, "tasks_per_s"),
            Number(lone, "p50_us"),
            Number(lone, "p99_us"),
            Number(commands, "tasks_per_s"));
    }

    private static double Number(JsonObject figures, string name) => figures[name]!.GetValue<double>();

    private static void PrintTable(List<Line> lines, List<Line> ours)
    {
        Console.WriteLine();
        Console.WriteLine($"{"",-15}{"durability",-11}{"tasks/s (min-max)",-29}{"p50 us",8}{"p99 us",9}{"/bin/true",10}"
            + $"{"W1 x",8}{"W2 x",7}");
        foreach (var line in lines)
        {
            var rate = $"{line.Rate.Median:N0} ({line.Rate.Min:N0}-{line.Rate.Max:N0})";
            var ahead = ours.Contains(line)
                ? ""
                : $"{ours[0].Rate.Median / line.Rate.Median,8:0.0}{line.P50.Median / ours[0].P50.Median,7:0.0}";
            Console.WriteLine($"{line.Name,-15}{line.Durability,-11}{rate,-29}{line.P50.Median,8:N0}"
                + $"{line.P99.Median,9:N0}{line.Commands?.Median,10:N0}{ahead}");
        }

        Console.WriteLine();
        Console.WriteLine($"W1 x, W2 x: how many times {ours[0].Name} is ahead of it, by tasks/s and by p50.");
    }

    // Above 1 Muster is ahead, in every workload.
    private static void PrintRatios(
        List<Line> ours, List<Line> theirs, IReadOnlyDictionary<string, string> leftOut)
    {
        var ratio = ours.ToDictionary(our => our.Durability, our => RatiosOf(our, theirs));
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            ratio = ratio["memory"],
            ratio_durable = ratio["durable"],
            ratio_is = new
            {
                W1 = "our tasks/s / their tasks/s",
                W2 = "their p50 / our p50",
                W5 = "our commands/s / their commands/s",
            },
            left_out_or_failed = leftOut,
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
                    commands_per_s = line.Commands?.Median,
                }),
        }));
    }

    private static Dictionary<string, Dictionary<string, double>> RatiosOf(Line our, List<Line> theirs) => new()
    {
        ["W1"] = theirs.ToDictionary(
            peer => peer.Name, peer => Math.Round(our.Rate.Median / peer.Rate.Median, 3)),
        ["W2"] = theirs.ToDictionary(
            peer => peer.Name, peer => Math.Round(peer.P50.Median / our.P50.Median, 3)),
        ["W5"] = theirs.Where(peer => peer.Commands is not null && our.Commands is not null).ToDictionary(
            peer => peer.Name, peer => Math.Round(our.Commands!.Value.Median / peer.Commands!.Value.Median, 3)),
    };

    private Line LineOf(string name, string durability)
    {
        var rounds = _figures[name];
        var commands = rounds.Where(round => round.CommandsPerSecond is not null)
            .Select(round => round.CommandsPerSecond!.Value).ToList();
        return new(
            name,
            durability,
            Spread.Of([.. rounds.Select(round => round.PerSecond)]),
            Spread.Of([.. rounds.Select(round => round.P50Us)], 1),
            Spread.Of([.. rounds.Select(round => round.P99Us)], 1),
            commands.Count > 0 ? Spread.Of(commands) : null);
    }

    private void Note(int round, string name, PeerFigures figures)
    {
        _figures.TryAdd(name, []);
        _figures[name].Add(figures);
        Console.WriteLine($"  round {round}: {name,-15}{figures.PerSecond,10:N0} tasks/s, "
            + $"lone p50 {figures.P50Us,7:N0} us, p99 {figures.P99Us,8:N0} us, "
            + $"{figures.CommandsPerSecond,6:N0} commands/s");
    }
}
