// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>
/// Among tasks of one handler none is given out while one of a higher priority has been waiting for longer than the
/// window: what becomes ready while a pass goes on is seen by the next.
/// </summary>
internal sealed class PriorityFirst() : InvariantCheck("I14")
{
    private const long WindowUs = 100_000;

    private readonly Dictionary<ulong, (ulong Class, long SinceUs)> _ready = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        switch (entry.Op)
        {
            case HistoryOp.Ready:
                _ready[entry.Task] = (entry.Detail, entry.TimeUs);
                break;
            case HistoryOp.Done:
                _ready.Remove(entry.Task);
                break;
            case HistoryOp.PowerLoss:
                _ready.Clear();
                break;
            case HistoryOp.Dispatch:
                _ready.Remove(entry.Task);
                LookForOvertaken(entry);
                break;
            default:
                break;
        }
    }

    private void LookForOvertaken(in HistoryEntry entry)
    {
        var priority = (byte)entry.Value;
        var handler = entry.Value >> 8;
        foreach (var (task, (taskClass, sinceUs)) in _ready)
        {
            if (taskClass >> 8 == handler && (byte)taskClass > priority && entry.TimeUs - sinceUs > WindowUs)
            {
                Fail($"task {Id(entry.Task)} of priority {priority} was given out while task {Id(task)} of "
                    + $"{(byte)taskClass} had waited for {entry.TimeUs - sinceUs} us");
                return;
            }
        }
    }
}
