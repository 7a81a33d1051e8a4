// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Arena.Native;
using Muster.Shared.Cells;

namespace Muster.Load;

/// <summary>Looks into the arena of a cell that is measured: read-only, without asking its processes.</summary>
internal static class CellArena
{
    public static ArenaMap Open(CellProcesses cell)
    {
        var fault = ArenaFile.Attach(cell.Name, readOnly: true, out var arena);
        return fault.IsNone ? arena! : throw new InvalidOperationException(fault.Message);
    }

    /// <summary>Memory that the arena's file takes.</summary>
    public static long FileBytes(CellProcesses cell) =>
        Statx.TryOf(ArenaFolder.Arena(cell.Name), out var facts) ? facts.AllocatedBytes : 0;

    /// <summary>Looks every millisecond until it is so.</summary>
    /// <exception cref="TimeoutException">It is not so in time.</exception>
    public static async Task UntilAsync(Func<bool> condition, TimeSpan patience, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > patience)
            {
                throw new TimeoutException($"not within {patience.TotalSeconds:0} s: {what}");
            }

            await Task.Delay(1);
        }
    }
}
