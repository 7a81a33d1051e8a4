// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>
/// A task is not tried more often than it may be. A worker's loss costs nothing of that up to a limit, and a role that
/// died may have forgotten one failure. With one attempt there is no such allowance: it starts once or never.
/// </summary>
internal sealed class AttemptsWithinLimit() : InvariantCheck("I9")
{
    /// <summary>Starts that the loss of workers may add: TaskLimits.LostAttemptsMax.</summary>
    private const int LossesMax = 10;
    private const ulong Failed = 2;
    private const ulong TimedOut = 3;

    private readonly Dictionary<ulong, int> _starts = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        switch (entry.Op)
        {
            case HistoryOp.Start when stories.Keys.TryGetValue(entry.Key, out var key):
                SeeStart(entry.Task, key, stories);
                break;
            case HistoryOp.Accept when entry.Outcome == HistoryOutcome.Refused:
                SeeFailure(entry, stories);
                break;
            case HistoryOp.Result when entry.Detail is Failed or TimedOut:
                SeeFailedEnd(entry, stories);
                break;
            default:
                break;
        }
    }

    private void SeeStart(ulong task, KeyStory key, Stories stories)
    {
        var starts = _starts[task] = _starts.GetValueOrDefault(task) + 1;
        if (key.Facts.AttemptsMax == 1)
        {
            if (starts > 1)
            {
                Fail($"task {Id(task)} may run once and was started {starts} times");
            }

            return;
        }

        var forgotten = stories.RolesDied + (stories.PowerLosses.Count * key.Facts.AttemptsMax);
        if (starts > key.Facts.AttemptsMax + LossesMax + forgotten)
        {
            Fail($"task {Id(task)} has {key.Facts.AttemptsMax} attempts and was started {starts} times");
        }
    }

    private void SeeFailure(in HistoryEntry entry, Stories stories)
    {
        if (stories.KeyOf(entry.Task) is not { } key)
        {
            return;
        }

        var known = stories.Task(entry.Task).Failures;
        var failures = known.Count + (known.Contains(entry.Attempt) ? 0 : 1);
        var forgotten = stories.RolesDied + (stories.PowerLosses.Count * key.Facts.AttemptsMax);
        if (failures > key.Facts.AttemptsMax + forgotten)
        {
            Fail($"task {Id(entry.Task)} has {key.Facts.AttemptsMax} attempts and failed {failures} times");
        }
    }

    // An end that the last failure made; one that the loss of a worker made names no taken attempt.
    private void SeeFailedEnd(in HistoryEntry entry, Stories stories)
    {
        var task = stories.Task(entry.Task);
        if (stories.KeyOf(entry.Task) is { } key
            && task.LastFailed == entry.Attempt
            && task.Failures.Count > 0
            && task.Failures.Count < key.Facts.AttemptsMax)
        {
            Fail($"task {Id(entry.Task)} has {key.Facts.AttemptsMax} attempts and ended after "
                + $"{task.Failures.Count} failures");
        }
    }
}
