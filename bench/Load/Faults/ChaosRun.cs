// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Shared.Cells;
using Muster.Shared.Histories;

namespace Muster.Load.Faults;

/// <summary>
/// Kills and stops any and all parts of a cell under load, in the order that the seed gives, and judges the whole
/// history: what was accepted must come back once, right, and unchanged. Three clients submit: the SDK, single calls
/// (both in this process), and a client of the session protocol in a process that is killed too. The recovery of a
/// round is the time from the kill (or from the wake-up) until a task submitted after it, ahead of the backlog, has its
/// result; from a client's kill, until its successor hears of its tasks. With --tasks so many more are queued that
/// nobody runs.
/// </summary>
internal sealed class ChaosRun : IAsyncDisposable
{
    private const int InFlight = 300;
    private const int FindingsMax = 20;

    private static readonly TimeSpan s_probeMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_drainMax = TimeSpan.FromSeconds(60);
    private static readonly SubmitOptions s_ahead = new() { Priority = 7, AttemptsMax = 100 };

    private readonly LoadOptions _options;
    private readonly CellProcesses _processes;
    private readonly ChaosCell _cell;
    private readonly HistoryOracle _oracle;
    private readonly ClientProcess _client;
    private readonly MusterClient _sdk;
    private readonly SdkFlow _flow;
    private readonly UnaryFlow _unary;
    private readonly RecoveryTimes _recovery = new();

    private ChaosRun(LoadOptions options, CellProcesses processes)
    {
        _options = options;
        _processes = processes;
        _cell = new(processes, options.Workers > 0 ? options.Workers : 3);
        _oracle = new() { History = new() };
        _client = new(processes.Address, options.Durability, InFlight, _oracle);
        _sdk = MusterClient.Connect(processes.Address);
        _flow = new(_sdk, _oracle, options.Level, InFlight);
        _unary = new(processes.Address, _oracle, options.Durability, options.Level);
    }

    /// <summary>True when nothing was lost, doubled or changed.</summary>
    public static async Task<bool> RunAsync(LoadOptions options)
    {
        using var log = new ChaosLog();
        await using var processes = await CellProcesses.StartAsync(new CellSetup
        {
            ErrorLine = log.Take,
            PlmOptions = options.Tasks == 0
                ? []
                : ["--tasks-max", $"{(2 * options.Tasks) + 10_000}", "--payload-bytes-max", "512M"],
        });
        await using var run = new ChaosRun(options, processes);
        return await run.RunAsync(log);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _sdk.DisposeAsync();
        await _unary.DisposeAsync();
    }

    private async Task<bool> RunAsync(ChaosLog log)
    {
        var count = _options.Rounds > 0 ? _options.Rounds : 20;
        var rounds = FaultSchedule.Of(_options.Seed, count, _options.Level != Durability.Memory);
        Console.WriteLine(
            $"chaos: {rounds.Count} rounds, seed {_options.Seed}, durability {_options.Durability}, "
            + $"{_cell.Workers} workers, 3 clients with {InFlight}, {InFlight} and 8 tasks in flight, "
            + $"{_options.Tasks:N0} queued behind them");
        _cell.StartWorkers();
        await ProbeAsync();
        await using var backlog = MusterClient.Connect(_processes.Address);
        await Recovery.FillAsync(backlog, _options.Tasks, _options.Level);
        _flow.Start();
        _unary.Start();
        _client.Start();
        await _client.Heard.WaitAsync(s_probeMax);
        var start = Stopwatch.GetTimestamp();
        foreach (var round in rounds)
        {
            await Task.Delay(round.PauseMs);
            var (what, time) = await HurtAsync(round);
            _recovery.Add(round.Kind.ToString(), time);
            _unary.TellFault();
            await _cell.MendAsync();
            Console.WriteLine(
                $"  round {round.Number,4}: {what,-44} back after {time.TotalMilliseconds,6:F0} ms; "
                + $"{_oracle.Counts.Acked:N0} acknowledged");
        }

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await _cell.AllAwakeAsync();
        _oracle.History!.Note(Checking.HistoryOp.Healed, (ulong)s_drainMax.TotalMicroseconds);
        await Task.WhenAll(_flow.FinishAsync(s_drainMax), _unary.FinishAsync(s_drainMax), _client.FinishAsync());
        _oracle.History.Note(Checking.HistoryOp.Drained, isOk: _oracle.Counts.Lost == 0);
        return Report(rounds.Count, seconds, log);
    }

