// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Worker.Attempts;
using Muster.Worker.Handlers;

namespace Muster.Worker.Execution;

/// <summary>
/// Starts attempts while slots are free and takes them back when they end. Its members are for any thread. It owns the
/// slot threads; the attempts are the book's. The queue in front of it is the book's too, and is bounded there. While
/// the worker drains, every end is told to whoever waits for the last one.
/// </summary>
/// <remarks>
/// Blocking handlers run on slot threads and not on the pool, because a pool whose threads are all busy in handlers
/// would starve the worker's own connections (its threads are as many as the cores, and more come slowly). A slot
/// thread that finishes takes the next attempt itself, so a busy worker hands nothing from thread to thread.
/// </remarks>
internal sealed class Executor(
    AttemptBook book, int slots, TimeProvider time, IResultSender sender, Action progressed, ILogger log)
{
    private readonly Stack<SlotThread> _idle = new();
    private int _threads;
    private bool _stopping;

    /// <summary>Why an attempt ended whose time was over.</summary>
    public static AttemptFailure TimedOutFailure(HeldAttempt attempt) => attempt.IsSilent
        ? new(
            FaultCode.ProgressTimedOut,
            string.Create(
                CultureInfo.InvariantCulture,
                $"the attempt said nothing for {attempt.Limits.ProgressTimeoutMs} ms; report progress more often, or "
                + $"allow a longer silence"))
        : new(
            FaultCode.AttemptTimedOut,
            string.Create(CultureInfo.InvariantCulture, $"the attempt ran longer than {attempt.Limits.TimeoutMs} ms"));

    /// <summary>The attempt is not silent. For any thread.</summary>
    public void Spoke(HeldAttempt attempt)
    {
        if (attempt.SilenceMax != 0)
        {
            attempt.Speak(time.GetTimestamp());
        }
    }

    /// <summary>
    /// Starts what waits and may start: after something came in, a slot came free, or the lease was renewed.
    /// </summary>
    /// <returns>Whether anything was started.</returns>
    public bool StartWaiting()
    {
        for (var any = false; ; any = true)
        {
            HeldAttempt? attempt;
            SlotThread? thread = null;
            var number = 0;
            lock (book.Gate)
            {
                // With all threads made and none idle, one is between two attempts and will ask for this one itself.
                if (!TryStart(time.GetTimestamp(), _idle.Count > 0 || _threads < slots, out attempt))
                {
                    return any;
                }

                if (attempt!.Handler.Place == HandlerPlace.SlotThread && !_idle.TryPop(out thread))
                {
                    Invariant.That(_threads < slots);
                    number = ++_threads;
                }
            }

            Launch(attempt!, thread, number);
        }
    }

    /// <summary>Takes an attempt back, from any thread but a slot thread that ran it to its end.</summary>
    public void Finish(HeldAttempt attempt, in AttemptEnd end)
    {
        if (FinishInRound(attempt, end))
        {
            // More results will come, and one message for several costs little more than for one (measured with
            // handlers that do nothing: 1.1 results a message and 1.2 us of CPU each when every end sent its own).
            sender.FlushSoon();
        }
        else
        {
            sender.Flush();
        }
    }

    /// <summary>
    /// Takes an attempt back, from a thread that calls <see cref="EndRound"/> when it knows of no other that has ended.
    /// </summary>
    /// <returns>Whether another was started in its place.</returns>
    public bool FinishInRound(HeldAttempt attempt, in AttemptEnd end)
    {
        var now = time.GetTimestamp();
        bool tell;
        lock (book.Gate)
        {
            book.Finish(attempt, end, now);
            tell = book.IsDraining;
        }

        if (tell)
        {
            progressed();
        }

        return StartWaiting();
    }

    /// <summary>Sends what the round has brought, without a change of threads.</summary>
    public void EndRound() => sender.Flush();

    /// <summary>
    /// Takes back what a slot thread ran, if it ended there, and gives it the next attempt; null when there is none and
    /// the thread counts as idle.
    /// </summary>
    public HeldAttempt? TakeNext(SlotThread thread, HeldAttempt ran, AttemptEnd? end)
    {
        var flushed = false;
        var tell = false;
        while (true)
        {
            bool isSoonBack, areDue;
            HeldAttempt? attempt;
            var now = time.GetTimestamp();
            lock (book.Gate)
            {
                if (end is { } known)
                {
                    end = null;
                    book.Finish(ran, known, now);
                    tell = book.IsDraining;
                }

                if (!TryStart(now, threadIsFree: true, out attempt) && flushed)
                {
                    if (_stopping)
                    {
                        thread.End();
                    }
                    else
                    {
                        _idle.Push(thread);
                    }

                    return null;
                }

                isSoonBack = attempt is not null && book.IsSoonOver(attempt);
                areDue = book.AreResultsDue;
            }

            if (tell)
            {
                tell = false;
                progressed();
            }

            if (attempt is null)
            {
                // Nothing else to do here, so this thread sends what it has made before it sleeps.
                sender.Flush();
                flushed = true;
                continue;
            }

            if (!attempt.Handler.SendsItself)
            {
                SendWhileRunning(isSoonBack, areDue);
            }

            if (attempt.Handler.Place == HandlerPlace.SlotThread)
            {
                return attempt;
            }

            Launch(attempt, null, 0);
        }
    }

    /// <summary>Stops an attempt whose result is not wanted any more, if it is here.</summary>
    public void Abandon(ReadOnlySpan<AttemptKey> keys)
    {
        foreach (var key in keys)
        {
            HeldAttempt? stop;
            lock (book.Gate)
            {
                stop = book.Abandon(key);
            }

            stop?.Handler.Stop(stop, this);
        }

        // What was taken out of the queue counts as ended, which the Scheduler wants to know.
        sender.Flush();
    }

    /// <summary>Stops everything: the worker was lost, or its time to drain is over.</summary>
    public void AbandonAll()
    {
        var stop = new List<HeldAttempt>();
        lock (book.Gate)
        {
            book.AbandonAll(stop);
        }

        StopAll(stop);
    }

    /// <summary>Stops what runs and nothing else.</summary>
    public void AbandonRunning()
    {
        var stop = new List<HeldAttempt>();
        lock (book.Gate)
        {
            foreach (var attempt in book.Running)
            {
                stop.Add(attempt);
            }

            foreach (var attempt in stop)
            {
                book.Abandon(attempt.Key);
            }
        }

        StopAll(stop);
    }

    /// <summary>Ends the attempts whose time is over. Called by the heartbeat thread.</summary>
    /// <returns>When to look next.</returns>
    public long CheckDeadlines(List<HeldAttempt> scratch)
    {
        var now = time.GetTimestamp();
        long next;
        lock (book.Gate)
        {
            scratch.Clear();
            book.TakeTimedOut(now, scratch);
            foreach (var attempt in scratch)
            {
                if (attempt.Handler.EndsAtTimeout)
                {
                    book.Report(attempt, AttemptEnd.TimedOut(TimedOutFailure(attempt)), now);
                }
            }

            next = book.NextDeadline;
        }

        if (scratch.Count > 0)
        {
            StopAll(scratch);
            sender.Flush();
        }

        return next;
    }

    /// <summary>Ends the idle slot threads, and the others when their handlers return.</summary>
    public void StopThreads()
    {
        lock (book.Gate)
        {
            _stopping = true;
            while (_idle.TryPop(out var thread))
            {
                thread.End();
            }
        }
    }

    public TaskContext Context(HeldAttempt attempt)
    {
        DateTimeOffset? deadline =
            attempt.Limits.TimeoutMs == 0
                ? null
                : time.GetUtcNow() + TimeSpan.FromMilliseconds(attempt.Limits.TimeoutMs);
        return new(attempt, time, deadline);
    }

    /// <summary>Cancels the token that the attempt's handler watches; its callbacks run on the pool.</summary>
    public void CancelToken(HeldAttempt attempt)
    {
        CancellationTokenSource? cancel;
        lock (book.Gate)
        {
            cancel = attempt.Cancel;
        }

        if (cancel is not null)
        {
            _ = CancelAsync(cancel, attempt.Key);
        }
    }

    /// <summary>Remembers the process of a command.</summary>
    /// <returns>Whether it must be stopped at once.</returns>
    public bool SetChild(HeldAttempt attempt, Commands.ChildProcess child)
    {
        lock (book.Gate)
        {
            if (attempt.Phase == AttemptPhase.Running)
            {
                attempt.Child = child;
            }

            return attempt.IsStopWanted;
        }
    }

    public Commands.ChildProcess? ChildOf(HeldAttempt attempt)
    {
        lock (book.Gate)
        {
            return attempt.Child;
        }
    }

    // With the gate held.
    private bool TryStart(long now, bool threadIsFree, out HeldAttempt? attempt)
    {
        if (!book.TryStart(now, threadIsFree, out attempt))
        {
            return false;
        }

        if (attempt!.Handler.TakesToken)
        {
            attempt.Cancel = new CancellationTokenSource();
        }

        return true;
    }

    private void Launch(HeldAttempt attempt, SlotThread? thread, int newThreadNumber)
    {
        if (attempt.Limits.TimeoutMs != 0 || attempt.Limits.ProgressTimeoutMs != 0)
        {
            sender.DeadlineAt(attempt.DueAt);
        }

        if (attempt.Handler.Place == HandlerPlace.ThreadPool)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static work => work.Executor.RunOnPool(work.Attempt),
                (Executor: this, Attempt: attempt),
                preferLocal: false);
            return;
        }

        thread ??= new SlotThread(this, newThreadNumber);
        thread.Give(attempt);
    }

    // A thread that is soon back sends for itself when enough has gathered; otherwise another one does it meanwhile.
    private void SendWhileRunning(bool isSoonBack, bool areDue)
    {
        if (!isSoonBack)
        {
            sender.FlushSoon();
        }
        else if (areDue)
        {
            sender.Flush();
        }
    }

    private void RunOnPool(HeldAttempt attempt)
    {
        if (attempt.Handler.Run(attempt, this) is { } end)
        {
            Finish(attempt, end);
        }
    }

    private void StopAll(List<HeldAttempt> attempts)
    {
        foreach (var attempt in attempts)
        {
            attempt.Handler.Stop(attempt, this);
        }
    }

    private async Task CancelAsync(CancellationTokenSource cancel, AttemptKey key)
    {
        try
        {
            await cancel.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException exception)
        {
            // A callback that the handler registered on its token threw; the attempt ends as it would have anyway.
            WorkerLog.CancelCallbackFailed(log, exception, key.Task);
        }
    }
}
