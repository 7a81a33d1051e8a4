// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core;
using Muster.Simulation.Network;

namespace Muster.Simulation.Kernel;

/// <summary>
/// A process of the simulated world: it lives, stands still, dies, and is started again as another one. What is to
/// happen to it happens only in the life for which it was meant, and not while it stands still.
/// </summary>
internal abstract class SimProcess(World world, int index, int host)
{
    private readonly Queue<Action> _held = new();
    private long _stoppedUs;

    public World World { get; } = world;

    /// <summary>Names it in the trace.</summary>
    public int Index { get; } = index;

    /// <summary>The machine it runs on; 0 is the cell's.</summary>
    public int Host { get; } = host;

    public abstract string Name { get; }

    public bool IsUp { get; private set; }

    public bool IsPaused { get; private set; }

    /// <summary>For how long it has been dead or standing still.</summary>
    public long StoppedForUs => IsUp && !IsPaused ? 0 : World.NowUs - _stoppedUs;

    /// <summary>Counts its starts.</summary>
    public uint Life { get; private set; }

    /// <summary>Its open connections.</summary>
    public List<SimLink> Links { get; } = [];

    /// <summary>Something happens to this life of it after a while.</summary>
    public void After(long delayUs, Action act) => World.Events.Add(World.NowUs + delayUs, this, Life, act);

    /// <summary>Called by the world when an event of this process is due.</summary>
    public void Happen(in SimEvent item)
    {
        if (!IsUp || item.Life != Life)
        {
            return;
        }

        if (IsPaused)
        {
            _held.Enqueue(item.Act);
        }
        else
        {
            item.Act();
        }
    }

    public void Start()
    {
        Invariant.That(!IsUp);
        Life++;
        IsUp = true;
        IsPaused = false;
        World.Trace.Add(TraceMark.Up, Index, Life);
        OnStart();
    }

    /// <summary>kill -9: nothing of it happens any more, and its connections break.</summary>
    public void Kill()
    {
        if (!IsUp)
        {
            return;
        }

        World.Trace.Add(TraceMark.Down, Index, Life);
        _stoppedUs = IsPaused ? _stoppedUs : World.NowUs;
        IsUp = false;
        IsPaused = false;
        _held.Clear();
        foreach (var link in Links.ToArray())
        {
            link.ProcessDied(this);
        }

        Links.Clear();
        OnKill();
    }

    public void Pause(long forUs)
    {
        if (!IsUp || IsPaused)
        {
            return;
        }

        World.Trace.Add(TraceMark.Pause, Index, (ulong)forUs);
        IsPaused = true;
        _stoppedUs = World.NowUs;
        var life = Life;
        World.At(World.NowUs + forUs, () =>
        {
            if (Life == life)
            {
                Resume();
            }
        });
    }

    /// <summary>What came meanwhile happens now, in its order.</summary>
    public void Resume()
    {
        if (!IsUp || !IsPaused)
        {
            return;
        }

        World.Trace.Add(TraceMark.Resume, Index, (ulong)_held.Count);
        IsPaused = false;
        while (_held.TryDequeue(out var act))
        {
            World.Events.Add(World.NowUs, this, Life, act);
        }
    }

    protected abstract void OnStart();

    protected abstract void OnKill();
}
