// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>
/// What was accepted as durable stands in the journal, read by a reader that shares no code with the server.
/// </summary>
internal sealed class AckedIsInJournal() : InvariantCheck("I7")
{
    private readonly Dictionary<ulong, JournalFacts> _found = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        if (entry.Op == HistoryOp.InJournal)
        {
            _found[entry.Task] = _found.GetValueOrDefault(entry.Task) | (JournalFacts)entry.Detail;
        }
        else if (entry.Op == HistoryOp.JournalRead)
        {
            foreach (var key in stories.Keys.Values)
            {
                Look(key);
            }

            _found.Clear();
        }
    }

    private void Look(KeyStory key)
    {
        if (key.AckedUs < 0 || key.EndedUs >= 0 || key.Level is not (HistoryLevel.Durable or HistoryLevel.Replicated))
        {
            return;
        }

        var facts = _found.GetValueOrDefault(key.Task);
        if ((facts & JournalFacts.Submitted) == 0 || (facts & JournalFacts.Released) != 0)
        {
            Fail($"submission {Id(key.Key)} was accepted as durable task {Id(key.Task)}; the journal says {facts}");
        }
    }
}
