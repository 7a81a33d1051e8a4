// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking.Promises;

/// <summary>Whatever has a bound stays within it whenever it is counted.</summary>
internal sealed class WithinBounds() : InvariantCheck("I18")
{
    protected override void See(in HistoryEntry entry, Stories stories)
    {
        if (entry.Op == HistoryOp.Bound && entry.Value > entry.Detail)
        {
            Fail($"{entry.Actor} is {entry.Value} and its bound is {entry.Detail}");
        }
    }
}
