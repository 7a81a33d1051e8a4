// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking.Promises;

/// <summary>What is used and what is free are the whole, in each of the arena's tables.</summary>
internal sealed class PartsAddUp() : InvariantCheck("I13")
{
    protected override void See(in HistoryEntry entry, Stories stories)
    {
        if (entry.Op == HistoryOp.Sum && entry.Task + entry.Key != entry.Value)
        {
            Fail($"{entry.Actor}: {entry.Task} used and {entry.Key} free are not {entry.Value}");
        }
    }
}
