// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using Muster.Arena;
using Muster.Arena.Spill;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <summary>
/// Says for people why a task does not run, from the arena alone. Made for one look at the cell, because it remembers
/// what it found about each handler; reads only, on any thread, and what it reads may change meanwhile.
/// </summary>
internal sealed class WaitReasons(ArenaMap arena, PlmTime now)
{
    private readonly Dictionary<ushort, string> _byHandler = [];
    private bool? _hasScheduler;

    // Counted only when asked for: it looks at every task.
    private int? _alone;

    /// <summary>Empty when nothing is odd.</summary>
    public string Explain(in TaskSlot slot, StateWord word) => word.State switch
    {
        TaskState.Accepted when IsHeld(in slot) =>
            "waits behind earlier tasks of its handler and priority, because the arena is full",
        TaskState.Accepted => arena.Counter(CellCounter.HoldsBack) != 0
            ? "the arena was made anew; a worker that still runs the task may claim it, for some seconds"
            : "waits for the journal, because it may start once only",
        TaskState.Ready => ExplainReady(in slot),
        TaskState.Delayed => ExplainDelayed(in slot),
        TaskState.Assigned or TaskState.Running => ExplainPlaced(slot.Worker),
        TaskState.Waiting => "waits for other tasks",
        _ => string.Empty,
    };

    private bool IsHeld(in TaskSlot slot) =>
        slot.MovedSlot is var moved and not 0
        && arena.Spill.State(SpillTable.ExtentOf(moved)) == SpillState.Held;

    private string ExplainReady(in TaskSlot slot)
    {
        var handler = arena.Profiles[slot.Profile].Handler;
        _hasScheduler ??= arena.Holder(Role.Scheduler).IsAlive;
        if (_hasScheduler == false)
        {
            return "no Scheduler is running; start it with: muster scheduler";
        }

        if (slot.Crashes > 0)
        {
            return $"waits for a worker of its own: {slot.Crashes} died while it ran, and perhaps of it";
        }

        if (!_byHandler.TryGetValue(handler, out var reason))
        {
            reason = HandlerRoom.Of(arena, handler).Explain(arena.Handlers.Name(handler), arena.Ready.Count);
            _byHandler.Add(handler, reason);
        }

        return reason.Length > 0 ? reason : ExplainFreeSlots();
    }

    // Slots are free, and the task may wait all the same: what died with a worker has the next one to itself.
    private string ExplainFreeSlots()
    {
        _alone ??= CountAlone();
        return _alone == 0
            ? string.Empty
            : $"slots are free on workers that are kept for tasks that have one to themselves, now {_alone}, "
                + "because workers died while they ran";
    }

    private int CountAlone()
    {
        var count = 0;
        for (uint index = 0; index < arena.Tasks.HighWater; index++)
        {
            var isPlacing = arena.Tasks.Read(index).State is TaskState.Ready or TaskState.Assigned or TaskState.Running;
            count += isPlacing && arena.Tasks[index].Crashes > 0 ? 1 : 0;
        }

        return count;
    }

    private string ExplainDelayed(in TaskSlot slot)
    {
        var leftMs = Math.Max(0, (long)(slot.DueUnixMs - now.UnixMs));
        var seconds = (leftMs / 1000.0).ToString("0.0", CultureInfo.InvariantCulture);
        var attemptsMax = arena.Profiles[slot.Profile].AttemptsMax;
        return $"retry in {seconds} s; {slot.AttemptsFailed} of {attemptsMax} attempts failed";
    }

    private string ExplainPlaced(uint worker)
    {
        var row = worker - 1;
        if (row >= arena.Workers.HighWater)
        {
            return string.Empty;
        }

        var name = arena.Workers.Name(row);
        return arena.Workers.Health(row) switch
        {
            WorkerHealth.Suspect => $"worker {name} is suspect; the task goes to another if it is lost",
            WorkerHealth.Lost or WorkerHealth.Gone => $"worker {name} is lost; the task is on its way back",
            _ => string.Empty,
        };
    }
}
