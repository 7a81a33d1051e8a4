// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Worker.Handlers;

namespace Muster.Worker.Attempts;

/// <summary>
/// What this worker holds: attempts that wait, run, or have a result that is not confirmed; and whether it may start
/// more. State only: it runs, sends and waits for nothing, and time is an argument (timestamps of the runtime's clock).
/// Every member is called with <see cref="Gate"/> held.
/// </summary>
/// <remarks>
/// Every attempt that came in counts exactly once into <see cref="EndedTotal"/>, when it has left its slot or the queue
/// for good, unless it is given back unstarted: the Scheduler counts those itself, and derives the worker's free
/// capacity from both.
/// </remarks>
internal sealed class AttemptBook(int slots, long ticksPerMs)
{
    private readonly Dictionary<AttemptKey, HeldAttempt> _held = [];
    private readonly Queue<HeldAttempt> _queue = new();
    private readonly List<HeldAttempt> _running = [];
    private long _nextDeadline = long.MaxValue;
    private long _usableUntil = long.MinValue;

    /// <summary>
    /// The lock of the whole worker's state. Nothing waits, sends or runs user code while it is held.
    /// </summary>
    public Lock Gate { get; } = new();

    public ResultQueue Results { get; } = new();

    public ulong EndedTotal { get; private set; }

    public int Queued { get; private set; }

    public IReadOnlyList<HeldAttempt> Running => _running;

    /// <summary>Takes no new attempts, whatever the reason.</summary>
    public bool IsDraining { get; set; }

    /// <summary>When the earliest attempt's time is over, or an earlier moment; no limit: the largest number.</summary>
    public long NextDeadline => _nextDeadline;

    /// <summary>
    /// Whether the thread that runs this attempt will soon be back, so that results may wait for it. One that takes
    /// long against all experience holds them back until the next beat; on average a result waits for that no longer
    /// than the handler's mean.
    /// </summary>
    public bool IsSoonOver(HeldAttempt attempt) =>
        attempt.Handler.MeanRun < ticksPerMs / WorkerLimits.HoldResultsPerMs;

    /// <summary>Whether as many results wait as one message should hold.</summary>
    public bool AreResultsDue =>
        Results.Unsent >= WorkerLimits.HeldResultsMax || Results.Bytes >= WorkerLimits.MessageBytesSoftMax;

    /// <summary>Nothing waits, runs, or waits for its confirmation.</summary>
    public bool IsEmpty => Queued == 0 && _running.Count == 0 && Results.Count == 0;

    /// <summary>
    /// Word came from the Register at <paramref name="now"/>. Attempts are started for three quarters of the lease from
    /// then on: what starts later might run beside the same task on another worker.
    /// </summary>
    public void Heard(long now, uint leaseMs) =>
        _usableUntil = now + (leaseMs * ticksPerMs / 100 * WorkerLimits.LeaseUsablePercent);

    /// <summary>Whether this attempt is here: the Scheduler sends again what it is not sure of.</summary>
    public bool Holds(AttemptKey key) => _held.ContainsKey(key);

    /// <summary>Whether a new attempt can be taken in; otherwise it goes back unstarted.</summary>
    public bool HasRoom => !IsDraining && Queued < slots + WorkerLimits.QueuedMax;

    /// <summary>Takes a new attempt in, to be started when a slot is free.</summary>
    public void Add(HeldAttempt attempt)
    {
        _held.Add(attempt.Key, attempt);
        _queue.Enqueue(attempt);
        Queued++;
    }

    /// <summary>Takes a new attempt in that cannot be run at all, with its result.</summary>
    public void AddEnded(HeldAttempt attempt, in AttemptEnd end, long now)
    {
        _held.Add(attempt.Key, attempt);
        attempt.StartedAt = now;
        Report(attempt, end, now);
        Retire(attempt);
    }

    /// <summary>Gives the oldest waiting attempt a slot, if one may start now.</summary>
    /// <param name="now">The present time.</param>
    /// <param name="threadIsFree">Whether a slot thread can take it; without one, blocking handlers wait.</param>
    /// <param name="attempt">The attempt that runs from now on.</param>
    public bool TryStart(long now, bool threadIsFree, out HeldAttempt? attempt)
    {
        attempt = null;
        if (Queued == 0 || _running.Count >= slots || !MayStart(now))
        {
            return false;
        }

        while (_queue.Peek().Phase != AttemptPhase.Queued)
        {
            _queue.Dequeue();
        }

        if (!threadIsFree && _queue.Peek().Handler.Place == HandlerPlace.SlotThread)
        {
            return false;
        }

        attempt = _queue.Dequeue();
        Queued--;
        attempt.Phase = AttemptPhase.Running;
        attempt.StartedAt = now;
        attempt.RunningIndex = _running.Count;
        _running.Add(attempt);
        if (attempt.Limits.TimeoutMs != 0)
        {
            attempt.DeadlineAt = now + (long)(attempt.Limits.TimeoutMs * (ulong)ticksPerMs);
        }

        if (attempt.Limits.ProgressTimeoutMs != 0)
        {
            attempt.SilenceMax = (long)(attempt.Limits.ProgressTimeoutMs * (ulong)ticksPerMs);
            attempt.Speak(now);
        }

        _nextDeadline = Math.Min(_nextDeadline, attempt.DueAt);

        return true;
    }

    /// <summary>The handler has ended and the slot is free.</summary>
    public void Finish(HeldAttempt attempt, in AttemptEnd end, long now)
    {
        Invariant.That(attempt.Phase == AttemptPhase.Running);
        var last = _running[^1];
        _running[attempt.RunningIndex] = last;
        last.RunningIndex = attempt.RunningIndex;
        _running.RemoveAt(_running.Count - 1);
        attempt.Handler.NoteRun(now - attempt.StartedAt);
        if (!attempt.IsAbandoned && !attempt.IsReported)
        {
            Report(attempt, end, now);
        }

        Retire(attempt);
    }

