// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena.Tables;
using Muster.Core;

namespace Muster.Register;

/// <summary>Judgement: suspect, lost, gone, and the Register's doubts about itself.</summary>
internal sealed partial class RegisterCore
{
    private long _lastTickMs;
    private long _stoodStillMs;
    private long _brakeUntilMs;

    // No worker's health can change by silence before this moment, so that most ticks look at no row. A sign of life
    // moves a worker's own moment on and leaves this one: at worst a look finds nobody and sets it anew, so the rows
    // cost one visit for about two beats, however many there are.
    private long _judgeDueMs;

    // Rows that were given up and of which the PLM may not have read that yet.
    private bool _hasUnsettled;

    // The brake holds once; it is ready again when nobody is suspect.
    private bool _brakeIsSpent;

    /// <summary>
    /// The worker's stream ended. Nothing is re-run because of that alone: a cut line is not a dead worker. If the
    /// connection under it was closed at the worker's end, and nothing else tells of its process, it has
    /// <see cref="RegisterOptions.ReconnectMs"/> to come back.
    /// </summary>
    public void StreamClosed(uint row, long stream, long nowMs, long nowUnixUs, bool isClosedByPeer = false)
    {
        if (row >= _watches.Length || _watches[row].Stream != stream)
        {
            return;
        }

        ref var watch = ref _watches[row];
        watch.Stream = 0;
        if (IsLiving(_rows.Health(row)))
        {
            SetHealth(row, WorkerHealth.Suspect, WorkerReason.StreamClosed, nowMs, nowUnixUs);
            if (isClosedByPeer && !watch.IsWatched && _options.ReconnectMs > 0)
            {
                watch.GoneAtMs = nowMs + PatienceMs(in watch);
                NextDueMs = Math.Min(NextDueMs, watch.GoneAtMs);
            }
        }

        EndTurn();
    }

    /// <summary>When <see cref="RunDue"/> has something to do, monotonic ms; beside the ticks.</summary>
    public long NextDueMs { get; private set; } = long.MaxValue;

    /// <summary>
    /// Gives up the workers whose connections were closed at their end and that did not come back. Many at once are
    /// more likely a network than so many dead processes: the brake holds them as it does the silent ones.
    /// </summary>
    public void RunDue(long nowMs, long nowUnixUs)
    {
        NextDueMs = long.MaxValue;
        for (var row = 0u; row < _rows.HighWater; row++)
        {
            ref var watch = ref _watches[row];
            if (watch.GoneAtMs == 0)
            {
                continue;
            }

            if (nowMs - watch.GoneAtMs >= _options.ReconnectMs)
            {
                // Late by as much as the worker was given: its hello may wait for the same processor.
                watch.GoneAtMs = nowMs + PatienceMs(in watch);
            }
            else if (nowMs >= watch.GoneAtMs && Volatile.Read(ref _rows[row].Dispatching) != 0)
            {
                // With its other stream open it lives; and the Scheduler may hear of the end of that a moment later.
                watch.GoneAtMs = nowMs + RegisterLimits.GoneAgainMs;
            }
            else if (nowMs >= watch.GoneAtMs && (StoodStill(nowMs) || IsBraking(watch.LeaseMs, nowMs)))
            {
                watch.GoneAtMs = 0;
                continue;
            }
            else if (nowMs >= watch.GoneAtMs)
            {
                watch.GoneAtMs = 0;
                GiveUp(row, WorkerHealth.Gone, WorkerReason.ConnectionsClosed, nowMs, nowUnixUs);
                continue;
            }

            NextDueMs = Math.Min(NextDueMs, watch.GoneAtMs);
        }

        EndTurn();
    }

    private uint PatienceMs(in WorkerWatch watch) => Math.Max(_options.ReconnectMs, watch.PatienceMs);

    // After that workers may have closed their connections because nobody answered here, and their new ones wait.
    private bool StoodStill(long nowMs) =>
        (_lastTickMs != 0 && nowMs - _lastTickMs >= _options.LeaseMs / RegisterLimits.StandstillPart)
        || (_stoodStillMs != 0 && nowMs - _stoodStillMs < _options.LeaseMs);

