// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>Whatever a client sees of a task again is byte for byte what it saw first.</summary>
internal sealed class ResultNeverChanges() : InvariantCheck("I6")
{
    private readonly Dictionary<ulong, (uint Attempt, ulong Value)> _seen = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        if (entry.Op != HistoryOp.Result || _seen.TryAdd(entry.Task, (entry.Attempt, entry.Value)))
        {
            return;
        }

        if (_seen[entry.Task] != (entry.Attempt, entry.Value))
        {
            Fail($"task {Id(entry.Task)}: its result changed, from attempt {_seen[entry.Task].Attempt} to "
                + $"{entry.Attempt}");
        }
    }
}
