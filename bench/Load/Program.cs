// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Muster.Load.Detection;
using Muster.Load.Faults;
using Muster.Load.Fleet;
using Muster.Load.Suite;
using Muster.Shared.Cells;

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
          W4      backlog: many tasks queued without a worker, then drained
          W5      commands: /bin/true many times, beside bare loops of posix_spawn
          W7      fleet: 1,000 simulated workers, what they cost at rest and do to a lone task's latency
          W8      recovery: a role killed with many tasks queued, and the replay of the journal into a new arena
          W9      failure: as detect
          W11     start: muster up to the first result, and calls of the command line
          suite   all of these, or those of --only W1,W2, and a table
          compare two files of figures: --a BEFORE --b AFTER
          pages   fill the tables of README.md and docs/PERFORMANCE.md from a file of figures: --a FILE
          chaos   kill and stop any and all parts under load and count what was lost
          powercut  cut the power of the file system that holds the cell's state, under load (needs root)
          overload  offer ten times what the cell can do, then normal load again
          losses  kill one worker and stop another past its lease, and count the same
          detect  end workers in every way and time until their task runs elsewhere (needs root)
          false-loss  20 starved workers, a Register that stands still: who is given up? (needs root)
          corrupt damage journals and count what is noticed
          journal what the journal costs by itself: appending, group commit, replay

        --durability LEVEL    memory, relaxed or durable (memory)
        --tasks N             tasks per round (W1: 500000, W2, W7: 5000, W4: 1000000, W5: 2000, losses: 100000; W4 with
                              --memory: 30000000);
                              W8: of the replay (1000000)
        --rounds N            rounds, the median counts (3; chaos: 20; W9: 50; W11: 5)
        --seconds N           length of each rate of W3, of each rest of W7 (10)
        --payload N           bytes of each payload of W1 (100)
        --memory SIZE         W4: the limit of the whole cell, for example 3GiB; what does not fit waits on disk
        --per-second N        W3 at this rate alone, for example 500000
        --workers N           worker processes (2; chaos, losses: 3; false-loss: 20; W7: 1000)
        --minutes N           how long false-loss runs (60)
        --fs NAME             powercut: ext4 or xfs (ext4)
        --history PATH        chaos: where to keep the whole history
        --seed N              order of kills in chaos, first journal of corrupt (1)
        --journals N          how many journals corrupt damages (1000)
        --first N             corrupt begins with this one (0)
        --out PATH            suite: where to keep the figures, stamped with machine and commit
        --folder PATH         where journal measures (the folder for temporary files)
        """;

    public static async Task<int> Main(string[] args)
    {
        var options = LoadOptions.Parse(args, out var wrong);
        if (options is null)
        {
            return Refuse(wrong);
        }

        try
        {
            return await RunAsync(args, options);
        }
        catch (RoleEndedException e)
        {
            // Mostly because of an option that was passed on; what the role said names it.
            Console.Error.WriteLine($"Muster.Load: {e.Message}");
            return 1;
        }
        finally
        {
            Figures.PrintKept();
        }
    }

    private static async Task<int> RunAsync(string[] args, LoadOptions options)
    {
        if (Workload.Find(options.Verb) is { } workload)
        {
            return await workload.Run(options) ? 0 : 1;
        }

        switch (options.Verb)
        {
            case "suite":
                return await SuiteRun.RunAsync(options) ? 0 : 1;
            case "compare":
                return Comparison.Run(options) ? 0 : 1;
            case "pages":
                FigurePages.Fill(options);
                return 0;
            case "chaos":
                return await ChaosRun.RunAsync(options) ? 0 : 1;
            case "powercut":
                return await PowerCut.RunApartAsync(args, options) ? 0 : 1;
            case "overload":
                return await Overload.RunAsync(options) ? 0 : 1;
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
            default:
                return await RunPartAsync(options);
        }
    }

    /// <summary>The processes that workloads start.</summary>
    private static async Task<int> RunPartAsync(LoadOptions options)
    {
        switch (options.Verb)
        {
            case "chaos-client":
                await ClientVerb.RunAsync(options);
                return 0;
            case "worker":
            case "starved-worker":
                await LoadWorker.RunAsync(options);
                return 0;
            case "relay":
                Relay.RunBroker(options.Address);
                return 0;
            case "spawn-loop":
                SpawnLoop.Run(options.Tasks);
                return 0;
            case "fleet":
                await FleetProcess.RunAsync(options);
                return 0;
            default:
                return Refuse($"'{options.Verb}' is no workload; those that exist are listed above");
        }
    }

    /// <summary>What is wrong comes last, where it is seen.</summary>
    private static int Refuse(string wrong)
    {
        Console.Error.WriteLine(Usage);
        Console.Error.WriteLine();
        Console.Error.WriteLine($"Muster.Load: USAGE: {wrong}");
        return 2;
    }
}
