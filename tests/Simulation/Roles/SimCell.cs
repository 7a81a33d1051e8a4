// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Core;
using Muster.Journal;
using Muster.Shared.Journal;
using Muster.Simulation.Actors;
using Muster.Simulation.Disks;
using Muster.Simulation.Faults;
using Muster.Simulation.Kernel;

namespace Muster.Simulation.Roles;

/// <summary>
/// The cell's machine: the arena in its memory, the three roles over it, its clocks, and what happens when a process
/// on it dies or its power goes.
/// </summary>
internal sealed class SimCell : IDisposable
{
    private const long EpochUnixUs = 1_700_000_000_000_000;

    private readonly World _world;
    private readonly List<WorkerProcess> _locals = [];
    private readonly HashSet<uint> _livePids = [];
    private readonly RoleProcess[] _roles;
    private long _wallOffsetUs;
    private uint _epoch;

    public SimCell(World world, SeedPlan plan)
    {
        _world = world;
        Plan = plan;
        Disk = new SimDisk(world);
        SpillDisk = plan.Faults.HasFlag(FaultKind.Spill) ? new MemoryDisk { Failing = AskSpillDisk } : null;
        Observer = new ArenaObserver(world, this);
        Plm = new PlmProcess(world, this, 0);
        Scheduler = new SchedulerProcess(world, this, 1);
        Register = new RegisterProcess(world, this, 2);
        _roles = [Plm, Scheduler, Register];
        foreach (var role in _roles)
        {
            world.Join(role);
        }

        Arena = MakeArena();
        Seam.Observer = Observer;
        CrashPoint.Reached ??= static _ => Seam.Observer?.Pass();
    }

    public SeedPlan Plan { get; }

    public ArenaMap Arena { get; private set; }

    /// <summary>What the journal lies on; unused without one.</summary>
    public SimDisk Disk { get; }

    /// <summary>What tasks wait on that the arena has no room for; null: there is nothing but the arena.</summary>
    public MemoryDisk? SpillDisk { get; }

    public ArenaObserver Observer { get; }

    public PlmProcess Plm { get; }

    public SchedulerProcess Scheduler { get; }

    public RegisterProcess Register { get; }

    public ReadOnlySpan<RoleProcess> Roles => _roles;

    /// <summary>The role whose turn it is; null between turns.</summary>
    public RoleProcess? Active { get; private set; }

    /// <summary>The machine's clock that never jumps. It does not begin at 0.</summary>
    public long NowMs => 5_000_000 + (_world.NowUs / 1_000);

    public long NowUnixUs => EpochUnixUs + _wallOffsetUs + _world.NowUs;

    public long WakeDelayUs() => _world.Random.Skewed(2, Plan.WakeDelayUsMax);

    public RoleProcess? Enter(RoleProcess role)
    {
        var outer = Active;
        Active = role;
        return outer;
    }

    public void Leave(RoleProcess? outer) => Active = outer;

    /// <summary>The process died inside its turn; a successor comes after a while.</summary>
    public void Bury(RoleProcess role)
    {
        Observer.LocksAreFree();
        role.Kill();
        StartAgain(role, SeedPlan.RestartUs(_world.Random));
    }

    public void KillRole(RoleProcess role)
    {
        if (role.IsUp)
        {
            role.Kill();
            StartAgain(role, SeedPlan.RestartUs(_world.Random));
        }
    }

    public void StartAgain(RoleProcess role, long delayUs) => _world.At(_world.NowUs + delayUs, () =>
    {
        if (!role.IsUp)
        {
            role.Start();
        }
    });

    /// <summary>Wakes whom the roles signalled since the last call.</summary>
    public void PollWakes()
    {
        foreach (var role in _roles)
        {
            if (Arena.Wake(role.Role).Wait(0))
            {
                role.Wake(WakeDelayUs());
            }
        }
    }

    public void JumpWallClock(long byUs)
    {
        _wallOffsetUs += byUs;
        _world.Trace.Add(TraceMark.ClockJump, -1, (ulong)byUs);
        _world.Record(
            new(_world.NowUs, "host", Checking.HistoryOp.ClockJump, Value: (ulong)byUs), -1);
    }

    /// <summary>A worker that runs on this machine.</summary>
    public void AddLocal(WorkerProcess process) => _locals.Add(process);

    public bool IsAlive(uint pid) => _livePids.Contains(pid);

    public void ProcessStarted(uint pid) => _livePids.Add(pid);

    public void ProcessDied(uint pid)
    {
        if (_livePids.Remove(pid) && Register.IsUp)
        {
            Register.ProcessDied(pid);
        }
    }

    /// <summary>All that runs here stops, memory is gone, and the disk forgets what was not flushed.</summary>
    public void LosePower()
    {
        _world.Trace.Add(TraceMark.PowerLoss, -1);

        // A PLM that does not run does not flush either.
        var windowUs = Plan.RelaxedWindowUs + Plm.NotFlushingForUs;
        foreach (var process in _locals)
        {
            process.Kill();
        }

        StopRoles();
        Disk.LosePower();
        SpillDisk?.Crash(_world.Random.Next64());
        MakeArenaAnew(windowUs);
    }

    /// <summary>The arena is gone and with it every role; disk and workers are as they were.</summary>
    public void LoseArena()
    {
        _world.Trace.Add(TraceMark.PowerLoss, -1, 1);
        StopRoles();
        MakeArenaAnew(relaxedWindowUs: 0);
    }

    /// <summary>Whoever starts the PLM next finds a flipped bit.</summary>
    public void DamageJournal()
    {
        KillRole(Plm);
        Disk.Damage();
    }

    private void StopRoles()
    {
        foreach (var role in _roles)
        {
            role.Kill();
        }
    }

    private void MakeArenaAnew(long relaxedWindowUs)
    {
        _world.Record(
            new(_world.NowUs, "host", Checking.HistoryOp.PowerLoss, Value: (ulong)relaxedWindowUs), -1);
        if (Plan.HasJournal)
        {
            Disk.RecordContent();
        }

        Arena.Dispose();
        Arena = MakeArena();
        var backUs = SeedPlan.RestartUs(_world.Random) * 4;
        foreach (var role in _roles)
        {
            StartAgain(role, backUs + _world.Random.Range(0, 200_000));
        }
    }

    public void CheckInvariants()
    {
        if (Active is not null)
        {
            return;
        }

        foreach (var role in _roles)
        {
            if (role.IsUp)
            {
                role.CheckInvariants();
            }
        }

        Arena.Ready.CheckInvariants();
    }

    public void Dispose()
    {
        Seam.Observer = null;
        Arena.Dispose();
    }

    private int AskSpillDisk(DiskCall call, string name) =>
        call is DiskCall.Create or DiskCall.Write && Disk.IsFull ? JournalErrno.ENOSPC : 0;

    private ArenaMap MakeArena()
    {
        if (_epoch == 0 || Safeguard.CellEpoch)
        {
            _epoch++;
        }

        return ArenaFile.CreatePrivate(Plan.Arena, _epoch);
    }
}
