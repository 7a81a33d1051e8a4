// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>
/// No timer goes off before its moment. Only one that outlived its role counts by the wall clock in between, so it may
/// be as early as that clock jumped forward, and a millisecond for the rounding of both.
/// </summary>
internal sealed class TimersNotEarly() : InvariantCheck("I16")
{
    private const long RoundingUs = 1_000;

    private readonly Dictionary<ulong, (long DueUs, long JumpedUs, int RolesDied)> _set = [];
    private long _jumpedUs;

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        switch (entry.Op)
        {
            case HistoryOp.TimerSet:
                _set[entry.Task] = ((long)entry.Value, _jumpedUs, stories.RolesDied);
                break;
            case HistoryOp.TimerFired when _set.Remove(entry.Task, out var timer):
                var survived = stories.RolesDied > timer.RolesDied;
                var earliestUs = timer.DueUs - (survived ? _jumpedUs - timer.JumpedUs + RoundingUs : 0);
                if (entry.TimeUs < earliestUs)
                {
                    Fail($"the timer of task {Id(entry.Task)} went off {earliestUs - entry.TimeUs} us early");
                }

                break;
            case HistoryOp.ClockJump:
                _jumpedUs += System.Math.Max(0, (long)entry.Value);
                break;
            default:
                break;
        }
    }
}
