// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena.Tables;
using Muster.Checking;
using Muster.Core;
using Muster.Register;
using Muster.Simulation.Actors;
using Muster.Simulation.Kernel;
using Muster.Simulation.Network;
using Muster.Transport.Wire;

namespace Muster.Simulation.Roles;

/// <summary>
/// The Register's host: the real core, its ticks, its streams, and the watches of processes on the machine.
/// </summary>
internal sealed class RegisterProcess(World world, SimCell cell, int index)
    : RoleProcess(world, cell, Role.Register, index), IRegisterEffects
{
    private readonly Dictionary<uint, HeartbeatPeer> _streams = [];
    private readonly Dictionary<uint, (uint Epoch, uint Pid)> _watches = [];
    private RegisterCore? _core;
    private long _streamNumbers;
    private long _nextTickMs;

    public RegisterCore Core => _core!;

    public ProtoWriter Writer { get; } = new();

    public long Now => NowMs;

    public long Wall => NowUnixUs;

    public ILinkEnd AcceptHeartbeat(SimLink link) => new HeartbeatPeer(this, link, ++_streamNumbers);

    /// <summary>Inside a turn.</summary>
    public void Open(HeartbeatPeer peer) => _streams[peer.Row] = peer;

    /// <summary>Inside a turn.</summary>
    public void Close(HeartbeatPeer peer, bool isByPeer)
    {
        if (!peer.IsOpen)
        {
            return;
        }

        peer.IsOpen = false;
        if (_streams.GetValueOrDefault(peer.Row) == peer)
        {
            _streams.Remove(peer.Row);
        }

        Core.StreamClosed(peer.Row, peer.Number, NowMs, NowUnixUs, isByPeer);

        // The thread sleeps until its tick, and this may be due before.
        AfterTurn(() => Wake(0));
    }

    /// <summary>The kernel says that a process on this machine is dead.</summary>
    public void ProcessDied(uint pid)
    {
        foreach (var (row, watch) in _watches)
        {
            if (watch.Pid == pid)
            {
                TellDeath(row, watch.Epoch);
            }
        }
    }

    public override void CheckInvariants() => _core?.CheckInvariants();

    void IRegisterEffects.CloseStream(uint row, long stream, Fault fault)
    {
        if (_streams.TryGetValue(row, out var peer) && peer.Number == stream)
        {
            _streams.Remove(row);
            peer.IsOpen = false;
            peer.CloseAfterTurn(fault);
        }
    }

    void IRegisterEffects.Confirm(uint row, long stream, ulong number)
    {
        if (_streams.TryGetValue(row, out var peer) && peer.Number == stream)
        {
            peer.Confirm(number);
        }
    }

    void IRegisterEffects.WatchProcess(uint row, uint epoch, uint pid, ulong pidStart)
    {
        // A process that is not here is not watched: it may be another machine's.
        _watches.Remove(row);
        if (Cell.IsAlive(pid))
        {
            _watches[row] = (epoch, pid);
        }
    }

    void IRegisterEffects.UnwatchProcess(uint row) => _watches.Remove(row);

    void IRegisterEffects.HealthChanged(uint row, WorkerHealth before, WorkerHealth after, WorkerReason reason)
    {
        World.Trace.Add(TraceMark.Note, Index, row, (ulong)after, (ulong)reason);
        if (after is WorkerHealth.Lost or WorkerHealth.Gone)
        {
            // The row's epoch has risen; the registration that was given up had the one before.
            var given = row | ((ulong)(Cell.Arena.Workers[row].Epoch - 1) << 32);
            World.Record(new(World.NowUs, Name, HistoryOp.Fence, Detail: given), Index);
        }
    }

    void IRegisterEffects.BrakePulled(int suspects, int workers, uint holdMs)
    {
    }

    void IRegisterEffects.WasLate(long lateMs)
    {
    }

    void IRegisterEffects.RegionFull(uint row, int bytes)
    {
    }

    protected override void TakeOver()
    {
        _core = new RegisterCore(Cell.Arena, this, Cell.Plan.Register);
        _core.TakeOver(NowMs, NowUnixUs);
        _nextTickMs = 0;
    }

    protected override void DropCore()
    {
        _core = null;
        _streams.Clear();
        _watches.Clear();
    }

    protected override long RunThread()
    {
        if (NowMs >= Core.NextDueMs)
        {
            Core.RunDue(NowMs, NowUnixUs);
        }

        if (NowMs >= _nextTickMs)
        {
            _nextTickMs = NowMs + RegisterLimits.TickMs;
            Core.Tick(NowMs, NowUnixUs);
        }

        return Math.Max(0, Math.Min(_nextTickMs, Core.NextDueMs) - NowMs);
    }

    private void TellDeath(uint row, uint epoch) => After(World.Random.Range(500, 8_000), () => TryTurn(() =>
    {
        if (_watches.TryGetValue(row, out var watch) && watch.Epoch == epoch && !Cell.IsAlive(watch.Pid))
        {
            Core.ProcessExited(row, epoch, NowMs, NowUnixUs);
        }
    }));
}