    private async Task<(string What, TimeSpan Time)> HurtAsync(FaultRound round)
    {
        var roles = CellProcesses.Roles;
        string[] one = [roles[round.Target % roles.Count]];
        int[] worker = [round.Target % _cell.Workers];
        int[] allWorkers = [.. Enumerable.Range(0, _cell.Workers)];
        switch (round.Kind)
        {
            case FaultKind.KillPlm:
                return await KillAsync(["plm"], []);
            case FaultKind.KillScheduler:
                return await KillAsync(["scheduler"], []);
            case FaultKind.KillRegister:
                return await KillAsync(["register"], []);
            case FaultKind.KillTwoRoles:
                return await KillAsync([.. roles.Except(one)], []);
            case FaultKind.KillAllRoles:
                return await KillAsync(roles, []);
            case FaultKind.KillPlmTwice:
                return await KillTwiceAsync(round.LengthMs);
            case FaultKind.KillWorker:
                return await KillAsync([], worker);
            case FaultKind.KillAllWorkers:
                return await KillAsync([], allWorkers);
            case FaultKind.KillRoleAndWorker:
                return await KillAsync(one, worker);
            case FaultKind.KillEverything:
                return await KillAsync(roles, allWorkers, andClient: true);
            case FaultKind.KillAllAndArena:
                return await KillAsync(roles, [], andArena: true);
            case FaultKind.KillClient:
                return await KillClientAsync();
            case FaultKind.StopRole:
                await _cell.StopRoleAsync(one[0], round.LengthMs);
                return ($"{one[0]} stopped for {round.LengthMs} ms", await MeasureAsync(ProbeAsync));
            default:
                _cell.StopWorker(worker[0], round.LengthMs);
                return ($"worker {worker[0]} stopped for {round.LengthMs} ms", await MeasureAsync(ProbeAsync));
        }
    }

    private async Task<(string What, TimeSpan Time)> KillAsync(
        IReadOnlyList<string> roles, IReadOnlyList<int> workers, bool andClient = false, bool andArena = false)
    {
        IEnumerable<string> names = [.. roles, .. workers.Select(worker => $"worker {worker}")];
        var time = await MeasureAsync(async () =>
        {
            await _cell.KillAsync(roles, workers, andClient ? _client.Strike : null);
            if (andClient)
            {
                await _client.EndedAsync();
                _client.Start();
            }

            if (andArena)
            {
                ArenaFile.Remove(_processes.Name);
                _oracle.History!.Note(Checking.HistoryOp.PowerLoss);
            }

            var starting = _cell.StartAsync(roles, workers);
            await ProbeAsync();
            await starting;
        });
        var also = andClient ? ", client" : andArena ? ", arena" : "";
        return ($"{string.Join(", ", names)}{also} killed", time);
    }

    private async Task<(string What, TimeSpan Time)> KillTwiceAsync(int gapMs)
    {
        await _cell.KillAsync(["plm"], []);
        var launched = _processes.LaunchRole("plm");
        await Task.Delay(gapMs);
        await _cell.KillAsync(["plm"], []);
        launched.Dispose();
        var time = await MeasureAsync(async () =>
        {
            var starting = _cell.StartAsync(["plm"], []);
            await ProbeAsync();
            await starting;
        });
        return ($"plm killed, and its successor after {gapMs} ms", time);
    }

    private async Task<(string What, TimeSpan Time)> KillClientAsync()
    {
        var time = await MeasureAsync(async () =>
        {
            await _client.KillAsync();
            _client.Start();
            await _client.Heard.WaitAsync(s_probeMax);
        });
        return ("client killed", time);
    }

    private static async Task<TimeSpan> MeasureAsync(Func<Task> action)
    {
        var start = Stopwatch.GetTimestamp();
        await action();
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Ahead of what waits, so that the time is that of the service and not of the backlog.</summary>
    private Task ProbeAsync() =>
        _sdk.RunAsync(LoadWorker.NoOp, ReadOnlyMemory<byte>.Empty, s_ahead).WaitAsync(s_probeMax);

    private bool Report(int rounds, double seconds, ChaosLog log)
    {
        var counts = _oracle.Counts;
        foreach (var finding in _oracle.Findings)
        {
            Console.WriteLine("  " + finding);
        }

        if (_options.History is { } path)
        {
            _oracle.History!.Save(path);
        }

        var violations = _oracle.History!.Check();
        foreach (var violation in violations.Take(FindingsMax))
        {
            Console.WriteLine($"  {violation}");
        }

        // Silence of a role or a worker is ordered here; how long that lasted is no recovery of the cell's.
        var isKill = (string kind) => kind.StartsWith("Kill", StringComparison.Ordinal);
        Figures.KeepLine(JsonSerializer.Serialize(new
        {
            rounds,
            seed = _options.Seed,
            queued = _options.Tasks,
            durability = _options.Durability,
            acked = counts.Acked,
            lost = counts.Lost,
            duplicate_accepted = counts.DuplicateAccepted,
            changed = counts.Changed,
            unexpected = counts.Unexpected,
            failed = counts.Failed,
            refused = counts.Refused,
            redelivered = counts.Redelivered,
            reruns = counts.Reruns,
            workers_stopped = _cell.WorkersStopped,
            workers_lost = log.WorkersLost,
            violations = violations.Count,
            unordered_ends = _cell.UnorderedEnds,
            killed_as_holders = _cell.KilledAsHolders,
            seconds = Math.Round(seconds),
            recovery_p50_ms = _recovery.Percentile(0.5, isKill),
            recovery_p99_ms = _recovery.Percentile(0.99, isKill),
            recovery = _recovery.ByKind(),
        }));
        return counts.IsClean && violations.Count == 0 && _cell.UnorderedEnds == 0;
    }
}
