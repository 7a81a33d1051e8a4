// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>A task ends once, and its end never becomes another.</summary>
internal sealed class OneEnd() : InvariantCheck("I3")
{
    // What ended in memory alone may end anew after the power went; what a client has seen may not.
    private readonly HashSet<ulong> _done = [];
    private readonly Dictionary<ulong, (ulong End, long TimeUs)> _seen = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        switch (entry.Op)
        {
            case HistoryOp.PowerLoss:
                LosePower(entry, stories);
                break;
            case HistoryOp.Done when !_done.Add(entry.Task):
                Fail($"task {Id(entry.Task)} ended twice");
                break;
            case HistoryOp.Result when !_seen.TryAdd(entry.Task, (entry.Detail, entry.TimeUs)):
                if (_seen[entry.Task].End != entry.Detail)
                {
                    Fail($"task {Id(entry.Task)} ended as {_seen[entry.Task].End} and then as {entry.Detail}");
                }

                break;
            default:
                break;
        }
    }

    private void LosePower(in HistoryEntry entry, Stories stories)
    {
        _done.Clear();
        foreach (var (task, seen) in _seen)
        {
            if (ResultNeverChanges.MayBeUndone(stories, task, seen.TimeUs, entry))
            {
                _seen.Remove(task);
            }
        }
    }
}
