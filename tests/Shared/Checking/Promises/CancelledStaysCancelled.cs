// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>Once a cancellation was answered OK, no result of the task is taken and none is shown.</summary>
internal sealed class CancelledStaysCancelled() : InvariantCheck("I17")
{
    private const ulong Cancelled = 4;

    private readonly HashSet<ulong> _cancelled = [];
    private readonly Dictionary<ulong, ulong> _shown = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        switch (entry.Op)
        {
            case HistoryOp.Cancel when entry.Outcome == HistoryOutcome.Ok:
                _cancelled.Add(entry.Task);
                if (_shown.GetValueOrDefault(entry.Task, Cancelled) != Cancelled)
                {
                    Fail($"task {Id(entry.Task)} was cancelled after it had shown a result");
                }

                break;
            case HistoryOp.Accept when _cancelled.Contains(entry.Task):
                Fail($"task {Id(entry.Task)}: a result was taken after it had been cancelled");
                break;
            case HistoryOp.Result:
                _shown[entry.Task] = entry.Detail;
                if (entry.Detail != Cancelled && _cancelled.Contains(entry.Task))
                {
                    Fail($"task {Id(entry.Task)} shows a result and had been cancelled");
                }

                break;
            default:
                break;
        }
    }
}
