// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <content>What time brings: retries, expiry, retention, absent clients, full rings tried again.</content>
internal sealed partial class PlmCore
{
    /// <summary>When <see cref="RunTimers"/> has something to do next, monotonic ms.</summary>
    public long NextDueMs
    {
        get
        {
            var isWaiting = _owed.Count + _unjudged.Count > 0 || _releasing.Count > 0 || _cancels.Count > 0;
            var ringMs = isWaiting ? _now.Ms + PlmLimits.RingRetryMs : long.MaxValue;
            var timerMs = Math.Min(Math.Min(_timers.NextDueMs, _deadlines.NextDueMs), _snapshotDueMs);
            timerMs = Math.Min(timerMs, _heldBackUntilMs);
            timerMs = Math.Min(timerMs, _holds.Count > 0 ? _now.Ms + PlmLimits.HoldLookMs : long.MaxValue);
            return Math.Min(Math.Min(timerMs, ringMs), Math.Min(_sessionSweepAtMs, _orphanSweepAtMs));
        }
    }

    /// <summary>
    /// Does what is due. Releases and cancellations that wait for a ring are tried at the end of every turn.
    /// </summary>
    public void RunTimers()
    {
        Invariant.That(_inTurn);
        FlushPushes();
        JudgeWaiting();

        while (_deadlines.TryPopDue(_now.Ms, out var late))
        {
            EndNow(_tasks.IdOf(late), late, _tasks.Read(late), FaultCode.TaskTimedOut);
        }

        while (_timers.TryPopDue(_now.Ms, out var index))
        {
            Fire(index);
        }

        if (_sessionSweepAtMs <= _now.Ms)
        {
            SweepSessions();
            SweepKeys();
        }

        if (_orphanSweepAtMs <= _now.Ms)
        {
            SweepOrphans();
        }

        RunHeldBack();
        RunSnapshot();
    }

    private void Fire(uint index)
    {
        var word = _tasks.Read(index);
        switch (word.State)
        {
            case TaskState.Delayed:
                Count(CellCounter.DelayedNow, -1);
                QueuePush(index, word);
                break;
            case TaskState.Done:
                Release(index);
                break;
            case TaskState.Accepted:
            case TaskState.Ready when _tasks[index].Executions == 0:
                // False: the Scheduler took it at this moment, so it started in time.
                TryEnd(index, word, FaultCode.TaskExpired);
                break;
            case TaskState.Assigned when _tasks[index].Executions == 1:
                // Its worker may give it back unstarted, and then it expires after all.
                _timers.Set(index, _now.Ms + PlmLimits.ExpiryAgainMs);
                break;
            default:
                // It was started in time.
                break;
        }
    }
}
