// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Checking;
using Muster.Simulation.Network;

namespace Muster.Simulation.Kernel;

/// <summary>
/// One thread, one clock, one source of chance: everything that happens in a seed happens here, one after the other.
/// </summary>
internal sealed class World
{
    private readonly List<SimProcess> _processes = [];

    public World(ulong seed, Action<string>? print)
    {
        Random = new SimRandom(seed);
        Trace = new Trace(this, print);
        Network = new SimNetwork(this);
    }

    public SimRandom Random { get; }

    public EventQueue Events { get; } = new();

    public Trace Trace { get; }

    public SimNetwork Network { get; }

    public List<HistoryEntry> History { get; } = new(1_024);

    /// <summary>Which submission each task is; the world knows even what no process was told.</summary>
    public Dictionary<ulong, ulong> KeyOf { get; } = [];

    /// <summary>Microseconds since the beginning, by a clock that no process sees.</summary>
    public long NowUs { get; private set; }

    public long EventsRun { get; private set; }

    public void Join(SimProcess process) => _processes.Add(process);

    public IReadOnlyList<SimProcess> Processes => _processes;

    public string NameOf(int index)
    {
        foreach (var process in _processes)
        {
            if (process.Index == index)
            {
                return process.Name;
            }
        }

        return "world";
    }

    /// <summary>Something happens to the world at a moment.</summary>
    public void At(long timeUs, Action act) => Events.Add(timeUs, null, 0, act);

    /// <summary>Lets the next thing happen. False when nothing would happen until that moment.</summary>
    public bool Step(long untilUs)
    {
        if (Events.Count == 0 || Events.First.TimeUs > untilUs)
        {
            NowUs = Math.Max(NowUs, untilUs);
            return false;
        }

        var item = Events.Pop();
        NowUs = Math.Max(NowUs, item.TimeUs);
        EventsRun++;
        Trace.Add(TraceMark.Event, item.Owner?.Index ?? -1, item.Sequence);
        if (item.Owner is { } owner)
        {
            owner.Happen(item);
        }
        else
        {
            item.Act();
        }

        return true;
    }

    public void Record(in HistoryEntry entry, int process)
    {
        History.Add(entry);
        Trace.Add(
            TraceMark.History,
            process,
            (ulong)entry.Op | ((ulong)entry.Outcome << 8) | ((ulong)entry.Attempt << 16),
            entry.Task ^ entry.Key,
            entry.Value ^ (entry.Detail << 1));
    }
}
