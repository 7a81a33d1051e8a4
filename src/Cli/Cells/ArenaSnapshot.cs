// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Cli.Cells;

/// <summary>
/// What an arena holds at one moment, read without locks and without its processes: numbers that change meanwhile may
/// differ by what happened during the read.
/// </summary>
internal sealed record ArenaSnapshot
{
    public required string Cell { get; init; }

    public required string Path { get; init; }

    public required ulong CellId { get; init; }

    public required uint Epoch { get; init; }

    public required ArenaLimits Limits { get; init; }

    public required IReadOnlyList<(Role Role, RoleHolder Holder)> Roles { get; init; }

    /// <summary>Tasks in each state, Free left out.</summary>
    public required IReadOnlyDictionary<TaskState, long> States { get; init; }

    public required IReadOnlyDictionary<CellCounter, ulong> Counters { get; init; }

    public required IReadOnlyList<WorkerLine> Workers { get; init; }

    public required IReadOnlyList<PartUse> Parts { get; init; }

    /// <summary>One worker registration.</summary>
    public sealed record WorkerLine(
        string Name, WorkerHealth Health, WorkerReason Reason, uint Slots, uint Running, ulong FinishedTotal, uint Pid);

    /// <summary>How full one part is.</summary>
    public sealed record PartUse(string Part, long Used, long Capacity);

    /// <summary>Attaches read-only, reads, and lets go.</summary>
    public static ArenaSnapshot Take(string cell)
    {
        var fault = ArenaFile.Attach(cell, readOnly: true, out var map);
        if (!fault.IsNone)
        {
            throw new MusterException(FaultCodes.Name(fault.Code), fault.Message);
        }

        using (map!)
        {
            return Read(cell, map!);
        }
    }

    public static ArenaSnapshot Read(string cell, ArenaMap map)
    {
        var states = CountStates(map);
        return new()
        {
            Cell = cell,
            Path = ArenaFile.PathOf(cell),
            CellId = map.CellId,
            Epoch = map.Epoch,
            Limits = map.Limits,
            Roles = [.. Enum.GetValues<Role>().Select(role => (role, map.Holder(role)))],
            States = states,
            Counters = Enum.GetValues<CellCounter>().ToDictionary(counter => counter, map.Counter),
            Workers = ReadWorkers(map),
            Parts =
            [
                new("tasks", states.Values.Sum(), map.Tasks.Capacity),
                new("workers", CountWorkers(map), map.Workers.Capacity),
                new("payload bytes", map.Payloads.UsedBytes, map.Payloads.CapacityBytes),
                new("result bytes", map.Results.UsedBytes, map.Results.CapacityBytes),
            ],
        };
    }

    private static Dictionary<TaskState, long> CountStates(ArenaMap map)
    {
        var states = new Dictionary<TaskState, long>();
        for (uint slot = 0; slot < map.Tasks.HighWater; slot++)
        {
            var state = map.Tasks.Read(slot).State;
            if (state != TaskState.Free)
            {
                states[state] = states.GetValueOrDefault(state) + 1;
            }
        }

        return states;
    }

    private static int CountWorkers(ArenaMap map)
    {
        var count = 0;
        for (uint row = 0; row < map.Workers.HighWater; row++)
        {
            count += map.Workers.Health(row) == WorkerHealth.Free ? 0 : 1;
        }

        return count;
    }

    private static List<WorkerLine> ReadWorkers(ArenaMap map)
    {
        var workers = new List<WorkerLine>();
        for (uint row = 0; row < map.Workers.HighWater; row++)
        {
            var health = map.Workers.Health(row);
            if (health != WorkerHealth.Free)
            {
                ref var line = ref map.Workers[row];
                workers.Add(new(
                    map.Workers.Name(row), health, (WorkerReason)line.HealthReason, line.Slots, line.Running,
                    line.FinishedTotal, line.Pid));
            }
        }

        return workers;
    }
}
