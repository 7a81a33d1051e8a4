// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking.Promises;

/// <summary>Once nothing goes wrong any more, everything that was accepted ends in time.</summary>
internal sealed class EndsInTime() : InvariantCheck("I19")
{
    protected override void See(in HistoryEntry entry, Stories stories)
    {
        if (entry.Op == HistoryOp.Drained && entry.Outcome == HistoryOutcome.Refused)
        {
            Fail("not everything came to its end in time");
        }

        if (entry.Op != HistoryOp.Result || stories.HealedUs < 0
            || !stories.Keys.TryGetValue(entry.Key, out var key) || key.EndedUs >= 0)
        {
            return;
        }

        var startUs = System.Math.Max(stories.HealedUs, key.AckedUs);
        if (entry.TimeUs - startUs > stories.EndWithinUs)
        {
            Fail($"submission {Id(entry.Key)} took {entry.TimeUs - startUs} us after nothing went wrong any more");
        }
    }
}
