// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using Muster.Arena;
using Muster.Shared.Cells;

namespace Muster.Load;

/// <summary>
/// What every process of a cell and the client have used so far, and what the journal did. Immutable.
/// </summary>
internal sealed class CellUse
{
    private readonly Dictionary<string, ProcessUse> _kinds;
    private readonly double _flushes;
    private readonly double _writes;

    private CellUse(Dictionary<string, ProcessUse> kinds, double flushes, double writes) =>
        (_kinds, _flushes, _writes) = (kinds, flushes, writes);

    /// <summary>Of each kind of process: the roles, all workers together, this process as the client.</summary>
    public IReadOnlyDictionary<string, ProcessUse> Kinds => _kinds;

    public static CellUse Now(CellProcesses cell, ArenaMap arena)
    {
        var kinds = CellProcesses.Roles.ToDictionary(role => role, role => ProcessUse.Of(cell.Role(role)));
        kinds["worker"] = cell.Workers.Where(worker => !worker.HasExited)
            .Aggregate(default(ProcessUse), (sum, worker) => sum + ProcessUse.Of(worker));
        using var self = Process.GetCurrentProcess();
        kinds["client"] = ProcessUse.Of(self);
        return new(
            kinds, arena.Counter(CellCounter.JournalFlushes), arena.Counter(CellCounter.JournalWrites));
    }

    /// <summary>What was used since, by each of so many tasks.</summary>
    public PerTask Since(CellUse before, double tasks)
    {
        var used = _kinds.ToDictionary(pair => pair.Key, pair => pair.Value - before._kinds[pair.Key]);
        return new()
        {
            CpuUs = used.ToDictionary(pair => pair.Key, pair => Math.Round(pair.Value.CpuSeconds / tasks * 1e6, 3)),
            Sleeps = used.ToDictionary(pair => pair.Key, pair => Math.Round(pair.Value.Sleeps / tasks, 4)),
            FileWrites = Math.Round(used.Values.Sum(use => use.Writes) / tasks, 4),
            JournalFlushes = Math.Round((_flushes - before._flushes) / tasks, 5),
            JournalWrites = Math.Round((_writes - before._writes) / tasks, 5),
        };
    }
}
