// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>
/// One submission is one task, however often it was sent; and no two have the same. Only a submission that was never
/// acknowledged, or whose level does not survive it, may become another task after the power went.
/// </summary>
internal sealed class OneTaskPerKey() : InvariantCheck("I8")
{
    private readonly Dictionary<ulong, ulong> _keyOf = [];
    private readonly Dictionary<ulong, (ulong Task, int Era)> _taskOf = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        if (entry.Task == 0 || entry.Key == 0
            || entry.Op is not (HistoryOp.Submit or HistoryOp.Start or HistoryOp.Result))
        {
            return;
        }

        if (!_keyOf.TryAdd(entry.Task, entry.Key) && _keyOf[entry.Task] != entry.Key)
        {
            Fail($"task {Id(entry.Task)} is of two submissions, {Id(_keyOf[entry.Task])} and {Id(entry.Key)}");
        }

        // What was given out before memory was lost may start after it.
        var story = stories.Task(entry.Task);
        var isLate = entry.Op == HistoryOp.Start && story.Dispatched > 0;
        var era = isLate ? story.Era : stories.PowerLosses.Count;
        if (_taskOf.TryAdd(entry.Key, (entry.Task, era)))
        {
            return;
        }

        var known = _taskOf[entry.Key];
        if (known.Task == entry.Task)
        {
            return;
        }

        var mayDiffer = era != known.Era
            && stories.Keys.TryGetValue(entry.Key, out var key)
            && (key.AckedUs < 0 || key.AckedUs == entry.TimeUs || era < known.Era || NoneLost.MayBeLost(key, stories));
        if (!mayDiffer)
        {
            Fail($"submission {Id(entry.Key)} became two tasks, {Id(known.Task)} and {Id(entry.Task)}");
        }

        if (era > known.Era)
        {
            _taskOf[entry.Key] = (entry.Task, era);
        }
    }
}
