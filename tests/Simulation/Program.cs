// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;

namespace Muster.Simulation;

internal static class Program
{
    public static int Main(string[] arguments)
    {
        var first = ulong.Parse(arguments[0], CultureInfo.InvariantCulture);
        var count = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 1;
        var watch = Stopwatch.StartNew();
        var bad = 0;
        long events = 0, entries = 0, us = 0;
        for (var seed = first; seed < first + (ulong)count; seed++)
        {
            using var run = new SeedRun(seed, count == 1 ? Console.WriteLine : null);
            var violations = run.Run();
            events += run.World.EventsRun;
            entries += run.World.History.Count;
            us += run.World.NowUs;
            if (violations.Count > 0)
            {
                bad++;
                Console.WriteLine($"seed {seed} faults {run.Plan.Faults}: {violations[0]}");
            }
        }

        Console.WriteLine($"{count} seeds, {bad} bad, {count / watch.Elapsed.TotalSeconds:f0} seeds/s, {events / count} events, {entries / count} entries, {us / count / 1000} ms");
        return bad;
    }
}
