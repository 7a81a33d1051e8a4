// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking.Promises;

/// <summary>A worker runs no more than it has slots for, and in the end nothing.</summary>
internal sealed class WithinSlots() : InvariantCheck("I12")
{
    private readonly Dictionary<string, (ulong Slots, int Running)> _workers = [];

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        switch (entry.Op)
        {
            case HistoryOp.WorkerUp:
                _workers[entry.Actor] = (entry.Detail, 0);
                break;
            case HistoryOp.WorkerDown:
                _workers.Remove(entry.Actor);
                break;
            case HistoryOp.Start:
                Count(entry.Actor, 1);
                break;
            case HistoryOp.Stop:
                Count(entry.Actor, -1);
                break;
            default:
                break;
        }
    }

    protected override void End(Stories stories)
    {
        foreach (var (name, worker) in _workers)
        {
            if (stories.IsDrained && worker.Running != 0)
            {
                Fail($"{name} still runs {worker.Running} attempts after the end");
            }
        }
    }

    private void Count(string name, int change)
    {
        if (!_workers.TryGetValue(name, out var worker))
        {
            return;
        }

        var running = worker.Running + change;
        if (running < 0 || (ulong)running > worker.Slots)
        {
            Fail($"{name} has {worker.Slots} slots and runs {running}");
        }

        _workers[name] = (worker.Slots, running);
    }
}
