// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Muster.Shared.Cells;

namespace Muster.Load.Detection;

/// <summary>
/// Whether a worker that lives is ever given up. Twice as many threads burn the processors as there are, every worker's
/// thread pool is blocked, and once a minute the Register is stopped for five seconds. Tasks flow all the while. Every
/// other worker is one whose process the Register cannot watch, over TCP.
/// </summary>
internal static class FalseLoss
{
    private static readonly TimeSpan s_stop = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(55);

    public static async Task<bool> RunAsync(LoadOptions options)
    {
        var minutes = options.Minutes > 0 ? options.Minutes : 60;
        var count = options.Workers > 0 ? options.Workers : 20;
        Console.WriteLine($"false-loss: {minutes} minutes, {count} workers with starved pools, "
            + $"{2 * Environment.ProcessorCount} burners, the Register stopped for 5 s once a minute");
        var port = Elsewhere.FreePort();
        await using var cell = await CellProcesses.StartAsync(new CellSetup
        {
            PlmOptions = ["--durability", "memory"],
            RoleOptions = new Dictionary<string, string[]> { ["register"] = ["--bind", $"127.0.0.1:{port}"] },
            ErrorLine = static (_, _) => { },
        });
        for (var id = 0; id < count; id++)
        {
            var isElsewhere = id % 2 == 1;
            string[] words =
            [
                .. isElsewhere ? Elsewhere.Wrapper : [], Environment.ProcessPath!, "starved-worker",
                "--address", isElsewhere ? $"http://127.0.0.1:{port}" : cell.Address, "--slots", "1", "--id", $"{id}",
            ];
            cell.StartWorker(words[0], words[1..]);
        }

        await AllRegisteredAsync(cell, count);
        using var end = new CancellationTokenSource();
        Burn(end.Token);
        var flow = FlowAsync(cell, end.Token);
        var start = Stopwatch.GetTimestamp();
        var stops = 0;
        while (Stopwatch.GetElapsedTime(start).TotalMinutes < minutes)
        {
            await Task.Delay(s_between, CancellationToken.None);
            Signal(cell.Role("register"), "STOP");
            await Task.Delay(s_stop, CancellationToken.None);
            Signal(cell.Role("register"), "CONT");
            stops++;
            var (_, lost) = await CountAsync(cell);
            Console.WriteLine($"  {Stopwatch.GetElapsedTime(start).TotalMinutes,6:0.0} min: {lost} given up");
        }

        // Whoever is still judged by the last stop.
        await Task.Delay(TimeSpan.FromSeconds(10), CancellationToken.None);
        await end.CancelAsync();
        var done = await flow;
        var (living, losses) = await CountAsync(cell);
        Figures.KeepLine(JsonSerializer.Serialize(new
        {
            minutes,
            workers = count,
            worker_hours = Math.Round(count * Stopwatch.GetElapsedTime(start).TotalHours, 2),
            register_stops = stops,
            tasks = done,
            living,
            false_losses = losses,
        }));
        return losses == 0 && living == count;
    }

    private static void Burn(CancellationToken end)
    {
        for (var burner = 0; burner < 2 * Environment.ProcessorCount; burner++)
        {
            new Thread(() =>
            {
                while (!end.IsCancellationRequested)
                {
                    Thread.SpinWait(1_000);
                }
            }) { IsBackground = true, Name = "burner" }.Start();
        }
    }

    private static async Task<long> FlowAsync(CellProcesses cell, CancellationToken end)
    {
        await using var client = MusterClient.Connect(cell.Address);
        long done = 0;
        while (!end.IsCancellationRequested)
        {
            await client.RunAsync(LoadWorker.NoOp, new byte[32], cancellationToken: CancellationToken.None);
            done++;
            await Task.Delay(20, CancellationToken.None);
        }

        return done;
    }

    private static async Task AllRegisteredAsync(CellProcesses cell, int count)
    {
        var start = Stopwatch.GetTimestamp();
        while ((await CountAsync(cell)).Living < count)
        {
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromMinutes(3))
            {
                throw new TimeoutException("the workers do not register");
            }
        }
    }

    // Every registration that was given up has a row of its own: there are more rows than there ever are workers here.
    private static async Task<(int Living, int Lost)> CountAsync(CellProcesses cell)
    {
        var (_, text, _) = await cell.RunAsync("workers", "--cell", cell.Name, "-o", "json");
        using var workers = JsonDocument.Parse(text);
        List<string?> health =
            [.. workers.RootElement.EnumerateArray().Select(worker => worker.GetProperty("health").GetString())];
        var lost = health.Count(word => word is "lost" or "gone");
        return (health.Count - lost, lost);
    }

    private static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        kill.WaitForExit();
    }
}
