// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>
/// At most one result of a task is taken, of the attempt that was current then; and what the client gets is what that
/// attempt made.
/// </summary>
internal sealed class OneAcceptedResult() : InvariantCheck("I4")
{
    private const ulong Succeeded = 1;

    private readonly HashSet<(ulong Task, uint Attempt)> _taken = [];
    private readonly Dictionary<(ulong Task, uint Attempt), ulong> _made = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        switch (entry.Op)
        {
            case HistoryOp.Ran:
                _made[(entry.Task, entry.Attempt)] = entry.Value;
                break;
            case HistoryOp.PowerLoss:
                // What was taken and not journaled is taken again.
                _taken.Clear();
                break;
            case HistoryOp.Accept:
                SeeAccepted(entry, stories.Task(entry.Task));
                break;
            case HistoryOp.Result when entry.Detail == Succeeded:
                SeeSuccess(entry);
                break;
            default:
                break;
        }
    }

    private void SeeAccepted(in HistoryEntry entry, TaskStory task)
    {
        if (task.Attempt != entry.Attempt)
        {
            Fail($"task {Id(entry.Task)}: a result of attempt {entry.Attempt} was taken while {task.Attempt} "
                + "was current");
        }

        if (task.Succeeded > 0 || !_taken.Add((entry.Task, entry.Attempt)))
        {
            Fail($"task {Id(entry.Task)}: a second result was taken, of attempt {entry.Attempt}");
        }

        if (_made.TryGetValue((entry.Task, entry.Attempt), out var made) && made != entry.Value)
        {
            Fail($"task {Id(entry.Task)}: what was taken is not what attempt {entry.Attempt} made");
        }
    }

    private void SeeSuccess(in HistoryEntry entry)
    {
        if (_made.Count == 0)
        {
            // The workers of this history wrote none; only the clients' lines can be held against each other.
            return;
        }

        if (!_made.TryGetValue((entry.Task, entry.Attempt), out var made))
        {
            Fail($"task {Id(entry.Task)} succeeded by attempt {entry.Attempt}, which made no result");
        }
        else if (made != entry.Value)
        {
            Fail($"task {Id(entry.Task)}: the client got another result than attempt {entry.Attempt} made");
        }
    }
}
