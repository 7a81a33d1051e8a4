// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>A task ends once, and its end never becomes another.</summary>
internal sealed class OneEnd() : InvariantCheck("I3")
{
    // What ended in memory alone may end anew after the power went; what a client has seen may not.
    private readonly Dictionary<ulong, ulong> _done = [];
    private readonly Dictionary<ulong, ulong> _seen = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        switch (entry.Op)
        {
            case HistoryOp.PowerLoss:
                _done.Clear();
                break;
            case HistoryOp.Done when !_done.TryAdd(entry.Task, entry.Detail):
                Fail($"task {Id(entry.Task)} ended twice");
                break;
            case HistoryOp.Result when !_seen.TryAdd(entry.Task, entry.Detail) && _seen[entry.Task] != entry.Detail:
                Fail($"task {Id(entry.Task)} ended as {_seen[entry.Task]} and then as {entry.Detail}");
                break;
            default:
                break;
        }
    }
}
