// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;

namespace Muster.Load.Suite;

/// <summary>Prints the ratios of two files of figures: after / before, for every figure that both have.</summary>
internal static class Comparison
{
    // Not figures but what was asked for.
    private static readonly string[] s_questions =
        ["tasks", "rounds", "workers", "per_s", "payload_bytes", "replay_tasks"];

    public static bool Run(LoadOptions options)
    {
        if (options.Files.Before.Length == 0 || options.Files.After.Length == 0)
        {
            Console.Error.WriteLine("Muster.Load: USAGE: two files of figures are needed, --a BEFORE --b AFTER: "
                + "make bench-compare A=bench/baselines/OLD.jsonl B=bench/baselines/NEW.jsonl");
            return false;
        }

        try
        {
            Compare(FigureFile.Read(options.Files.Before), FigureFile.Read(options.Files.After));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            Console.Error.WriteLine($"Muster.Load: IO_FAILED: no figures can be read: {e.Message}; 'make baseline' "
                + "makes such files");
            return false;
        }
    }

    private static void Compare(
        (MachineStamp Stamp, Dictionary<string, Dictionary<string, double>> Figures) a,
        (MachineStamp Stamp, Dictionary<string, Dictionary<string, double>> Figures) b)
    {
        var (beforeStamp, before) = a;
        var (afterStamp, after) = b;
        Console.WriteLine($"a: {Describe(beforeStamp)}");
        Console.WriteLine($"b: {Describe(afterStamp)}");
        var isSameMachine = (beforeStamp.Cpu, beforeStamp.Cores) == (afterStamp.Cpu, afterStamp.Cores);
        if (!isSameMachine)
        {
            Console.WriteLine("Not the same kind of machine: only figures that hold a floor of theirs compare.");
        }

        var ratios = new Dictionary<string, Dictionary<string, double>>();
        foreach (var name in before.Keys.Where(after.ContainsKey))
        {
            ratios[name] = Ratios(before[name], after[name]);
            Console.WriteLine(name);
            foreach (var (figure, ratio) in ratios[name])
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {figure,-46} {before[name][figure],18:#,0.####} {after[name][figure],18:#,0.####} "
                    + $"{ratio,8:0.000}"));
            }
        }

        Figures.Keep(new
        {
            a = beforeStamp.Commit,
            b = afterStamp.Commit,
            same_machine = isSameMachine,
            ratio_is = "b / a",
            ratio = ratios,
        });
    }

    private static Dictionary<string, double> Ratios(
        Dictionary<string, double> before, Dictionary<string, double> after) =>
        before.Where(pair => IsFigure(pair.Key) && pair.Value != 0 && after.ContainsKey(pair.Key))
            .ToDictionary(pair => pair.Key, pair => Math.Round(after[pair.Key] / pair.Value, 4));

    // The least and the most of the rounds say how far to trust the median; their ratios say nothing.
    private static bool IsFigure(string name) =>
        !s_questions.Contains(name[(name.LastIndexOf('.') + 1)..])
        && !name.EndsWith("_min", StringComparison.Ordinal)
        && !name.EndsWith("_max", StringComparison.Ordinal);

    private static string Describe(MachineStamp stamp) =>
        $"commit {stamp.Commit} of {stamp.At} on {stamp.Cpu}, {stamp.Cores} cores, Linux {stamp.Kernel}, "
        + string.Create(CultureInfo.InvariantCulture, $"{stamp.Dotnet}, load {stamp.LoadAverage}");
}
