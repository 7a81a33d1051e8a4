// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Muster.Arena;
using Muster.Core;
using Muster.Journal;
using Muster.Plm;
using Muster.Server.Spill;
using Muster.Simulation.Disks;
using Muster.Simulation.Faults;
using Muster.Simulation.Kernel;
using Muster.Simulation.Network;
using Muster.Transport.Wire;

namespace Muster.Simulation.Roles;

/// <summary>The PLM's host: the real core, its turns, its timers, and the peers of its sessions.</summary>
internal sealed class PlmProcess(World world, SimCell cell, int index)
    : RoleProcess(world, cell, Role.Plm, index), IPlmEffects
{
    private readonly List<SessionPeer> _promising = [];
    private readonly List<(ulong Sequence, byte Durability, Action Resolve)> _waiters = [];
    private PlmCore? _core;
    private JournalWork? _journal;
    private SimSpill? _spill;
    private long _notFlushingSinceUs;
    private bool _wakeScheduler;
    private bool _wakeRegister;

    public PlmCore Core => _core!;

    /// <summary>
    /// For how long nobody has flushed the journal, because the PLM was dead, starting, or stood still.
    /// </summary>
    public long NotFlushingForUs => _core is null ? World.NowUs - _notFlushingSinceUs : StoppedForUs;

    public ProtoWriter Writer { get; } = new();

    public ILinkEnd AcceptSession(SimLink link) => new SessionPeer(this, link);

    /// <summary>A turn with the core; false when the process died in it.</summary>
    public bool TryTurn(Action<PlmCore, PlmTime> act)
    {
        var lived = TryTurn(() => Take(act));
        if (lived)
        {
            WakeForTimers();
        }

        return lived;
    }

    /// <summary>The peer has an answer that waits for the journal. Inside a turn.</summary>
    public void Promise(SessionPeer peer) => _promising.Add(peer);

    /// <summary>Inside a turn.</summary>
    public void Leave(SessionPeer peer) => _promising.Remove(peer);

    /// <summary>Once the journal has reached a sequence; after this turn at the earliest. Inside a turn.</summary>
    public void WhenReached(ulong sequence, byte durability, Action resolve)
    {
        if (sequence == 0 || Core.IsReached(sequence, durability))
        {
            AfterTurn(resolve);
            return;
        }

        _waiters.Add((sequence, durability, resolve));
        _journal?.Appended(wantsSync: true);
    }

    void IPlmEffects.SignalScheduler() => _wakeScheduler = true;

    void IPlmEffects.SignalRegister() => _wakeRegister = true;

    protected override void TakeOver()
    {
        var fault = TryTakeOver();
        if (!fault.IsNone)
        {
            Refuse(fault);
        }

        TellOthers();
        if (_journal is not null)
        {
            _journal.Journal.TakeDirty();
            _journal.Appended(wantsSync: true);
        }
    }

    protected override void DropCore()
    {
        Cell.Disk.Disk.Kill();
        Cell.Observer.IsReplaying = false;
        _notFlushingSinceUs = _core is null ? _notFlushingSinceUs : World.NowUs - StoppedForUs;
        _core = null;
        _journal = null;
        _spill?.Die();
        _spill = null;
        _wakeScheduler = false;
        _wakeRegister = false;
        _promising.Clear();
        _waiters.Clear();
    }

    protected override long RunThread()
    {
        var hasMore = false;
        Take((core, _) =>
        {
            hasMore = core.DrainFinished();
            core.RunTimers();
        });
        return hasMore ? 0 : _core!.NextDueMs - NowMs;
    }

    public override void CheckInvariants() => _core?.CheckInvariants();

    private void Take(Action<PlmCore, PlmTime> act)
    {
        var core = _core!;
        var now = new PlmTime(NowMs, NowUnixUs);
        core.BeginTurn(now);
        act(core, now);
        for (var at = _promising.Count - 1; at >= 0; at--)
        {
            if (_promising[at].TryRedeem(core))
            {
                _promising.RemoveAt(at);
            }
        }

        core.EndTurn();
        if (_journal is not null && _journal.Journal.TakeDirty())
        {
            _journal.Appended(core.WantsSync);
        }

        for (var at = _waiters.Count - 1; at >= 0; at--)
        {
            var (sequence, durability, resolve) = _waiters[at];
            if (core.IsReached(sequence, durability))
            {
                _waiters.RemoveAt(at);
                AfterTurn(resolve);
            }
        }

        TellOthers();
    }

    private Fault TryTakeOver()
    {
        try
        {
            var fault = TryOpenJournal();
            if (!fault.IsNone)
            {
                return fault;
            }

            var journal = _journal is null ? null : new WatchedJournal(_journal.Journal, Cell.Observer);
            _spill = Cell.SpillDisk is { } disk
                ? new SimSpill(World, this, new SpillFiles(disk, Cell.Arena.CellId))
                : null;
            var core = new PlmCore(Cell.Arena, this, Cell.Plan.Plm, journal, _spill);
            core.BeginTurn(new PlmTime(NowMs, NowUnixUs));
            fault = core.Recover();
            if (fault.IsNone)
            {
                core.EndTurn();
                _journal?.Journal.LeaveCommits();
                _spill?.Start();
                Cell.Disk.Opened();
                _core = core;
            }

            return fault;
        }
        catch (PowerWent)
        {
            // It comes back, and everything is tried again.
            World.At(World.NowUs, Cell.LosePower);
            return new(FaultCode.Unavailable, "the power went");
        }
    }

    private Fault TryOpenJournal()
    {
        if (!Cell.Plan.HasJournal)
        {
            return Fault.None;
        }

        var options = new JournalOptions
        {
            SegmentBytes = Cell.Plan.SegmentBytes,
            WritesSparesAhead = false,
            UnixUs = () => NowUnixUs,
            NextRandom = World.Random.Next64,
        };
        var fault = FileJournal.TryOpen(Cell.Disk.Disk, options, out var log);
        if (fault.IsNone)
        {
            _journal = new JournalWork(World, this, log!, Cell.Plan.SnapshotBytesMin);
        }

        return fault;
    }

    // The role does not start. Somebody sees to the disk, and then it is started again.
    [DoesNotReturn]
    private void Refuse(Fault fault)
    {
        World.Trace.Add(TraceMark.Disk, Index, (ulong)fault.Code);
        if (fault.Code == FaultCode.JournalDamaged)
        {
            if (!Cell.Disk.IsDamaged)
            {
                throw new SeedFailure($"damage that nobody did: {fault.Message}");
            }

            Cell.Disk.Repair();
        }
        else if (fault.Code is not (FaultCode.JournalUnusable or FaultCode.DiskFull or FaultCode.Unavailable))
        {
            throw new SeedFailure($"the PLM does not start: {fault.Code} {fault.Message}");
        }

        throw new SimulatedDeath(this);
    }

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
