// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using Muster.Arena;
using Muster.Core;
using Muster.Plm;

namespace Muster.Server.PlmHosting;

/// <content>A turn from within: what it releases, whom it wakes, and the thread whose turns are about time.</content>
internal sealed partial class PlmHost
{
    private void RunLocked(IPlmTurn turn, List<SessionStream> touched)
    {
        var core = _core!;
        var now = Now();
        core.BeginTurn(now);
        turn.Run(core, now);
        RedeemPromises(core);
        core.EndTurn();
        if (_journal is not null && _journal.TakeDirty())
        {
            _journalThread?.Appended(core.WantsSync);
        }

        ReleaseWaiters(all: false);
        foreach (var stream in _touched)
        {
            stream.ClearTouch();
            touched.Add(stream);
        }

        _touched.Clear();
    }

    // Before results go out, so that a task's acceptance is heard of first.
    private void RedeemPromises(PlmCore core)
    {
        for (var at = _promising.Count - 1; at >= 0; at--)
        {
            if (_promising[at].TryRedeem(core))
            {
                _promising.RemoveAt(at);
            }
        }
    }

    private void ReleaseWaiters(bool all)
    {
        for (var at = _waiters.Count - 1; at >= 0; at--)
        {
            var waiter = _waiters[at];
            if (all || _core!.IsReached(waiter.Sequence, waiter.Durability))
            {
                _waiters.RemoveAt(at);
                waiter.Resolve(all ? s_stopping : Fault.None);
            }
        }
    }

    // Whether the role's thread sleeps too long for what this turn has left to do.
    private bool NoteNextDue(bool isRoleTurn)
    {
        var dueMs = _failure is null ? _core!.NextDueMs : 0;
        var isEarlier = dueMs < _nextDueMs;
        _nextDueMs = dueMs;
        if (isRoleTurn)
        {
            _roleTurn.NextDueMs = dueMs;
        }

        return isEarlier && !isRoleTurn;
    }

    private void Finish(List<SessionStream> touched, Exception? failure, bool wakeSelf)
    {
        WakeOthers(wakeSelf);

        if (failure is not null)
        {
            Tell(failure, [.. touched]);
        }
        else
        {
            foreach (var stream in touched)
            {
                stream.SendAfterTurn();
            }
        }

        touched.Clear();
        s_touched = touched;
    }

    private void Tell(Exception failure, SessionStream[] streams)
    {
        PlmLog.Failed(_logger, _options.Cell, failure);
        _ended.Cancel();
        WakeOthers(wakeSelf: true);
        foreach (var stream in streams)
        {
            stream.End(s_notRunning);
        }

        _options.Failed?.Invoke(failure);
    }

    private void WakeOthers(bool wakeSelf = false)
    {
        var wakeScheduler = Interlocked.Exchange(ref _wakeScheduler, false);
        var wakeRegister = Interlocked.Exchange(ref _wakeRegister, false);
        if (!wakeScheduler && !wakeRegister && !wakeSelf)
        {
            return;
        }

        lock (_waking)
        {
            if (_stopped)
            {
                // Who takes over looks at everything anyway.
                return;
            }

            if (wakeScheduler)
            {
                _schedulerWake.Signal();
            }

            if (wakeRegister)
            {
                _registerWake.Signal();
            }

            if (wakeSelf)
            {
                _wake.Signal();
            }
        }
    }

    private void Work()
    {
        var lookAgainMs = Now().Ms + WaitMsMax;
        while (TryRun(_roleTurn, out _))
        {
            var nowMs = Now().Ms;
            if (nowMs >= lookAgainMs)
            {
                lookAgainMs = nowMs + WaitMsMax;
                _arena.Set(CellCounter.PlmAllocated, (ulong)GC.GetTotalAllocatedBytes());
                if (!_arena.IsStillLinked())
                {
                    Fail(new ArenaRemovedException(_options.Cell, "PLM"));
                    return;
                }
            }

            if (!_roleTurn.HasMore)
            {
                _wake.Wait((int)Math.Clamp(_roleTurn.NextDueMs - nowMs, 0, WaitMsMax));
            }
        }
    }

    /// <summary>A turn that runs a closure.</summary>
    private sealed class FuncTurn<T>(Func<PlmCore, PlmTime, T> act) : IPlmTurn
    {
        public T? Result { get; private set; }

        public void Run(PlmCore core, PlmTime now) => Result = act(core, now);
    }

    /// <summary>The turn of the thread "plm".</summary>
    private sealed class RoleTurn(PlmHost host) : IPlmTurn
    {
        public bool HasMore { get; private set; }

        public long NextDueMs { get; set; }

        public void Run(PlmCore core, PlmTime now)
        {
            while (host._withRoom.TryDequeue(out var stream))
            {
                stream.Resume(core);
            }

            HasMore = core.DrainFinished();
            core.RunTimers();
        }
    }
}
