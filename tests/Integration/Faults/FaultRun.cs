// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Muster.Shared.Histories;

using Xunit;

namespace Muster.Integration.Faults;

/// <summary>
/// A cell with workers under steady load from a client that never submits a task twice, judged at the end: every
/// accepted task has its one right result.
/// </summary>
internal sealed class FaultRun : IAsyncDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    private readonly List<string> _lines = [];
    private readonly Lock _gate = new();

    private FaultRun()
    {
    }

    public static string WorkerProgram { get; } = Path.Combine(AppContext.BaseDirectory, "Muster.TestWorker");

    public CellProcesses Cell { get; private set; } = null!;

    public SessionClient Client { get; private set; } = null!;

    public HistoryOracle Oracle { get; } = new() { History = new() };

    /// <summary>Proxies before the roles' sockets, when they were asked for.</summary>
    public Doors Doors { get; private set; } = null!;

    /// <summary>Starts cell, workers and load; returns when results flow.</summary>
    public static async Task<FaultRun> StartAsync(
        CellSetup? setup = null,
        int workers = 2,
        int inFlight = 200,
        Durability durability = Durability.Memory,
        bool hasDoors = false,
        int payloadBytes = TraceTask.PayloadBytes,
        int failEvery = 0)
    {
        var run = new FaultRun();
        try
        {
            run.Cell = await CellProcesses.StartAsync((setup ?? new()) with { ErrorLine = run.TakeLine });
            if (hasDoors)
            {
                run.Doors = Doors.Open(run.Cell.Folder, run.Cell.Name);
            }

            for (var worker = 0; worker < workers; worker++)
            {
                run.StartWorker();
            }

            run.Client = new(
                new SessionClientOptions
                {
                    Address = run.Cell.Address,
                    Actor = "session",
                    InFlightMax = inFlight,
                    Durability = durability,
                    PayloadBytes = payloadBytes,
                    FailEvery = failEvery,
                },
                new SessionBook(),
                run.Oracle);
            run.Client.Start();
            if (workers > 0)
            {
                await run.FlowsAsync();
            }

            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    public Process StartWorker(int slots = 4) =>
        Cell.StartWorker(
            WorkerProgram, Cell.Address, slots.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>A worker that a program starts, to put it somewhere; it must execute the worker.</summary>
    public Process StartWorkerWrapped(string[] wrapper, string address, int slots = 4) => Cell.StartWorker(
        wrapper[0],
        [.. wrapper[1..], WorkerProgram, address, slots.ToString(System.Globalization.CultureInfo.InvariantCulture)]);

    /// <summary>What roles and workers have written to their standard error so far that holds this text.</summary>
    public IReadOnlyList<string> Lines(string text)
    {
        lock (_gate)
        {
            return [.. _lines.Where(line => line.Contains(text, StringComparison.Ordinal))];
        }
    }

    /// <summary>Waits until so many more results have come.</summary>
    /// <returns>How long that took.</returns>
    public async Task<TimeSpan> FlowsAsync(int results = 100, TimeSpan? within = null)
    {
        var start = Stopwatch.GetTimestamp();
        var goal = Oracle.Results + results;
        await UntilAsync(() => Oracle.Results >= goal, within, () => $"{results} more results; {Client.LastEnd}");
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Waits until the condition holds.</summary>
    public async Task UntilAsync(Func<bool> condition, TimeSpan? within = null, Func<string>? what = null)
    {
        var start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > (within ?? s_deadline))
            {
                Assert.Fail(
                    $"not within {(within ?? s_deadline).TotalSeconds} s: {what?.Invoke()}\n{LastLines()}");
            }

            await Task.Delay(5);
        }
    }

    /// <summary>Submits nothing more, waits for what is under way, and judges.</summary>
    public async Task<HistoryCounts> EndCleanAsync()
    {
        Oracle.History!.Note(Checking.HistoryOp.Healed, (ulong)s_deadline.TotalMicroseconds);
        var waiting = await Client.DrainAsync(s_deadline);
        var counts = Oracle.Counts;
        Oracle.History.Note(Checking.HistoryOp.Drained, isOk: waiting == 0);
        Assert.True(
            counts.IsClean && waiting == 0,
            $"{counts}\n{waiting} without a result; {Client.LastEnd}\n{string.Join('\n', Oracle.Findings)}\n"
            + LastLines());
        Assert.Empty(Oracle.History.Check());
        return counts;
    }

    public async ValueTask DisposeAsync()
    {
        if (Client is not null)
        {
            await Client.DisposeAsync();
        }

        if (Doors is not null)
        {
            await Doors.DisposeAsync();
        }

        if (Cell is not null)
        {
            await Cell.DisposeAsync();
        }
    }

    private void TakeLine(string kind, string line)
    {
        lock (_gate)
        {
            _lines.Add($"{kind}: {line}");
        }
    }

    private string LastLines()
    {
        lock (_gate)
        {
            return string.Join('\n', _lines.TakeLast(20));
        }
    }
}
