// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Checking;
using Muster.Core.Tasks;
using Muster.Simulation.Kernel;
using Muster.Simulation.Roles;
using Muster.Worker.Attempts;
using Muster.Worker.Handlers;
using Muster.Worker.Runtime;

namespace Muster.Simulation.Actors;

/// <summary>
/// A worker: the real <see cref="AttemptBook"/> and the real codecs. What the product does with threads and calls
/// (executor, heartbeat thread, the two links) stands here as events, rule by rule as there.
/// </summary>
internal sealed partial class WorkerProcess : SimProcess
{
    private const long TicksPerMs = 1_000;

    private readonly SimCell _cell;
    private readonly HandlerTable _handlers = new();
    private readonly List<HeldAttempt> _scratch = [];
    private readonly int _slots;
    private AttemptBook _book;
    private WorkerIdentity _identity = null!;
    private string _name = "";
    private bool _isLeaving;

    public WorkerProcess(World world, SimCell cell, int index, int host, int slots, bool first, bool second)
        : base(world, index, host)
    {
        _cell = cell;
        _slots = slots;
        _book = new AttemptBook(slots, TicksPerMs);
        if (first)
        {
            _handlers.Add(SimHandler.First);
        }

        if (second)
        {
            _handlers.Add(SimHandler.Second);
        }
    }

    public override string Name => _name;

    /// <summary>Nothing waits, runs, or waits for its confirmation.</summary>
    public bool IsIdle => _book.IsEmpty;

    /// <summary>Finishes what runs, gives the rest back, says goodbye and ends; another one comes later.</summary>
    public void LeaveWell()
    {
        if (!IsUp || IsPaused || _isLeaving)
        {
            return;
        }

        _isLeaving = true;
        _book.IsDraining = true;
        var returned = new List<AttemptKey>();
        _book.TakeUnstarted(returned);
        ReturnUnstarted(returned);
        FlushResults();
        TryGoodbye();
    }

    protected override void OnStart()
    {
        _name = $"w{Index}.{Life}";
        _book = new AttemptBook(_slots, TicksPerMs);
        _isLeaving = false;
        var isLocal = Host == 0;
        var pid = ((uint)Index << 16) | Life;
        _identity = new WorkerIdentity
        {
            Name = _name,
            Slots = _slots,
            Nonce = World.Random.Next64() | 1,
            Host = isLocal ? "cell" : "elsewhere",
            Pid = pid,
            PidStart = 1,
            BootId = isLocal ? Arena.HostIdentity.BootId.ToString() : Guid.Empty.ToString(),
            PidNamespace = isLocal ? Arena.HostIdentity.PidNamespace : 1,
            Version = "sim",
        };
        if (isLocal)
        {
            _cell.ProcessStarted(pid);
        }

        Record(HistoryOp.WorkerUp, detail: (ulong)_slots);
        StartHeartbeat();
        StartDispatch();
    }

    protected override void OnKill()
    {
        Record(HistoryOp.WorkerDown);
        _cell.ProcessDied(_identity.Pid);
    }

    // The worker's clock runs from another beginning than the cell's.
    private long NowTicks => 1_000_000 + World.NowUs;

    private void StartWaiting()
    {
        while (IsUp && _book.TryStart(NowTicks, threadIsFree: true, out var attempt))
        {
            Launch(attempt!);
        }
    }

    private void Launch(HeldAttempt attempt)
    {
        var payload = attempt.Payload.Span;
        var key = TaskBytes.KeyOf(payload);
        Record(HistoryOp.Start, attempt, HistoryHash.Of(payload), _registration?.WorkerId ?? 0);
        if (attempt.Limits.TimeoutMs != 0)
        {
            After((long)attempt.Limits.TimeoutMs * 1_000, () => CheckDeadlines());
        }

        if (attempt.Limits.ProgressTimeoutMs != 0)
        {
            After((long)attempt.Limits.ProgressTimeoutMs * 1_000, () => CheckDeadlines());
        }

        var kind = TaskBytes.KindOf(payload);
        var runsUs = TaskBytes.RunsUsOf(payload);
        if (kind == TaskKind.KillsWorker && attempt.Execution == 1)
        {
            After(runsUs / 2, () =>
            {
                if (attempt.Phase == AttemptPhase.Running)
                {
                    KillAndReturn();
                }
            });
            return;
        }

        if (kind == TaskKind.Hangs)
        {
            // A handler that heeds nothing for long ends in the end, or a lost worker would never be free again.
            runsUs = 2_000_000;
        }

        var fails = kind == TaskKind.FailsAlways
            || (kind == TaskKind.FailsFirst && attempt.Execution <= TaskBytes.FailuresOf(payload));
        var outputBytes = TaskBytes.OutputBytesOf(payload);
        After(runsUs, () => Finish(attempt, key, fails, outputBytes));
    }

