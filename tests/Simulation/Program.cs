// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;

namespace Muster.Simulation;

/// <summary>
/// make sim: <c>--seed n</c> runs one seed and prints its trace; <c>--seeds n</c> runs many, then the mutants, and
/// ends with a line of JSON. <c>--first n</c> says with which seed they begin, <c>--threads n</c> on how many threads.
/// </summary>
internal static class Program
{
    private const int ProgressMs = 5_000;

    public static int Main(string[] arguments)
    {
        if (Value(arguments, "--seed", 0) is var seed and > 0)
        {
            return RunOne((ulong)seed);
        }

        var seeds = Value(arguments, "--seeds", 1_000);
        var first = Value(arguments, "--first", 1);
        var threads = (int)Value(arguments, "--threads", Environment.ProcessorCount);
        return RunMany((ulong)first, (ulong)seeds, threads);
    }

    private static long Value(string[] arguments, string name, long otherwise)
    {
        var at = Array.IndexOf(arguments, name);
        return at < 0 || at + 1 == arguments.Length
            ? otherwise
            : long.Parse(arguments[at + 1], CultureInfo.InvariantCulture);
    }

    private static int RunOne(ulong seed)
    {
        using var run = new SeedRun(seed, Console.WriteLine);
        var violations = run.Run();
        foreach (var violation in violations)
        {
            Console.WriteLine(violation);
        }

        Console.WriteLine($"seed {seed}: {run.Plan.Faults}");
        Console.WriteLine(
            $"{{\"seed\":{seed},\"trace\":\"{run.World.Trace.Hash:x16}\",\"events\":{run.World.EventsRun},"
            + $"\"violations\":{violations.Count}}}");
        return violations.Count == 0 ? 0 : 1;
    }

    private static int RunMany(ulong first, ulong seeds, int threads)
    {
        var watch = Stopwatch.StartNew();
        var range = new SeedRange(first, seeds, threads);
        var nextMs = (long)ProgressMs;
        range.Run(report =>
        {
            lock (range)
            {
                if (!report.IsClean)
                {
                    Console.WriteLine($"seed {report.Seed}: {report.Violations[0]}");
                }

                if (watch.ElapsedMilliseconds >= nextMs)
                {
                    nextMs = watch.ElapsedMilliseconds + ProgressMs;
                    Console.WriteLine($"{range.Done} of {seeds} seeds, {range.Failed} with violations");
                }
            }
        });
        var seconds = watch.Elapsed.TotalSeconds;
        foreach (var failure in range.Failures)
        {
            Console.WriteLine(failure.Describe());
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{range.Done} seeds, {range.Done / seconds:f0} a second, {range.Events} events, "
            + $"{range.SimulatedMs / 1_000.0 / 3_600:f1} hours of the cells' own time"));
        var caught = HuntAll();
        Console.WriteLine(
            $"{{\"seeds\":{range.Done},\"violations\":{range.Failed},\"mutants\":{Mutant.All.Length},"
            + $"\"mutants_caught\":{caught}}}");
        return range.Failed == 0 && caught == Mutant.All.Length ? 0 : 1;
    }

    private static int HuntAll()
    {
        var caught = 0;
        foreach (var mutant in Mutant.All)
        {
            var seed = mutant.Hunt(out var report);
            caught += seed == 0 ? 0 : 1;
            Console.WriteLine(seed == 0
                ? $"mutant '{mutant.Name}' was not noticed in {Mutant.SeedsMax} seeds"
                : $"mutant '{mutant.Name}' noticed by seed {seed}: {report!.Violations[0]}");
        }

        return caught;
    }
}
