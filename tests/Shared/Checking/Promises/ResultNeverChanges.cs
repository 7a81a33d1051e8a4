// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>
/// Whatever a client sees of a task again is byte for byte what it saw first. Only the result of a relaxed task that
/// was shown within the flush interval before the power went may be made anew.
/// </summary>
internal sealed class ResultNeverChanges() : InvariantCheck("I6")
{
    private readonly Dictionary<ulong, (uint Attempt, ulong Value, long TimeUs)> _seen = [];

    /// <summary>Forgets what may have been lost with the power after it was shown.</summary>
    public static bool MayBeUndone(Stories stories, ulong task, long shownUs, in HistoryEntry powerLoss) =>
        shownUs >= powerLoss.TimeUs - (long)powerLoss.Value
        && powerLoss.Value > 0
        && stories.KeyOf(task) is { Level: HistoryLevel.Relaxed };

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        if (entry.Op == HistoryOp.PowerLoss)
        {
            foreach (var (task, seen) in _seen)
            {
                if (MayBeUndone(stories, task, seen.TimeUs, entry))
                {
                    _seen.Remove(task);
                }
            }
        }

        if (entry.Op != HistoryOp.Result
            || _seen.TryAdd(entry.Task, (entry.Attempt, entry.Value, entry.TimeUs)))
        {
            return;
        }

        var (attempt, value, _) = _seen[entry.Task];
        if (attempt != entry.Attempt || value != entry.Value)
        {
            Fail($"task {Id(entry.Task)}: its result changed, from attempt {attempt} to {entry.Attempt}");
        }
    }
}
