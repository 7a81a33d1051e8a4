// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.CrashDummy;

/// <summary>
/// A process that tests start to kill, stop or cage. It says "ready" on its output once it is inside its loop; it does
/// not end by itself, but for the commands that ask one question.
/// </summary>
internal static class Program
{
    private const int BadUsage = 64;

    public static int Main(string[] args) => args switch
    {
        ["words", var cell] => WithRole(cell, Role.Scheduler, WordHammer.Run),
        ["heap", var cell] => WithRole(cell, Role.Plm, map => new HeapHammer(map).Run()),
        ["hold", var cell] => WithRole(cell, Role.Register, HoldLock),
        ["repair", var cell, var ms] => WithRole(
            cell, Role.Register, map => RepairSlowly(map, int.Parse(ms, CultureInfo.InvariantCulture))),
        ["echo", var cell] => WithRole(cell, Role.Scheduler, Echo),
        ["role", var cell, var role] => WithRole(cell, Enum.Parse<Role>(role), WaitForEnd),
        ["open", var cell, .. var sizes] => SmallArena.Open(cell, sizes),
        ["squeeze", var cell, var rounds] => SmallArena.Squeeze(cell, int.Parse(rounds, CultureInfo.InvariantCulture)),
        ["alive", var pid, var start] => SayAlive(
            uint.Parse(pid, CultureInfo.InvariantCulture), ulong.Parse(start, CultureInfo.InvariantCulture)),
        _ => BadUsage,
    };

    public static void Say(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }

    public static int Say(Fault fault)
    {
        Say($"fault {FaultCodes.Name(fault.Code)} {fault.Message}");
        return 1;
    }

    private static int WithRole(string cell, Role role, Action<ArenaMap> run)
    {
        var fault = ArenaFile.Attach(cell, readOnly: false, out var map);
        fault = fault.IsNone ? map!.TryTakeRole(role, "none", out _) : fault;
        if (!fault.IsNone)
        {
            return Say(fault);
        }

        run(map!);
        return 0;
    }

    /// <summary>Answers each signal to the Scheduler with one to the PLM.</summary>
    private static void Echo(ArenaMap map)
    {
        Say("ready");
        while (true)
        {
            if (map.Wake(Role.Scheduler).Wait(60_000))
            {
                map.Wake(Role.Plm).Signal();
            }
        }
    }

    private static void HoldLock(ArenaMap map)
    {
        using var scope = map.NamesLock.Enter();
        Say("ready");

        // Until killed, or until the test closes our input.
        Console.In.ReadLine();
    }

    private static void RepairSlowly(ArenaMap map, int milliseconds)
    {
        var start = Stopwatch.GetTimestamp();
        using var scope = map.NamesLock.Enter();
        Say("ready");
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < milliseconds)
        {
            scope.RepairGoesOn();
            Thread.SpinWait(1_000);
        }
    }

    private static void WaitForEnd(ArenaMap map)
    {
        Say("ready");
        Console.In.ReadLine();
        GC.KeepAlive(map);
    }

    private static int SayAlive(uint pid, ulong start)
    {
        using var watch = PidWatch.TryOpen(pid, start);
        Say(ProcStat.IsAlive(pid, start) && watch is not null ? "alive" : "dead");
        return 0;
    }
}
