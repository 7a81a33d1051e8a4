// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>
/// A result is taken only from the registration that got the attempt, and not once that was given up.
/// </summary>
internal sealed class AcceptedFromHolder() : InvariantCheck("I11")
{
    private readonly HashSet<ulong> _fenced = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        if (entry.Op == HistoryOp.Fence)
        {
            _fenced.Add(entry.Detail);
            return;
        }

        if (entry.Op == HistoryOp.PowerLoss)
        {
            // A new arena counts registrations from the beginning.
            _fenced.Clear();
            return;
        }

        if (entry.Op != HistoryOp.Accept)
        {
            return;
        }

        if (stories.Task(entry.Task).Registration != entry.Detail)
        {
            Fail($"task {Id(entry.Task)}: a result was taken from {Id(entry.Detail)}, and "
                + $"{Id(stories.Task(entry.Task).Registration)} holds it");
        }
        else if (_fenced.Contains(entry.Detail))
        {
            Fail($"task {Id(entry.Task)}: a result was taken from {Id(entry.Detail)}, which was given up");
        }
    }
}
