// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Muster.Load.Detection;
using Muster.Load.Faults;

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
          W8      recovery: a role killed with many tasks queued, and the replay of the journal into a new arena
          chaos   kill and stop any and all parts under load and count what was lost
          powercut  cut the power of the file system that holds the cell's state, under load (needs root)
          overload  offer ten times what the cell can do, then normal load again
          losses  kill one worker and stop another past its lease, and count the same
          detect  end workers in every way and time until their task runs elsewhere (needs root)
          false-loss  20 starved workers, a Register that stands still: who is given up? (needs root)
          corrupt damage journals and count what is noticed
          journal what the journal costs by itself: appending, group commit, replay

        --durability LEVEL    memory, relaxed or durable (memory)
        --tasks N             tasks per round (W1: 500000, W2: 5000, losses: 100000); W8: of the replay (1000000)
        --rounds N            rounds, the median counts (3; chaos: 20)
        --seconds N           length of each rate of W3 (10)
        --workers N           worker processes (2; chaos, losses: 3; false-loss: 20)
        --minutes N           how long false-loss runs (60)
        --fs NAME             powercut: ext4 or xfs (ext4)
        --history PATH        chaos: where to keep the whole history
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
            case "W8":
                await Recovery.RunAsync(options);
                return 0;
            case "chaos":
                return await ChaosRun.RunAsync(options) ? 0 : 1;
            case "powercut":
                return await PowerCut.RunApartAsync(args, options) ? 0 : 1;
            case "overload":
                return await Overload.RunAsync(options) ? 0 : 1;
            case "chaos-client":
                await ClientVerb.RunAsync(options);
                return 0;
            case "losses":
                return await Losses.RunAsync(options) ? 0 : 1;
            case "corrupt":
                return Corrupt.Run(options) ? 0 : 1;
            case "journal":
                JournalCosts.Run(options);
                return 0;
            case "detect":
                return await Detect.RunAsync(options) ? 0 : 1;
            case "false-loss":
                return await FalseLoss.RunAsync(options) ? 0 : 1;
            case "worker":
            case "starved-worker":
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
