// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Arena.Spill;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.V1;
using WorkerHealth = Muster.Arena.Tables.WorkerHealth;

namespace Muster.Server.PlmHosting;

/// <summary>Reads muster.v1.GetCellResponse from the arena.</summary>
internal static class CellInfos
{
    public static GetCellResponse Read(PlmHostOptions options)
    {
        var arena = options.Arena;
        var response = new GetCellResponse
        {
            CellId = CellIdentity.Of(arena),
            Name = options.Cell,
            Version = options.Version,
            Epoch = arena.Epoch,
            Counters = ReadCounters(arena),
        };
        foreach (var role in Enum.GetValues<Role>())
        {
            response.Roles.Add(ReadRole(arena, role));
        }

        var spilled = arena.Counter(CellCounter.SpilledNow);
        var tasks = arena.Counter(CellCounter.TasksNow);
        response.Arena.Add(Use("tasks", tasks > spilled ? tasks - spilled : 0, arena.Tasks.Capacity));
        response.Arena.Add(
            Use("tasks on disk", spilled, (ulong)arena.Spill.Capacity * SpillTable.ExtentTasksMax));
        response.Arena.Add(Use("payload bytes", (ulong)arena.Payloads.UsedBytes, (ulong)arena.Payloads.CapacityBytes));
        response.Arena.Add(Use("result bytes", (ulong)arena.Results.UsedBytes, (ulong)arena.Results.CapacityBytes));
        response.Arena.Add(Use("worker rows", arena.Workers.HighWater, arena.Workers.Capacity));
        response.Arena.Add(Use("client sessions", CountClients(arena), arena.Clients.Capacity));
        response.Arena.Add(Use("handler names", (ulong)arena.Handlers.Count, TaskLimits.HandlersPerWorkerMax));
        return response;
    }

    private static CellCounters ReadCounters(ArenaMap arena)
    {
        var ready = arena.Ready.Count + arena.Counter(CellCounter.HeldNow) + arena.Counter(CellCounter.SpilledNow);
        var delayed = arena.Counter(CellCounter.DelayedNow);
        var done = arena.Counter(CellCounter.DoneNow);
        var tasks = arena.Counter(CellCounter.TasksNow);
        var waiting = ready + delayed + done;
        var counters = new CellCounters
        {
            SubmittedTotal = arena.Counter(CellCounter.Submitted),
            SucceededTotal = arena.Counter(CellCounter.Succeeded),
            FailedTotal = arena.Counter(CellCounter.Failed),
            TimedOutTotal = arena.Counter(CellCounter.TimedOut),
            CancelledTotal = arena.Counter(CellCounter.Cancelled),
            ExpiredTotal = arena.Counter(CellCounter.Expired),
            QuarantinedTotal = arena.Counter(CellCounter.Quarantined),
            SupersededTotal = arena.Counter(CellCounter.Superseded),
            LostAttemptsTotal = arena.Counter(CellCounter.LostAttempts),
            RetriedTotal = arena.Counter(CellCounter.Retried),
            RefusedTotal = arena.Counter(CellCounter.Refused),
            AssignedTotal = arena.Counter(CellCounter.Assigned),
            Ready = ready,
            Delayed = delayed,
            Done = done,
            Clients = arena.Counter(CellCounter.ClientsNow),

            // Whatever neither waits nor has ended is with a worker. The four are read one after the other.
            Running = tasks > waiting ? tasks - waiting : 0,
        };
        AddWorkers(arena, counters);
        return counters;
    }

    private static void AddWorkers(ArenaMap arena, CellCounters counters)
    {
        for (uint row = 0; row < arena.Workers.HighWater; row++)
        {
            if (arena.Workers.Health(row) is WorkerHealth.Alive or WorkerHealth.Suspect or WorkerHealth.Draining)
            {
                counters.Workers++;
                counters.WorkerSlots += arena.Workers[row].Slots;
            }
        }
    }

    private static RoleInfo ReadRole(ArenaMap arena, Role role)
    {
        var holder = arena.Holder(role);
        return new RoleInfo
        {
            Role = role switch
            {
                Role.Plm => "plm",
                Role.Scheduler => "scheduler",
                _ => "register",
            },
            Pid = holder.Pid,
            Alive = holder.IsAlive,
            Epoch = holder.Epoch,
            SinceUnixUs = holder.SinceUnixUs,
            Address = holder.Addresses,
        };
    }

    private static ulong CountClients(ArenaMap arena)
    {
        ulong count = 0;
        for (uint row = 0; row < arena.Clients.Capacity; row++)
        {
            count += arena.Clients[row].ClientId != 0 ? 1u : 0;
        }

        return count;
    }

    private static ArenaUse Use(string part, ulong used, ulong capacity) =>
        new() { Part = part, Used = used, Capacity = capacity };
}