    /// <summary>kill -9, and another one after a while.</summary>
    public void KillAndReturn()
    {
        if (!IsUp)
        {
            return;
        }

        Kill();
        World.At(World.NowUs + World.Random.Range(20_000, 1_000_000), () =>
        {
            if (!IsUp)
            {
                Start();
            }
        });
    }

    // It may have been stopped and finished sooner than it meant to.
    private void Finish(HeldAttempt attempt, ulong key, bool fails, int outputBytes)
    {
        if (attempt.Phase != AttemptPhase.Running)
        {
            return;
        }

        var end = fails
            ? AttemptEnd.Failed(new(Core.FaultCode.HandlerFailed, $"boom {key:x} {attempt.Key.Attempt.Value:x}")
            {
                // Some handlers say when they want to be tried again.
                RetryAfterMs = key % 5 == 0 ? 20 + (key % 700) : 0,
            })
            : AttemptEnd.Succeeded(
                TaskBytes.MakeOutput(key, attempt.Key.Attempt.Value, outputBytes, World.Random));
        var isResult = !attempt.IsAbandoned && !attempt.IsReported;
        _book.Finish(attempt, end, NowTicks);
        if (isResult)
        {
            RecordRan(attempt);
        }

        Record(HistoryOp.Stop, attempt);
        StartWaiting();
        FlushResults();
        TryGoodbye();
    }

    private void CheckDeadlines()
    {
        _scratch.Clear();
        _book.TakeTimedOut(NowTicks, _scratch);
        foreach (var attempt in _scratch)
        {
            _book.Report(
                attempt,
                AttemptEnd.TimedOut(new(Core.FaultCode.AttemptTimedOut, $"late {attempt.Key.Attempt.Value:x}")),
                NowTicks);
            RecordRan(attempt);
            Stop(attempt);
        }

        if (_scratch.Count > 0)
        {
            FlushResults();
        }
    }

    private void Abandon(AttemptKey key)
    {
        if (_book.Abandon(key) is { } running)
        {
            Stop(running);
        }
    }

    private void AbandonAll()
    {
        _scratch.Clear();
        _book.AbandonAll(_scratch);
        foreach (var attempt in _scratch.ToArray())
        {
            Stop(attempt);
        }
    }

    // Most handlers heed their token soon; some go on to their end.
    private void Stop(HeldAttempt attempt)
    {
        if (World.Random.Chance(800))
        {
            After(World.Random.Skewed(10, 20_000), () => Finish(attempt, 0, fails: true, 0));
        }
    }

    private void TryGoodbye()
    {
        if (_isLeaving && _book.IsEmpty)
        {
            SayGoodbye();
        }
    }

    private void RecordRan(HeldAttempt attempt) => Record(
        HistoryOp.Ran,
        attempt,
        TaskBytes.HashResult(attempt.End.Outcome, attempt.End.Output.Span, attempt.End.Failure?.Message ?? ""),
        (ulong)attempt.End.Outcome);

    private void Record(HistoryOp op, ulong detail = 0) =>
        World.Record(new(World.NowUs, _name, op, Detail: detail), Index);

    private void Record(HistoryOp op, HeldAttempt attempt, ulong value = 0, ulong detail = 0) => World.Record(
        new(
            World.NowUs,
            _name,
            op,
            attempt.Key.Task.Value,
            op == HistoryOp.Start ? TaskBytes.KeyOf(attempt.Payload.Span) : 0,
            attempt.Key.Attempt.Value,
            Value: value,
            Detail: detail),
        Index);
}
