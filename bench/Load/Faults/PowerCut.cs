// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Shared.Cells;
using Muster.Shared.Faults;
using Muster.Shared.Histories;

namespace Muster.Load.Faults;

/// <summary>
/// Cuts the power of the file system that holds a cell's state, again and again under load: the file system stops at
/// an instant with nothing flushed, the roles are killed, the arena is removed, and the cell starts anew on what the
/// disk kept. Clients and workers live on, as if they were on other hosts, and remember what was acknowledged.
/// </summary>
internal static class PowerCut
{
    private const long ImageBytes = 640L << 20;
    private const double RelaxedMs = 10;
    private const int Workers = 2;
    private const string ApartName = "MUSTER_POWERCUT_APART";

    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Runs in a mount namespace of its own: whoever makes another from the host's meanwhile would keep the image
    /// mounted there, and a file system that is shut down would never be mounted anew.
    /// </summary>
    public static async Task<bool> RunApartAsync(string[] args, LoadOptions options)
    {
        if (Environment.GetEnvironmentVariable(ApartName) is not null)
        {
            return await RunAsync(options);
        }

        var start = new ProcessStartInfo("unshare", ["--mount", Environment.ProcessPath!, .. args]);
        start.Environment[ApartName] = "1";
        using var apart = Process.Start(start)!;
        await apart.WaitForExitAsync();
        if (apart.ExitCode > 1)
        {
            Console.Error.WriteLine($"the run ended with {apart.ExitCode} before its end");
        }

        return apart.ExitCode == 0;
    }

    private static async Task<bool> RunAsync(LoadOptions options)
    {
        var cycles = options.Rounds > 0 ? options.Rounds : 10;
        Console.WriteLine(
            $"powercut: {cycles} cycles on {options.FileSystem}, durability {options.Durability}, seed {options.Seed}");
        using var log = new ChaosLog();
        LoopImage image;
        try
        {
            image = await LoopImage.CreateAsync(options.FileSystem, ImageBytes);
        }
        catch (Exception failure) when (failure is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            Console.Error.WriteLine(
                $"powercut needs root, a host that allows loop mounts, and mkfs.{options.FileSystem}: "
                + failure.Message);
            return false;
        }

        await using var mounted = image;

        // It only measures flushes here: what relaxed may lose is the interval, and what a flush takes on top.
        await using var shim = await FaultShim.CreateAsync(image.Mount);
        await using var cell = await CellProcesses.StartAsync(new CellSetup
        {
            StateHome = image.Mount,
            ErrorLine = log.Take,
            Environment = new Dictionary<string, Dictionary<string, string>> { ["plm"] = shim.Environment },
        });
        for (var worker = 0; worker < Workers; worker++)
        {
            cell.StartWorker(Environment.ProcessPath!, "worker", "--address", cell.Address, "--slots", "6");
        }

        var oracle = new HistoryOracle();
        var run = new PowerCutRun(options, cell, image, oracle);
        await using var client = run.Client;
        client.Start();
        await run.FlowingAsync(0, s_deadline);
        var random = new Random(options.Seed);
        var start = Stopwatch.GetTimestamp();
        for (var cycle = 1; cycle <= cycles; cycle++)
        {
            await Task.Delay(random.Next(100, 400));
            await run.CutAsync(cycle, s_deadline);
        }

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await client.DrainAsync(s_deadline);
        return Report(options, cycles, seconds, oracle, run, shim.TakeLongestSync().TotalMilliseconds);
    }

    private static bool Report(
        LoadOptions options, int cycles, double seconds, HistoryOracle oracle, PowerCutRun run, double flushMsMax)
    {
        var counts = oracle.Counts;
        foreach (var finding in oracle.Findings)
        {
            Console.WriteLine("  " + finding);
        }

        Figures.KeepLine(JsonSerializer.Serialize(new
        {
            cycles,
            fs = options.FileSystem,
            durability = options.Durability,
            seed = options.Seed,
            acked = counts.Acked,
            lost = counts.Lost,
            lost_ack_age_ms_max = Math.Round(run.LostAckAgeMsMax, 1),
            lost_ack_span_ms_max = Math.Round(run.LostSpanMsMax, 1),
            lost_result_age_ms_max = Math.Round(oracle.LostResultAgeUsMax / 1_000.0, 1),
            flush_ms_max = Math.Round(flushMsMax, 1),
            duplicate_accepted = counts.DuplicateAccepted,
            changed = counts.Changed,
            unexpected = counts.Unexpected,
            failed = counts.Failed,
            redelivered = counts.Redelivered,
            reruns = counts.Reruns,
            seconds = Math.Round(seconds, 1),
            restart_p50_ms = run.Restart.Percentile(0.5, _ => true),
            restart_p99_ms = run.Restart.Percentile(0.99, _ => true),
        }));
        var isKept = options.Durability switch
        {
            "durable" => counts.Lost == 0,
            "relaxed" => Math.Max(run.LostAckAgeMsMax, oracle.LostResultAgeUsMax / 1_000.0) <= RelaxedMs + flushMsMax,

            // Memory promises nothing about power; the figure is shown for comparison.
            _ => true,
        };
        return isKept && counts is { DuplicateAccepted: 0, Changed: 0, Unexpected: 0, Failed: 0 };
    }
}
