// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Register;

/// <summary>
/// Knows the workers, judges their health, and records their results. Single-threaded: its host lets one thread in at a
/// time and passes the time in. It is the only writer of worker rows and of results, and the only role that raises a
/// worker's epoch, which is the fence: what a worker of an older epoch says is refused.
/// <para>
/// Monotonic time alone decides about leases. Wall clocks, the workers' above all, are shown to people and give results
/// their moments; none of them is believed.
/// </para>
/// </summary>
internal sealed partial class RegisterCore
{
    private readonly ArenaMap _arena;
    private readonly TaskTable _tasks;
    private readonly WorkerTable _rows;
    private readonly IRegisterEffects _effects;
    private readonly RegisterOptions _options;
    private readonly WorkerWatch[] _watches;
    private readonly UnsafeResults?[] _unsafe;
    private readonly ResultBlocks _blocks;
    private readonly FinishedWriter _finished;
    private readonly List<ushort> _handlers = [];

    // Rows that are Alive, Draining or Suspect, and those that are Suspect.
    private int _living;
    private int _suspects;

    // Some worker keeps results that are not known to be safe.
    private bool _hasUnsafe;

    private bool _wakeScheduler;

    public RegisterCore(ArenaMap arena, IRegisterEffects effects, RegisterOptions options)
    {
        _arena = arena;
        _tasks = arena.Tasks;
        _rows = arena.Workers;
        _effects = effects;
        _options = options.Validated();
        _watches = new WorkerWatch[_rows.Capacity];
        _unsafe = new UnsafeResults?[_rows.Capacity];
        _blocks = new(arena);
        _finished = new(arena);
    }

    /// <summary>Workers that are not given up.</summary>
    public int Living => _living;

    /// <summary>
    /// How often workers beat now: more slowly in a large fleet. First as slowly as the lease allows; only a fleet that
    /// is larger still is given longer leases too.
    /// </summary>
    public uint IntervalMs
    {
        get
        {
            var eased = Math.Min(
                (long)_living * 1_000 / _options.BeatsPerSecondEased,
                _options.LeaseMs / RegisterLimits.BeatsPerLeaseMin);
            var least = (long)_living * 1_000 / _options.BeatsPerSecondMax;
            return (uint)Math.Max(_options.IntervalMs, Math.Max(eased, least));
        }
    }

    /// <summary>
    /// Call once, before anything else: claims the blocks that slots own, tells the PLM again what it may have missed,
    /// and gives every worker one full lease. Running work is not touched.
    /// </summary>
    public void TakeOver(long nowMs, long nowUnixUs)
    {
        _blocks.TakeOver();
        _arena.Add(CellCounter.RegisterStarts, 1);
        CrashPoint.Hit("register.takeover.claimed");
        var slots = _tasks.HighWater;
        for (var index = 0u; index < slots; index++)
        {
            var word = _tasks.Read(index);
            if (word.State == TaskState.Reported)
            {
                _finished.Reported(index, _tasks[index].OwnGeneration);
            }
        }

        for (var row = 0u; row < _rows.HighWater; row++)
        {
            TakeOverRow(row, nowMs, nowUnixUs);
        }

        for (var row = 0u; row < _rows.HighWater; row++)
        {
            // Only now is it known how many there are, and so how often each was told to beat.
            SetTerms(ref _watches[row]);
        }

        EndTurn();

        // What the Register before this one recorded may not be safe yet; it was told to the PLM before now.
        for (var row = 0u; row < _rows.HighWater; row++)
        {
            NoteUnsafe(row);
        }
    }

    /// <summary>
    /// To be called every <see cref="RegisterLimits.TickMs"/>, and when the role is woken: looks at the deadlines,
    /// takes back blocks, and writes what had no room.
    /// </summary>
    /// <param name="nowMs">Monotonic time.</param>
    /// <param name="nowUnixUs">Wall clock.</param>
    /// <param name="inboxLateMs">How long heartbeats lay unread for want of a thread and nobody was told.</param>
    public void Tick(long nowMs, long nowUnixUs, long inboxLateMs = 0)
    {
        JudgeSelf(nowMs, inboxLateMs);
        _blocks.TakeBack();
        JudgeWorkers(nowMs, nowUnixUs);
        ConfirmWhatBecameSafe();
        EndTurn();
    }

    /// <summary>Ends a turn: wakes whoever has something to do now.</summary>
    private void EndTurn()
    {
        _finished.Flush();
        if (_wakeScheduler)
        {
            _wakeScheduler = false;
            _arena.Wake(Role.Scheduler).Signal();
        }
    }

    private void NoteNamed(uint index, bool[] named)
    {
        // None: the task ended after the look at its state, and the slot was given to another.
        var row = _tasks[index].Worker - 1;
        if (row < named.Length)
        {
            named[row] = true;
        }
    }

