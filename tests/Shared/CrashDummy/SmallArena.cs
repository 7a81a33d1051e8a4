// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using Muster.Arena;
using Muster.Arena.Slabs;
using Muster.Core;

namespace Muster.CrashDummy;

/// <summary>Makes arenas where there may not be room, and uses every byte of those it gets.</summary>
internal static class SmallArena
{
    private const string Filler = "/dev/shm/filler";

    /// <summary>
    /// Says "ok RESERVED TASKS note" or "fault CODE message". The sizes are tasks, payload and result bytes.
    /// </summary>
    public static int Open(string cell, string[] sizes)
    {
        var limits = sizes is [var tasks, var payloads, var results]
            ? new ArenaLimits
            {
                TasksMax = uint.Parse(tasks, CultureInfo.InvariantCulture),
                PayloadBytesMax = long.Parse(payloads, CultureInfo.InvariantCulture),
                ResultBytesMax = long.Parse(results, CultureInfo.InvariantCulture),
            }
            : new ArenaLimits();
        var fault = ArenaFile.OpenOrCreate(cell, limits, stateFolder: null, out var map, out var note);
        if (!fault.IsNone)
        {
            return Program.Say(fault);
        }

        UseAll(map!);
        Program.Say($"ok {ArenaLayout.Of(map!.Limits).ReservedBytes} {map.Limits.TasksMax} {note}");
        map.Dispose();
        return 0;
    }

    /// <summary>
    /// Says "ok MADE REFUSED" after so many tries, each with another part of /dev/shm taken by others.
    /// </summary>
    public static int Squeeze(string cell, int rounds)
    {
        var random = new Random(rounds);
        var made = 0;
        var refused = 0;
        for (var round = 0; round < rounds; round++)
        {
            using (var filler = File.Create(Filler))
            {
                filler.Write(new byte[random.Next(64 << 20)]);
            }

            var limits = new ArenaLimits { TasksMax = 8_192, PayloadBytesMax = 8 << 20, ResultBytesMax = 8 << 20 };
            var fault = ArenaFile.OpenOrCreate(cell, limits, stateFolder: null, out var map, out _);
            if (fault.IsNone)
            {
                UseAll(map!);
                map!.Dispose();
                made++;
            }
            else if (fault.Code == FaultCode.ArenaNoSpace)
            {
                refused++;
            }
            else
            {
                return Program.Say(fault);
            }

            fault = ArenaFile.Remove(cell);
            File.Delete(Filler);
            if (!fault.IsNone)
            {
                return Program.Say(fault);
            }
        }

        Program.Say($"ok {made} {refused}");
        return 0;
    }

    private static void UseAll(ArenaMap map)
    {
        for (var index = 0u; index < map.Limits.TasksMax; index++)
        {
            map.Tasks[index].Ref = index;
        }

        map.Payloads.Bytes(SlabRegion.FirstUnit, (int)map.Payloads.CapacityBytes - 64).Fill(1);
        map.Results.Bytes(SlabRegion.FirstUnit, (int)map.Results.CapacityBytes - 64).Fill(1);
    }
}