    /// <summary>Lists the running attempts whose time is over, each once, and finds the next moment to look.</summary>
    public void TakeTimedOut(long now, List<HeldAttempt> timedOut)
    {
        if (now < _nextDeadline)
        {
            return;
        }

        _nextDeadline = long.MaxValue;
        foreach (var attempt in _running)
        {
            if (attempt.IsTimedOut || attempt.IsAbandoned)
            {
                continue;
            }

            var dueAt = attempt.DueAt;
            if (dueAt > now)
            {
                _nextDeadline = Math.Min(_nextDeadline, dueAt);
                continue;
            }

            attempt.IsTimedOut = true;
            attempt.IsSilent = attempt.DeadlineAt > now;
            attempt.IsStopWanted = true;
            timedOut.Add(attempt);
        }
    }

    /// <summary>Gives a running attempt its result before its handler ends; the slot stays taken.</summary>
    public void Report(HeldAttempt attempt, in AttemptEnd end, long now)
    {
        attempt.End = end;
        attempt.FinishedAt = now;
        Results.Add(attempt);
    }

    /// <summary>What this attempt returns is not wanted any more.</summary>
    /// <returns>The attempt when its handler runs and must be stopped; otherwise null.</returns>
    public HeldAttempt? Abandon(AttemptKey key) =>
        _held.TryGetValue(key, out var attempt) ? Abandon(attempt) : null;

    /// <summary>The worker was lost and is another now: nothing of what it holds is its own.</summary>
    /// <param name="stop">Takes the attempts whose handlers must be stopped.</param>
    public void AbandonAll(List<HeldAttempt> stop)
    {
        while (Results.TryRemove(ulong.MaxValue, out var reported))
        {
            reported!.IsConfirmed = true;
            ForgetIfDone(reported);
        }

        foreach (var attempt in (HeldAttempt[])[.. _held.Values])
        {
            if (Abandon(attempt) is { } running)
            {
                stop.Add(running);
            }
        }
    }

    /// <summary>Takes every waiting attempt out, to be given back unstarted.</summary>
    public void TakeUnstarted(List<AttemptKey> returned)
    {
        while (_queue.TryDequeue(out var attempt))
        {
            if (attempt.Phase == AttemptPhase.Queued)
            {
                Queued--;
                returned.Add(attempt.Key);
                attempt.Phase = AttemptPhase.Ended;
                attempt.Release();
                _held.Remove(attempt.Key);
            }
        }
    }

    /// <summary>Every result up to this number is safe.</summary>
    /// <returns>Whether anything was let go.</returns>
    public bool Confirm(ulong number)
    {
        var any = false;
        while (Results.TryRemove(number, out var attempt))
        {
            any = true;
            attempt!.IsConfirmed = true;
            ForgetIfDone(attempt);
        }

        return any;
    }

    /// <summary>Lists what a new Dispatch stream must say.</summary>
    public void Describe(List<AttemptKey> inHand, List<AttemptKey> unconfirmed)
    {
        foreach (var attempt in _held.Values)
        {
            if (attempt.Phase != AttemptPhase.Ended)
            {
                inHand.Add(attempt.Key);
            }
            else if (attempt.IsReported && !attempt.IsConfirmed)
            {
                unconfirmed.Add(attempt.Key);
            }
        }
    }

    /// <summary>
    /// Lists the attempts that the Register will still hear a result of: what a worker claims that outlived the cell's
    /// arena. One that runs on after its result was confirmed, or that nobody wants any more, would be waited for in
    /// vain.
    /// </summary>
    public void DescribeClaims(List<AttemptKey> claims)
    {
        foreach (var attempt in _held.Values)
        {
            var willReport = attempt.Phase != AttemptPhase.Ended && !attempt.IsAbandoned && !attempt.IsReported;
            if (willReport || (attempt.IsReported && !attempt.IsConfirmed))
            {
                claims.Add(attempt.Key);
            }
        }
    }

    private bool MayStart(long now) =>
        now < _usableUntil
        && Results.Count < WorkerLimits.UnconfirmedMax
        && Results.Bytes < WorkerLimits.UnconfirmedBytesMax;

    private HeldAttempt? Abandon(HeldAttempt attempt)
    {
        if (attempt.IsAbandoned || attempt.Phase == AttemptPhase.Ended)
        {
            return null;
        }

        attempt.IsAbandoned = true;
        if (attempt.Phase == AttemptPhase.Queued)
        {
            Queued--;
            Retire(attempt);
            Compact();
            return null;
        }

        attempt.IsStopWanted = true;
        return attempt;
    }

    // Abandoned attempts stay in the queue until they come to its head; they must not become the most of it.
    private void Compact()
    {
        if (_queue.Count <= (2 * Queued) + 64)
        {
            return;
        }

        for (var left = _queue.Count; left > 0; left--)
        {
            var attempt = _queue.Dequeue();
            if (attempt.Phase == AttemptPhase.Queued)
            {
                _queue.Enqueue(attempt);
            }
        }
    }

    private void Retire(HeldAttempt attempt)
    {
        attempt.Phase = AttemptPhase.Ended;
        attempt.Release();
        EndedTotal++;
        ForgetIfDone(attempt);
    }

    private void ForgetIfDone(HeldAttempt attempt)
    {
        if (attempt.Phase == AttemptPhase.Ended && (attempt.IsConfirmed || !attempt.IsReported))
        {
            _held.Remove(attempt.Key);
        }
    }
}
