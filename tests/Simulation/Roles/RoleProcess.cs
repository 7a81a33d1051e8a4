// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Checking;
using Muster.Core;
using Muster.Simulation.Kernel;

namespace Muster.Simulation.Roles;

/// <summary>
/// A role's host, as far as it matters: turns one at a time, sending only after a turn, a thread of its own that is
/// woken and that looks again after a second in any case. What a turn wanted to send is lost when it dies inside it.
/// </summary>
internal abstract class RoleProcess(World world, SimCell cell, Role role, int index) : SimProcess(world, index, host: 0)
{
    private const long LookAgainMs = 1_000;

    private readonly List<Action> _afterTurn = [];
    private long _wakeUs = long.MaxValue;
    private ulong _wakeNumber;

    public SimCell Cell { get; } = cell;

    public Role Role { get; } = role;

    public sealed override string Name => Role.ToString();

    protected long NowMs => Cell.NowMs;

    protected long NowUnixUs => Cell.NowUnixUs;

    /// <summary>Runs a turn to its end, or to the process's.</summary>
    /// <returns>Whether it ended; otherwise the process is dead.</returns>
    public bool TryTurn(Action act)
    {
        var outer = Cell.Enter(this);
        try
        {
            act();
        }
        catch (SimulatedDeath death) when (death.Process == this)
        {
            _afterTurn.Clear();
            Cell.Leave(outer);
            Cell.Bury(this);
            return false;
        }

        Cell.Leave(outer);
        foreach (var send in _afterTurn)
        {
            send();
        }

        _afterTurn.Clear();
        return true;
    }

    /// <summary>To be done once the turn is over, if it comes to that.</summary>
    public void AfterTurn(Action act) => _afterTurn.Add(act);

    /// <summary>The role's own thread is to look; it takes a moment to be there.</summary>
    public void Wake(long delayUs)
    {
        var atUs = World.NowUs + delayUs;
        if (!IsUp || atUs >= _wakeUs)
        {
            return;
        }

        _wakeUs = atUs;
        var number = ++_wakeNumber;
        After(delayUs, () =>
        {
            if (number == _wakeNumber)
            {
                RunRole();
            }
        });
    }

    /// <summary>A turn of the role's own thread.</summary>
    public void RunRole()
    {
        _wakeUs = long.MaxValue;
        _wakeNumber++;
        var sleepMs = LookAgainMs;
        if (TryTurn(() => sleepMs = RunThread()))
        {
            Wake(Math.Clamp(sleepMs, 0, LookAgainMs) * 1_000);
        }
    }

    protected sealed override void OnStart()
    {
        _wakeUs = long.MaxValue;
        _afterTurn.Clear();
        World.Record(new(World.NowUs, Name, HistoryOp.RoleUp), Index);
        if (TryTurn(TakeOver))
        {
            Wake(Cell.WakeDelayUs());
        }
    }

    protected sealed override void OnKill()
    {
        World.Record(new(World.NowUs, Name, HistoryOp.RoleDown), Index);
        DropCore();
    }

    /// <summary>Makes the core and has it take the arena over.</summary>
    protected abstract void TakeOver();

    /// <summary>The process is dead: nothing of the core is touched again.</summary>
    protected abstract void DropCore();

    /// <returns>How long the thread may sleep, in milliseconds.</returns>
    protected abstract long RunThread();

    /// <summary>Between turns.</summary>
    public abstract void CheckInvariants();
}
