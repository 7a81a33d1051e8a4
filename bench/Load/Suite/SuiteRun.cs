// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;

namespace Muster.Load.Suite;

/// <summary>
/// Runs workloads one after the other, each in a process of its own so that none inherits the heap and the compiled
/// code of another, and prints the table of their figures; the last line holds them all.
/// </summary>
internal static class SuiteRun
{
    public static async Task<bool> RunAsync(LoadOptions options)
    {
        var stamp = await MachineStamp.ReadAsync();
        Console.WriteLine($"{stamp.Cpu}, {stamp.Cores} cores, {stamp.MemoryMib:N0} MiB, Linux {stamp.Kernel}, "
            + string.Create(
                CultureInfo.InvariantCulture, $"{stamp.Dotnet}, commit {stamp.Commit}, load {stamp.LoadAverage}"));
        var figures = new List<JsonObject>();
        var missing = new List<string>();
        foreach (var (workload, level) in Chosen(options))
        {
            if (workload.NeedsRoot && !Environment.IsPrivilegedProcess)
            {
                missing.Add($"{workload.Name} (needs root)");
                continue;
            }

            if (await RunOneAsync(workload, level, options) is { } figure)
            {
                figures.Add(figure);
            }
            else
            {
                missing.Add($"{workload.Name} {level} (failed)");
            }
        }

        FigureTable.Print(figures);
        if (missing.Count > 0)
        {
            Console.WriteLine($"without figures: {string.Join(", ", missing)}");
        }

        if (options.Out.Length > 0)
        {
            FigureFile.Write(options.Out, stamp, figures);
            Console.WriteLine($"kept in {options.Out}");
        }

        Figures.Keep(new { machine = stamp, figures, missing });
        return missing.TrueForAll(static each => !each.EndsWith("(failed)", StringComparison.Ordinal));
    }

    private static IEnumerable<(Workload Workload, string Level)> Chosen(LoadOptions options)
    {
        var only = options.Only.Split(',', StringSplitOptions.RemoveEmptyEntries);
        return from workload in Workload.All
               where only.Length == 0 || only.Contains(workload.Name)
               from level in options.IsDurabilityGiven ? [options.Durability] : workload.Levels
               select (workload, level);
    }

    private static async Task<JsonObject?> RunOneAsync(Workload workload, string level, LoadOptions options)
    {
        List<string> arguments = [workload.Name, "--durability", level];
        if (options.Rounds > 0)
        {
            arguments.AddRange(["--rounds", options.Rounds.ToString(CultureInfo.InvariantCulture)]);
        }

        if (options.Tasks > 0)
        {
            arguments.AddRange(["--tasks", options.Tasks.ToString(CultureInfo.InvariantCulture)]);
        }

        arguments.AddRange(["--seconds", options.Seconds.ToString(CultureInfo.InvariantCulture)]);
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments)
        {
            RedirectStandardOutput = true,
        })!;
        string? last = null;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            Console.WriteLine(line);
            last = line;
        }

        await process.WaitForExitAsync();
        return process.ExitCode == 0 && last is ['{', ..] ? JsonNode.Parse(last)!.AsObject() : null;
    }
}