    /// <summary>
    /// The process that a closed connection was taken for the end of has said hello again. It stays fenced, but its
    /// tasks are not to be charged with a death that was none, and from now on it gets twice the time that it took to
    /// come back: it is far away, or behind something that cuts its connections.
    /// </summary>
    /// <returns>That time; 0: it is not such a process.</returns>
    private uint NoteLived(ulong workerId, ulong nonce, long nowMs)
    {
        var row = (uint)workerId;
        if (workerId == 0 || row >= _rows.HighWater)
        {
            return 0;
        }

        ref var fact = ref _rows[row];
        if (fact.Epoch != (uint)(workerId >> 32) + 1
            || fact.Nonce != nonce
            || _rows.Health(row) != WorkerHealth.Gone
            || fact.HealthReason != (uint)WorkerReason.ConnectionsClosed)
        {
            return 0;
        }

        fact.HealthReason = (uint)WorkerReason.LivedAfterAll;
        _finished.WorkerLived(row, fact.Epoch - 1);
        return (uint)Math.Min(_options.LeaseMs, 2 * (nowMs - _watches[row].GivenUpMs + _options.ReconnectMs));
    }

    /// <summary>The worker's process cannot be watched after all.</summary>
    public void ProcessUnknown(uint row, uint epoch)
    {
        if (row < _rows.HighWater && _rows[row].Epoch == epoch)
        {
            _watches[row].IsWatched = false;
        }
    }

    /// <summary>The worker's process is known to be dead: nothing can come from it any more.</summary>
    public void ProcessExited(uint row, uint epoch, long nowMs, long nowUnixUs)
    {
        if (row >= _rows.HighWater || _rows[row].Epoch != epoch || !IsLiving(_rows.Health(row)))
        {
            return;
        }

        GiveUp(row, WorkerHealth.Gone, WorkerReason.ProcessExited, nowMs, nowUnixUs);
        EndTurn();
    }

    /// <summary>
    /// This process was late: it stood still, or heartbeats lay unread for want of a thread. Deadlines move by that,
    /// and after a whole lease every worker gets a fresh one. Being late again and again stretches a lease to at most
    /// <see cref="RegisterLimits.LeaseTermsMax"/> terms, or a sick Register would never find anybody lost.
    /// </summary>
    private void WasLate(long lateMs, long nowMs)
    {
        if (lateMs < _options.LatenessMs)
        {
            return;
        }

        if (lateMs >= _options.LeaseMs / RegisterLimits.StandstillPart)
        {
            _stoodStillMs = nowMs;
        }

        for (var row = 0u; row < _rows.HighWater; row++)
        {
            ref var watch = ref _watches[row];
            if (lateMs >= watch.LeaseMs)
            {
                watch.HeardMs = nowMs;
                watch.ShiftMs = 0;
                continue;
            }

            var shiftMax = (long)watch.LeaseMs * (RegisterLimits.LeaseTermsMax - 1);
            watch.ShiftMs = Math.Min(watch.ShiftMs + lateMs, shiftMax);
        }

        _effects.WasLate(lateMs);
    }

    // The two are seldom apart, so the longer one counts, not their sum.
    private void JudgeSelf(long nowMs, long inboxLateMs)
    {
        var loopLateMs = _lastTickMs == 0 ? 0 : nowMs - _lastTickMs - RegisterLimits.TickMs;
        _lastTickMs = nowMs;
        WasLate(Math.Max(loopLateMs, inboxLateMs), nowMs);
    }

    private void JudgeWorkers(long nowMs, long nowUnixUs)
    {
        if (_hasUnsettled && _finished.IsEmpty && _arena.Finished.Count == 0)
        {
            Settle(nowMs);
        }

        if (_suspects == 0)
        {
            _brakeIsSpent = false;
        }

        if (nowMs < _judgeDueMs)
        {
            return;
        }

        _judgeDueMs = long.MaxValue;
        for (var row = 0u; row < _rows.HighWater; row++)
        {
            var health = _rows.Health(row);
            if (IsLiving(health))
            {
                Judge(row, health, nowMs, nowUnixUs);
            }
        }
    }

    /// <summary>The worker's silence may matter from then on, so a look is due then at the latest.</summary>
    private void ExpectBy(in WorkerWatch watch) =>
        _judgeDueMs = Math.Min(_judgeDueMs, watch.HeardMs + watch.ShiftMs + SuspectMs(in watch));

