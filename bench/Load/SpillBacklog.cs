// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Muster.Arena;
using Muster.Client;
using Muster.Shared.Cells;
using Muster.V1;

namespace Muster.Load;

/// <summary>
/// W4 with a limit of memory: a backlog that does not fit is queued while there is no worker, and then drained by two.
/// The cell gets the limit as its own option; what it really used is sampled: the roles' own memory and the arena's
/// file. The client submits by single calls without a session, and remembers nothing of them.
/// </summary>
internal sealed class SpillBacklog(LoadOptions options, CellProcesses cell, ArenaMap arena) : IDisposable
{
    private const int PayloadBytes = 100;
    private const int BatchItems = 5_000;
    private const int CallsAtOnce = 4;
    private const uint RetentionMs = 1;
    private const string DiskFull = "DISK_FULL";
    private static readonly TimeSpan s_patience = TimeSpan.FromHours(2);
    private static readonly TimeSpan s_callMax = TimeSpan.FromMinutes(2);

    private readonly CancellationTokenSource _stop = new();
    private long _peakBytes;
    private long _peakDiskBytes;
    private long _submitted;
    private int _isFullTold;

    public static async Task RunAsync(LoadOptions options)
    {
        var tasks = options.Tasks > 0 ? options.Tasks : 30_000_000;
        var workers = options.Workers > 0 ? options.Workers : 2;
        Console.WriteLine(
            $"W4 with {options.Memory} of memory, durability {options.Durability}: {tasks:N0} tasks, "
            + $"{workers} workers");
        await using var cell = await CellProcesses.StartAsync(
            "--durability", options.Durability, "--memory-max", options.Memory);
        using var arena = CellArena.Open(cell);
        using var run = new SpillBacklog(options, cell, arena);
        await run.MeasureAsync(tasks, workers);
    }

    public void Dispose() => _stop.Dispose();

    private async Task MeasureAsync(int tasks, int workers)
    {
        var sampling = SampleAsync();
        var start = Stopwatch.GetTimestamp();
        var telling = TellAsync(() => Interlocked.Read(ref _submitted), "submitted", tasks);
        await Task.WhenAll(Enumerable.Range(0, CallsAtOnce).Select(_ => SubmitAsync(tasks)));
        await telling;
        var enqueueSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var spilled = arena.Counter(CellCounter.SpilledNow);
        Console.WriteLine($"  queued: {tasks / enqueueSeconds:N0}/s; {spilled:N0} tasks wait on disk");
        for (var n = 0; n < workers; n++)
        {
            cell.StartWorker(Environment.ProcessPath!, "worker", "--address", cell.Address);
        }

        await CellArena.UntilAsync(() => arena.Counter(CellCounter.Succeeded) > 0, s_patience, "a first result");
        start = Stopwatch.GetTimestamp();
        await TellAsync(() => (long)arena.Counter(CellCounter.Succeeded), "done", tasks);
        var drainSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await CellArena.UntilAsync(
            () => arena.Counter(CellCounter.TasksNow) == 0, s_patience, "the cell is empty");
        await _stop.CancelAsync();
        await sampling;
        Figures.Keep(new
        {
            workload = "W4",
            durability = options.Durability,
            path = LoadWorker.Path,
            memory = options.Memory,
            tasks,
            tasks_per_s = Math.Round(Math.Min(tasks / enqueueSeconds, tasks / drainSeconds)),
            enqueue_per_s = Math.Round(tasks / enqueueSeconds),
            drain_per_s = Math.Round(tasks / drainSeconds),
            spilled_tasks = spilled,
            spilled_total = arena.Counter(CellCounter.SpilledTotal),
            peak_memory_bytes = _peakBytes,
            peak_disk_bytes = _peakDiskBytes,
            payload_bytes = PayloadBytes,
        });
    }

    private async Task SubmitAsync(int tasks)
    {
        await using var connection = new CellConnection(cell.Address, "bench backlog");
        var payload = ByteString.CopyFrom(new byte[PayloadBytes]);
        while (Interlocked.Add(ref _submitted, BatchItems) is var end && end - BatchItems < tasks)
        {
            var left = (int)Math.Min(BatchItems, tasks - (end - BatchItems));
            Interlocked.Add(ref _submitted, left - BatchItems);
            while (left > 0)
            {
                var request = new SubmitTasksRequest
                {
                    WireVersion = 1,
                    Options = new() { Handler = LoadWorker.NoOp.Name, RetentionMs = RetentionMs },
                };
                request.Items.AddRange(Enumerable.Repeat(new TaskItem { Payload = payload }, left));
                var answer = await connection.CallPlmAsync(
                    (plm, call) => plm.SubmitTasksAsync(request, call), CancellationToken.None, s_callMax);
                left = answer.Errors.Count;
                if (left > 0)
                {
                    if (answer.Errors[0].Code == DiskFull && Interlocked.Exchange(ref _isFullTold, 1) == 0)
                    {
                        Console.WriteLine($"  waits: {DiskFull}: {answer.Errors[0].Message}");
                    }

                    await Task.Delay((int)answer.Errors[0].RetryAfterMs);
                }
            }
        }

        Interlocked.Add(ref _submitted, -BatchItems);
    }

    private static async Task TellAsync(Func<long> count, string what, int all)
    {
        var start = Stopwatch.GetTimestamp();
        var told = 0L;
        long now;
        while ((now = count()) < all)
        {
            await Task.Delay(50);
            if (now - told >= all / 10)
            {
                told = now;
                Console.WriteLine($"  {now,11:N0} {what} after {Stopwatch.GetElapsedTime(start).TotalSeconds,6:F1} s");
            }
        }
    }

    private async Task SampleAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var own = CellProcesses.Roles.Sum(role => ProcessUse.Of(cell.Role(role)).PrivateBytes);
            _peakBytes = Math.Max(_peakBytes, (long)own + CellArena.FileBytes(cell));
            _peakDiskBytes = Math.Max(_peakDiskBytes, DiskBytes(cell.Folder));
            await Task.WhenAny(Task.Delay(500, _stop.Token));
        }
    }

    private static long DiskBytes(string folder)
    {
        long bytes = 0;
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            try
            {
                bytes += file.Length;
            }
            catch (FileNotFoundException)
            {
                // It was removed since the folder was listed.
            }
        }

        return bytes;
    }
}