    private void TakeOverRow(uint row, long nowMs, long nowUnixUs)
    {
        ref var fact = ref _rows[row];
        ref var watch = ref _watches[row];
        switch (_rows.Health(row))
        {
            case WorkerHealth.Lost or WorkerHealth.Gone:
                // The Register before this one may have died between the fence and the record. Told again even if no
                // slot names the row: the Scheduler may be placing a task there, die before it compares the epoch, and
                // only the PLM's sweep, which this record starts, would find that task.
                watch.GivenUpMs = nowMs;
                _hasUnsettled = true;
                _finished.WorkerLost(row, fact.Epoch - 1);
                break;
            case WorkerHealth.Free:
                // A registration that was being written; its worker was never welcomed.
                watch.GivenUpMs = nowMs;
                _hasUnsettled = true;
                break;
            default:
                _living++;
                _suspects += _rows.Health(row) == WorkerHealth.Suspect ? 1 : 0;
                watch.HeardMs = nowMs;
                watch.SuspectSinceMs = nowMs;
                watch.IsDraining = _rows.Health(row) == WorkerHealth.Draining;
                fact.HealthReason = (uint)WorkerReason.RegisterRestarted;
                fact.HealthSinceUnixUs = nowUnixUs;
                _effects.WatchProcess(row, fact.Epoch, fact.Pid, fact.PidStart);
                break;
        }
    }

    private void SetTerms(ref WorkerWatch watch)
    {
        watch.IntervalMs = IntervalMs;
        watch.LeaseMs = Math.Max(_options.LeaseMs, watch.IntervalMs * RegisterLimits.BeatsPerLeaseMin);
        ExpectBy(in watch);
    }

    private static bool IsLiving(WorkerHealth health) =>
        health is WorkerHealth.Alive or WorkerHealth.Suspect or WorkerHealth.Draining;

    private void MarkChanged(uint row)
    {
        _rows.MarkChanged(row);
        _wakeScheduler = true;
    }

    /// <summary>
    /// A worker has more room, which only matters to a Scheduler that has something to place. When the heap looks empty
    /// here, whatever comes into it later is told to the Scheduler, and it then sees the row too: the fence pairs with
    /// that of the signal. What it takes out and gives back it looks at again itself.
    /// </summary>
    private void MarkHasRoom(uint row)
    {
        _rows.MarkChanged(row);
        Interlocked.MemoryBarrier();
        _wakeScheduler |= _arena.Ready.Count > 0;
    }

    /// <summary>Changes a living worker's health to another living one.</summary>
    private void SetHealth(uint row, WorkerHealth health, WorkerReason reason, long nowMs, long nowUnixUs)
    {
        ref var fact = ref _rows[row];
        var before = _rows.Health(row);
        if (before == health)
        {
            return;
        }

        Invariant.That(IsLiving(before) && IsLiving(health));
        ExpectBy(in _watches[row]);
        _suspects += (health == WorkerHealth.Suspect ? 1 : 0) - (before == WorkerHealth.Suspect ? 1 : 0);
        _watches[row].SuspectSinceMs = nowMs;
        fact.HealthReason = (uint)reason;
        fact.HealthSinceUnixUs = nowUnixUs;
        Volatile.Write(ref fact.Health, (uint)health);
        MarkChanged(row);
        _effects.HealthChanged(row, before, health, reason);
    }

    /// <summary>
    /// Fences a worker: its epoch rises, the PLM takes its attempts back, its stream ends. Nothing that it says from
    /// now on changes anything.
    /// </summary>
    private void GiveUp(uint row, WorkerHealth health, WorkerReason reason, long nowMs, long nowUnixUs)
    {
        Invariant.That(health is WorkerHealth.Lost or WorkerHealth.Gone);
        ref var fact = ref _rows[row];
        var before = _rows.Health(row);
        Invariant.That(IsLiving(before));
        var epoch = fact.Epoch;
#if SEAMS
        if (!Safeguard.Fence)
        {
            // The attempts go to others, and whoever was given up stays who it was.
            _finished.WorkerLost(row, epoch);
            _watches[row].HeardMs = nowMs;
            return;
        }

#endif
        fact.HealthReason = (uint)reason;
        fact.HealthSinceUnixUs = nowUnixUs;
        fact.Running = 0;

        // Before the record: the Scheduler looks at the epoch after each assignment, so that either it sees the fence
        // or the PLM, which reads the record later, sees the assignment.
        CrashPoint.Hit("register.fence.before");
        Volatile.Write(ref fact.Epoch, epoch + 1);
        CrashPoint.Hit("register.fence.raised");
        Volatile.Write(ref fact.Health, (uint)health);
        _finished.WorkerLost(row, epoch);
        MarkChanged(row);
        if (reason == WorkerReason.ProcessExited)
        {
            // One alone: the others begin to give its tasks away while the rest of this is done here.
            EndTurn();
        }

        _hasUnsettled = true;
        _living--;
        _suspects -= before == WorkerHealth.Suspect ? 1 : 0;
        if (reason != WorkerReason.Goodbye)
        {
            _arena.Add(CellCounter.WorkersLost, 1);
        }

        var stream = _watches[row].Stream;
        _watches[row] = new WorkerWatch { GivenUpMs = nowMs };
        _unsafe[row]?.Clear();
        _effects.UnwatchProcess(row);
        if (stream != 0 && reason != WorkerReason.Goodbye)
        {
            _effects.CloseStream(
                row, stream, new(FaultCode.WorkerFenced, "the worker was given up; it must register again"));
        }

        _effects.HealthChanged(row, before, health, reason);
    }
}