    private uint SuspectMs(in WorkerWatch watch) =>
        Math.Max(_options.SuspectMs, watch.IntervalMs * RegisterLimits.BeatsPerSuspicionMin);

    /// <summary>Everything told so far was read by the PLM, so rows given up before this tick are done with.</summary>
    private void Settle(long nowMs)
    {
        _hasUnsettled = false;
        for (var row = 0u; row < _rows.HighWater; row++)
        {
            ref var watch = ref _watches[row];
            if (!IsLiving(_rows.Health(row)) && !watch.IsSettled)
            {
                watch.IsSettled = watch.GivenUpMs < nowMs;
                _hasUnsettled |= !watch.IsSettled;
            }
        }
    }

    private void Judge(uint row, WorkerHealth health, long nowMs, long nowUnixUs)
    {
        ref var watch = ref _watches[row];
        var silentMs = Math.Max(0, nowMs - watch.HeardMs - watch.ShiftMs);
        if (health != WorkerHealth.Suspect && silentMs >= SuspectMs(in watch))
        {
            SetHealth(row, WorkerHealth.Suspect, WorkerReason.BeatLate, nowMs, nowUnixUs);
            health = WorkerHealth.Suspect;
        }

        var leaseMs = Math.Max(watch.LeaseMs, watch.IntervalMs * RegisterLimits.BeatsPerLeaseMin);
        if (health == WorkerHealth.Suspect && silentMs >= leaseMs && !IsBraking(leaseMs, nowMs))
        {
            GiveUp(row, WorkerHealth.Lost, WorkerReason.LeaseExpired, nowMs, nowUnixUs);
            return;
        }

        var patienceMs = health == WorkerHealth.Suspect ? leaseMs : SuspectMs(in watch);
        _judgeDueMs = Math.Min(_judgeDueMs, watch.HeardMs + watch.ShiftMs + patienceMs);
    }

    /// <summary>
    /// Whether giving workers up waits: when many became suspect within one lease, the fault is more likely here. It
    /// waits for one further lease, once.
    /// </summary>
    private bool IsBraking(uint leaseMs, long nowMs)
    {
        if (nowMs < _brakeUntilMs)
        {
            return true;
        }

        if (_brakeIsSpent)
        {
            return false;
        }

        var recent = 0;
        for (var row = 0u; row < _rows.HighWater; row++)
        {
            var isRecent = _rows.Health(row) == WorkerHealth.Suspect
                && nowMs - _watches[row].SuspectSinceMs <= leaseMs;
            recent += isRecent ? 1 : 0;
        }

        if (recent < _options.BrakeWorkersMin || (long)recent * 100 <= (long)_living * _options.BrakePercent)
        {
            return false;
        }

        _brakeIsSpent = true;
        _brakeUntilMs = nowMs + leaseMs;
        _effects.BrakePulled(recent, _living, leaseMs);
        return true;
    }

    /// <summary>Any sign of life that came down the worker's own stream.</summary>
    private void Heard(uint row, bool isDraining, long nowMs, long nowUnixUs)
    {
        ref var watch = ref _watches[row];
        watch.HeardMs = nowMs;
        watch.ShiftMs = 0;
        watch.IsDraining |= isDraining;
        _rows[row].LastBeatMs = nowMs;
        var health = watch.IsDraining ? WorkerHealth.Draining : WorkerHealth.Alive;
        SetHealth(
            row, health, watch.IsDraining ? WorkerReason.Drains : WorkerReason.CameBack, nowMs, nowUnixUs);
    }

    /// <summary>Compares the counts with the rows; for tests.</summary>
    public void CheckInvariants()
    {
        int living = 0, suspects = 0;
        for (var row = 0u; row < _rows.HighWater; row++)
        {
            living += IsLiving(_rows.Health(row)) ? 1 : 0;
            suspects += _rows.Health(row) == WorkerHealth.Suspect ? 1 : 0;
            Invariant.That(_watches[row].Stream == 0 || IsLiving(_rows.Health(row)));
        }

        Invariant.That(living == _living && suspects == _suspects);
    }
}
