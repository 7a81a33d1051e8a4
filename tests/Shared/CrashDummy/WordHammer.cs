// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using Muster.Arena;

namespace Muster.CrashDummy;

/// <summary>Raises two words together under a lock, most of the time with one raised and the other not yet.</summary>
internal static class WordHammer
{
    private const int Half = 50;

    public static void Run(ArenaMap map)
    {
        var said = false;
        while (true)
        {
            Raise(map);
            if (!said)
            {
                Program.Say("ready");
                said = true;
            }
        }
    }

    private static void Raise(ArenaMap map)
    {
        using var scope = map.NamesLock.Enter();
        var words = map.ProofWords;
        if (scope.NeedsRepair)
        {
            words[1] = words[0];
            scope.MarkRepaired();
        }

        if (Volatile.Read(ref words[0]) != Volatile.Read(ref words[1]))
        {
            Program.Say($"broken {words[0]} {words[1]}");
        }

        Volatile.Write(ref words[0], words[0] + 1);
        Thread.SpinWait(Half);
        Volatile.Write(ref words[1], words[1] + 1);
    }
}
