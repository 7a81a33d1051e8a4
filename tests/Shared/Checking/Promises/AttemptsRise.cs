// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking.Promises;

/// <summary>Each time a task is given out its attempt is a higher number, across restarts too.</summary>
internal sealed class AttemptsRise() : InvariantCheck("I5")
{
    protected override void See(in HistoryEntry entry, Stories stories)
    {
        if (entry.Op == HistoryOp.Dispatch && entry.Attempt <= stories.Task(entry.Task).Highest)
        {
            Fail($"task {Id(entry.Task)} was given out under attempt {entry.Attempt}, after "
                + $"{stories.Task(entry.Task).Highest}");
        }
    }
}
