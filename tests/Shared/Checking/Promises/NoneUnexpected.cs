// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking.Promises;

/// <summary>Nothing runs or ends that nobody submitted, or that was refused, or with other bytes.</summary>
internal sealed class NoneUnexpected() : InvariantCheck("I2")
{
    protected override void See(in HistoryEntry entry, Stories stories)
    {
        if (entry.Op is not (HistoryOp.Start or HistoryOp.Result or HistoryOp.Accept))
        {
            return;
        }

        if (entry.Op == HistoryOp.Accept)
        {
            if (stories.Task(entry.Task).Dispatched == 0)
            {
                Fail($"a result of task {Id(entry.Task)} was taken, which was never given out");
            }

            return;
        }

        if (!stories.Keys.TryGetValue(entry.Key, out var key))
        {
            Fail($"{entry.Op} of task {Id(entry.Task)}, whose submission {Id(entry.Key)} nobody made");
        }
        else if (key.IsRefused)
        {
            Fail($"{entry.Op} of task {Id(entry.Task)}, whose submission {Id(entry.Key)} was refused");
        }
        else if (entry.Op == HistoryOp.Start && key.Payload != entry.Value)
        {
            Fail($"task {Id(entry.Task)} runs with another payload than submission {Id(entry.Key)} had");
        }
    }
}
