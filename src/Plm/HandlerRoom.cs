// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Arena.Tables;

namespace Muster.Plm;

/// <summary>The workers of one handler, summed up from the worker table: why its tasks wait.</summary>
internal readonly record struct HandlerRoom
{
    /// <summary>Workers that are not lost or gone, whatever they offer.</summary>
    public int Connected { get; private init; }

    /// <summary>Of those, the ones that offer the handler.</summary>
    public int Offering { get; private init; }

    /// <summary>Of those that offer it: alive and with an open stream to the Scheduler.</summary>
    public int Serving { get; private init; }

    public int Suspect { get; private init; }

    public int Draining { get; private init; }

    /// <summary>Slots of those that serve.</summary>
    public ulong Slots { get; private init; }

    /// <summary>Free slots of those that serve.</summary>
    public ulong FreeSlots { get; private init; }

    public static HandlerRoom Of(ArenaMap arena, ushort handler)
    {
        var workers = arena.Workers;
        var room = default(HandlerRoom);
        for (uint row = 0; row < workers.HighWater; row++)
        {
            var health = workers.Health(row);
            if (health is WorkerHealth.Free or WorkerHealth.Lost or WorkerHealth.Gone)
            {
                continue;
            }

            room = room with { Connected = room.Connected + 1 };
            if (workers.Offers(row, handler))
            {
                room = room.With(in workers[row], health);
            }
        }

        return room;
    }

    /// <summary>One sentence part, or empty when a task of the handler could be placed now.</summary>
    public string Explain(string handler, ulong readyTasks)
    {
        if (Connected == 0)
        {
            return "no worker is connected; start one with: muster worker";
        }

        if (Offering == 0)
        {
            return $"no worker offers handler '{handler}'";
        }

        if (Serving == 0)
        {
            return (Suspect, Draining) switch
            {
                ( > 0, 0) => $"every worker that offers handler '{handler}' is suspect",
                (0, > 0) => $"every worker that offers handler '{handler}' drains",
                _ => $"no worker that offers handler '{handler}' is connected to the Scheduler",
            };
        }

        return FreeSlots == 0
            ? $"all {Slots} slots for handler '{handler}' are busy; {readyTasks} tasks are ready"
            : string.Empty;
    }

    private HandlerRoom With(in WorkerRow row, WorkerHealth health)
    {
        var isServing = health == WorkerHealth.Alive && row.Dispatching != 0;
        return this with
        {
            Offering = Offering + 1,
            Suspect = Suspect + (health == WorkerHealth.Suspect ? 1 : 0),
            Draining = Draining + (health == WorkerHealth.Draining ? 1 : 0),
            Serving = Serving + (isServing ? 1 : 0),
            Slots = Slots + (isServing ? row.Slots : 0),
            FreeSlots = FreeSlots + (isServing && row.InFlight < row.Slots ? row.Slots - row.InFlight : 0),
        };
    }
}
