// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>A task starts only after each task that it depends on has succeeded.</summary>
internal sealed class ChildrenAfterParents() : InvariantCheck("I15")
{
    private readonly Dictionary<ulong, List<ulong>> _parents = [];
    private readonly HashSet<ulong> _succeeded = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        switch (entry.Op)
        {
            case HistoryOp.DependsOn:
                if (!_parents.TryGetValue(entry.Task, out var parents))
                {
                    _parents.Add(entry.Task, parents = []);
                }

                parents.Add(entry.Key);
                break;
            case HistoryOp.Accept when entry.Outcome == HistoryOutcome.Ok:
                _succeeded.Add(entry.Task);
                break;
            case HistoryOp.Start when _parents.TryGetValue(entry.Task, out var needed):
                foreach (var parent in needed)
                {
                    if (!_succeeded.Contains(parent))
                    {
                        Fail($"task {Id(entry.Task)} started before task {Id(parent)} had succeeded");
                    }
                }

                break;
            default:
                break;
        }
    }
}
