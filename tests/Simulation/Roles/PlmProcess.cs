// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Core;
using Muster.Plm;
using Muster.Simulation.Kernel;
using Muster.Simulation.Network;
using Muster.Transport.Wire;

namespace Muster.Simulation.Roles;

/// <summary>The PLM's host: the real core, its turns, its timers, and the peers of its sessions.</summary>
internal sealed class PlmProcess(World world, SimCell cell, int index)
    : RoleProcess(world, cell, Role.Plm, index), IPlmEffects
{
    private PlmCore? _core;
    private bool _wakeScheduler;
    private bool _wakeRegister;

    public PlmCore Core => _core!;

    public ProtoWriter Writer { get; } = new();

    public ILinkEnd AcceptSession(SimLink link) => new SessionPeer(this, link);

    /// <summary>A turn with the core; false when the process died in it.</summary>
    public bool TryTurn(Action<PlmCore, PlmTime> act)
    {
        var lived = TryTurn(() =>
        {
            var now = new PlmTime(NowMs, NowUnixUs);
            _core!.BeginTurn(now);
            act(_core, now);
            _core.EndTurn();
            TellOthers();
        });
        if (lived)
        {
            WakeForTimers();
        }

        return lived;
    }

    void IPlmEffects.SignalScheduler() => _wakeScheduler = true;

    void IPlmEffects.SignalRegister() => _wakeRegister = true;

    protected override void TakeOver()
    {
        _core = new PlmCore(Cell.Arena, this, Cell.Plan.Plm);
        _core.BeginTurn(new PlmTime(NowMs, NowUnixUs));
        _core.Recover();
        _core.EndTurn();
        TellOthers();
    }

    protected override void DropCore()
    {
        _core = null;
        _wakeScheduler = false;
        _wakeRegister = false;
    }

    protected override long RunThread()
    {
        var now = new PlmTime(NowMs, NowUnixUs);
        var core = _core!;
        core.BeginTurn(now);
        var hasMore = core.DrainFinished();
        core.RunTimers();
        core.EndTurn();
        TellOthers();
        return hasMore ? 0 : core.NextDueMs - now.Ms;
    }

    public override void CheckInvariants() => _core?.CheckInvariants();

    private void TellOthers()
    {
        if (_wakeScheduler)
        {
            _wakeScheduler = false;
            Cell.Arena.Wake(Role.Scheduler).Signal();
        }

        if (_wakeRegister)
        {
            _wakeRegister = false;
            Cell.Arena.Wake(Role.Register).Signal();
        }
    }

    private void WakeForTimers()
    {
        var dueMs = _core!.NextDueMs;
        if (dueMs != long.MaxValue)
        {
            Wake(Math.Max(0, dueMs - NowMs) * 1_000);
        }
    }
}
