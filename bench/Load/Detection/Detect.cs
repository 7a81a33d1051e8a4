// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Muster.Shared.Cells;

namespace Muster.Load.Detection;

/// <summary>
/// How long it takes from the end of a worker until its task has started on another one: everything from the signal to
/// the first line of the handler there. Real processes, one task on each worker that dies.
/// </summary>
internal static class Detect
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    public static async Task<bool> RunAsync(LoadOptions options)
    {
        var rounds = options.Rounds > 0 ? options.Rounds : 50;
        Console.WriteLine($"detect: {rounds} rounds for each death, {Silent(rounds)} for each silence");
        Console.WriteLine($"{"ending",-16} {"rounds",6} {"p50 ms",9} {"p99 ms",9} {"max ms",9}");
        var p99 = new Dictionary<string, double>();
        foreach (var ending in Enum.GetValues<Ending>())
        {
            var isDeath = ending is Ending.KilledSameHost or Ending.KilledRemote;
            var times = await MeasureAsync(ending, isDeath ? rounds : Silent(rounds));
            times.Sort();
            var name = JsonNamingPolicy.SnakeCaseLower.ConvertName(ending.ToString());
            p99[name] = Percentile(times, 0.99);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-16} {times.Count,6} {Percentile(times, 0.5),9:0.0} {p99[name],9:0.0} {times[^1],9:0.0}"));
        }

        Console.WriteLine(JsonSerializer.Serialize(new { rounds, rerun_p99_ms = p99 }));
        return true;
    }

    private static int Silent(int rounds) => Math.Max(5, rounds / 5);

    private static double Percentile(List<double> sorted, double share) =>
        Math.Round(sorted[(int)Math.Ceiling(sorted.Count * share) - 1], 1);

    private static async Task<List<double>> MeasureAsync(Ending ending, int rounds)
    {
        var port = FreePort();
        await using var cell = await CellProcesses.StartAsync(new CellSetup
        {
            PlmOptions = ["--durability", "memory"],
            RoleOptions = new Dictionary<string, string[]> { ["register"] = ["--bind", $"127.0.0.1:{port}"] },

            // Workers and roles say that things break; that is what this is about.
            ErrorLine = static (_, _) => { },
        });
        await using var client = MusterClient.Connect(cell.Address);
        var random = new Random(1);
        var times = new List<double>();
        var workers = new Dictionary<int, DetectWorker>();
        try
        {
            for (var next = 0; times.Count < rounds;)
            {
                for (; workers.Count < 2; next++)
                {
                    workers.Add(next, DetectWorker.Start(cell, port, ending, next));
                }

                await BothServeAsync(client, workers);
                var path = Path.Combine(cell.Folder, $"round-{times.Count}");
                var task = await client.SubmitAsync(DetectTask.Type, Encoding.UTF8.GetBytes(path));
                var victim = workers[await StartedAsync(path)];

                // Anywhere between two beats.
                await Task.Delay(random.Next(500));
                var start = Stopwatch.GetTimestamp();
                victim.Strike();
                var again = DetectTask.ReadNumber(await task.AsTask().WaitAsync(s_patience));
                times.Add(Stopwatch.GetElapsedTime(start, again).TotalMilliseconds);
                workers.Remove(victim.Id);
                await victim.DisposeAsync();
            }
        }
        finally
        {
            foreach (var worker in workers.Values)
            {
                await worker.DisposeAsync();
            }
        }

        return times;
    }

    // Both have a free slot and run what they are given.
    private static async Task BothServeAsync(MusterClient client, Dictionary<int, DetectWorker> workers)
    {
        var seen = new HashSet<long>();
        var start = Stopwatch.GetTimestamp();
        while (!workers.Keys.All(id => seen.Contains(id)))
        {
            if (Stopwatch.GetElapsedTime(start) > s_patience)
            {
                throw new TimeoutException("the workers do not serve");
            }

            var where = await client.RunAsync(DetectTask.Type, ReadOnlyMemory<byte>.Empty).WaitAsync(s_patience);
            seen.Add(DetectTask.ReadNumber(where));
        }
    }

    private static async Task<int> StartedAsync(string path)
    {
        var start = Stopwatch.GetTimestamp();
        while (!File.Exists(path))
        {
            if (Stopwatch.GetElapsedTime(start) > s_patience)
            {
                throw new TimeoutException("the task does not start");
            }

            await Task.Delay(2);
        }

        return int.Parse(await File.ReadAllTextAsync(path), CultureInfo.InvariantCulture);
    }

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
