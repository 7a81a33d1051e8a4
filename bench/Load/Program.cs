// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;

namespace Muster.Load;

/// <summary>
/// Runs one workload and prints what it does; the last line is one JSON object. The same executable is the worker and
/// the relay processes that a workload starts.
/// </summary>
internal static class Program
{
    private const string Usage = """
        Usage: Muster.Load WORKLOAD [options]

          W1      throughput: tasks per second, submit to result at the client
          W2      latency with one task in flight, beside a bare relay with the same hops
          W3      latency in an open loop at 1,000, 10,000 and 100,000 tasks per second
          chaos   kill the roles in turn under load and count what was lost
          losses  kill one worker and stop another past its lease, and count the same
          corrupt damage journals and count what is noticed
          journal what the journal costs by itself: appending, group commit, replay

        --durability memory   the only level of this version
        --tasks N             tasks per round (W1: 500000, W2: 5000, losses: 100000)
        --rounds N            rounds, the median counts (3; chaos: 20)
        --seconds N           length of each rate of W3 (10)
        --workers N           worker processes (2; chaos, losses: 3)
        --seed N              order of kills in chaos, first journal of corrupt (1)
        --journals N          how many journals corrupt damages (1000)
        --first N             corrupt begins with this one (0)
        --folder PATH         where journal measures (the folder for temporary files)
        """;

    public static async Task<int> Main(string[] args)
    {
        var options = LoadOptions.Parse(args);
        if (options is null)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        switch (options.Verb)
        {
            case "W1":
                await Throughput.RunAsync(options);
                return 0;
            case "W2":
                await Latency.RunAsync(options);
                return 0;
            case "W3":
                await OpenLoop.RunAsync(options);
                return 0;
            case "chaos":
                return await Chaos.RunAsync(options) ? 0 : 1;
            case "losses":
                return await Losses.RunAsync(options) ? 0 : 1;
            case "corrupt":
                return Corrupt.Run(options) ? 0 : 1;
            case "journal":
                JournalCosts.Run(options);
                return 0;
            case "worker":
                await LoadWorker.RunAsync(options);
                return 0;
            case "relay":
                Relay.RunBroker(options.Address);
                return 0;
            default:
                Console.Error.WriteLine(Usage);
                return 2;
        }
    }
}
