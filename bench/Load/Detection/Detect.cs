// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Muster.Shared.Cells;

namespace Muster.Load.Detection;

/// <summary>
/// W9: how long it takes from the end of a worker until the Register gives it up, and until its task has started on
/// another one: the first line of the handler there. Real processes, one task on each worker that ends.
/// </summary>
internal static class Detect
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public static async Task<bool> RunAsync(LoadOptions options)
    {
        var rounds = options.Rounds > 0 ? options.Rounds : 50;
        Console.WriteLine($"detect: {rounds} rounds for each death, {Silent(rounds)} for each silence");
        Console.WriteLine(
            $"{"ending",-16} {"rounds",6}   {"given up after, ms: p50",23} {"p99",8} {"max",8}   {"run again: p50",14} "
            + $"{"p99",8} {"max",8}");
        var report = new SortedDictionary<string, object>();
        var rerun = new SortedDictionary<string, double>();
        foreach (var ending in Enum.GetValues<Ending>())
        {
            var isDeath = ending is Ending.KilledSameHost or Ending.KilledRemote;
            var times = await MeasureAsync(ending, isDeath ? rounds : Silent(rounds));
            var name = JsonNamingPolicy.SnakeCaseLower.ConvertName(ending.ToString());
            var noticed = new Quantiles(times.Select(static time => time.NoticedMs));
            var again = new Quantiles(times.Select(static time => time.AgainMs));
            report.Add(name, new { given_up_ms = noticed, run_again_ms = again });
            rerun.Add(name, again.P99);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-16} {times.Count,6}   {noticed.P50,23:0.0} {noticed.P99,8:0.0} {noticed.Max,8:0.0}   "
                + $"{again.P50,14:0.0} {again.P99,8:0.0} {again.Max,8:0.0}"));
        }

        Figures.KeepLine(JsonSerializer.Serialize(
            new { workload = "W9", durability = "memory", rounds, rerun_p99_ms = rerun, endings = report }, s_json));
        return true;
    }

    private static int Silent(int rounds) => Math.Max(5, rounds / 5);

    private static double LimitMs(Ending ending) => ending switch
    {
        Ending.KilledSameHost => 15,
        Ending.KilledRemote => 50,
        _ => 3_600,
    };

    private static async Task<List<(double NoticedMs, double AgainMs)>> MeasureAsync(Ending ending, int rounds)
    {
        var port = Elsewhere.FreePort();

        // Workers and roles say that things break; that is what this is about. It is shown when it took too long.
        var said = new ConcurrentQueue<string>();
        await using var cell = await CellProcesses.StartAsync(new CellSetup
        {
            PlmOptions = ["--durability", "memory"],
            RoleOptions = new Dictionary<string, string[]> { ["register"] = ["--bind", $"127.0.0.1:{port}"] },
            ErrorLine = (source, line) => said.Enqueue($"    {source}: {line}"),
        });
        await using var client = MusterClient.Connect(cell.Address);
        var random = new Random(1);
        var times = new List<(double NoticedMs, double AgainMs)>();
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
                said.Clear();
                var time = await StrikeAsync(cell, victim, task.AsTask());
                times.Add(time);
                if (time.NoticedMs > LimitMs(ending))
                {
                    Console.WriteLine($"  round {times.Count}: {time.NoticedMs:0.0} ms, {time.AgainMs:0.0} ms");
                    Console.WriteLine(string.Join('\n', said));
                }

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

    private static async Task<(double NoticedMs, double AgainMs)> StrikeAsync(
        CellProcesses cell, DetectWorker victim, Task<ReadOnlyMemory<byte>> task)
    {
        var struckUnixUs = UnixUs();
        var start = Stopwatch.GetTimestamp();
        victim.Strike();
        var again = DetectTask.ReadNumber(await task.WaitAsync(s_patience));
        var givenUpUnixUs = await GivenUpUnixUsAsync(cell);
        return ((givenUpUnixUs - struckUnixUs) / 1_000.0, Stopwatch.GetElapsedTime(start, again).TotalMilliseconds);
    }

    private static double UnixUs() => (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).TotalMicroseconds;

    // One worker ends in each round, so it is the last one that did.
    private static async Task<double> GivenUpUnixUsAsync(CellProcesses cell)
    {
        var (_, text, _) = await cell.RunAsync("workers", "--cell", cell.Name, "-o", "json");
        using var workers = JsonDocument.Parse(text);
        return workers.RootElement.EnumerateArray()
            .Where(static worker => worker.GetProperty("health").GetString() is "lost" or "gone")
            .Max(static worker => worker.GetProperty("since_unix_us").GetDouble());
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
}
