// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>No attempt is run twice: not by two workers, and not again by the same one.</summary>
internal sealed class NeverTwiceTheSameAttempt() : InvariantCheck("I10")
{
    private readonly Dictionary<(ulong Task, uint Attempt), string> _ranBy = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        if (entry.Op == HistoryOp.Start && !_ranBy.TryAdd((entry.Task, entry.Attempt), entry.Actor))
        {
            Fail($"attempt {entry.Attempt} of task {Id(entry.Task)} was started by "
                + $"{_ranBy[(entry.Task, entry.Attempt)]} and by {entry.Actor}");
        }
    }
}
