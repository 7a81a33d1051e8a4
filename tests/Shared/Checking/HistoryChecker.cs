// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Checking.Promises;

namespace Muster.Checking;

/// <summary>
/// Holds a history against the promises I1 to I19. One pass; the lines must stand in the order in which they happened,
/// as far as one clock can tell.
/// </summary>
internal static class HistoryChecker
{
    /// <summary>One of each, new.</summary>
    public static InvariantCheck[] Checks() =>
    [
        new NoneLost(),
        new NoneUnexpected(),
        new OneEnd(),
        new OneAcceptedResult(),
        new AttemptsRise(),
        new ResultNeverChanges(),
        new AckedIsInJournal(),
        new OneTaskPerKey(),
        new AttemptsWithinLimit(),
        new NeverTwiceTheSameAttempt(),
        new AcceptedFromHolder(),
        new WithinSlots(),
        new PartsAddUp(),
        new PriorityFirst(),
        new ChildrenAfterParents(),
        new TimersNotEarly(),
        new CancelledStaysCancelled(),
        new WithinBounds(),
        new EndsInTime(),
    ];

    /// <summary>Every violation, in the order of the lines that showed them.</summary>
    public static List<Violation> Check(IReadOnlyList<HistoryEntry> history)
    {
        var violations = new List<Violation>();
        var checks = Checks();
        foreach (var check in checks)
        {
            check.Begin(violations);
        }

        var stories = new Stories();
        for (var at = 0; at < history.Count; at++)
        {
            var entry = history[at];
            stories.Before(entry);
            foreach (var check in checks)
            {
                check.See(entry, stories, at);
            }

            stories.After(entry);
        }

        foreach (var check in checks)
        {
            check.End(stories, history.Count);
        }

        return violations;
    }
}
