// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Register;
using Muster.Server.Endpoint;
using Muster.Server.Roles;
using Muster.Transport.Wire;

namespace Muster.Server.RegisterHosting;

/// <summary>
/// Runs the Register's core: its thread "register" looks at the deadlines every 50 ms, "register-watch" waits for the
/// death of workers' processes on this host, and a worker's own message is a turn on the thread that received it.
/// </summary>
internal sealed class RegisterHost : RoleHost, IRegisterEffects
{
    // A host that is short of processors is late many times a second; a line now and then says it.
    private const int LateLogEveryMs = 10_000;

    private readonly RegisterHostOptions _options;
    private readonly ProcessWatches _watches;
    private readonly PoolProbe _probe;

    // Guarded by the turn's lock.
    private readonly HeartbeatStream?[] _streams;
    private readonly List<HeartbeatStream> _holding = [];
    private RegisterCore? _core;
    private long _nextTickMs;
    private long _lateMs;
    private long _lateLogMs;

    public RegisterHost(RegisterHostOptions options)
        : base(Role.Register, options)
    {
        _options = options;
        _streams = new HeartbeatStream?[Arena.Workers.Capacity];
        _probe = new(options.Core.LatenessMs);
        _watches = new(
            Arena.Workers.Capacity,
            (row, epoch) => TryRun(new ExitTurn(this, row, epoch), out _),
            (row, epoch) => TryRun(new UnwatchedTurn(this, row, epoch), out _));
    }

    /// <summary>Inside a turn.</summary>
    public RegisterCore Core => _core!;

    /// <summary>Where a turn encodes its answer. Inside a turn, and only until something else is encoded.</summary>
    public ProtoWriter Writer { get; } = new();

    /// <summary>
    /// Adds the service that this host answers. Before the endpoint starts; calls are refused until it runs.
    /// </summary>
    public void AddTo(GrpcEndpoint endpoint) =>
        endpoint.Add(
            RegistryCalls.Bind(this, _options.OutboxBytesMax), static () => Muster.V1.RegistryService.Descriptor);

    /// <summary>Where the PLM listens or last listened; empty: there has been none.</summary>
    public string[] PlmAddresses() => AddressesOf(Role.Plm);

    /// <summary>Where the Scheduler listens or last listened; empty: there has been none.</summary>
    public string[] SchedulerAddresses() => AddressesOf(Role.Scheduler);

    /// <summary>The stream's hello was taken. Inside a turn.</summary>
    public void Open(HeartbeatStream stream)
    {
        _streams[stream.Row] = stream;
        Join(stream);
    }

    /// <summary>The stream holds an answer back until the next tick. Inside a turn.</summary>
    public void ConfirmLater(HeartbeatStream stream) => _holding.Add(stream);

    /// <summary>The stream has ended. Inside a turn.</summary>
    public void Close(HeartbeatStream stream, long nowMs, long nowUnixUs)
    {
        Leave(stream);
        if (!stream.IsOpen)
        {
            return;
        }

        stream.IsOpen = false;
        if (_streams[stream.Row] == stream)
        {
            _streams[stream.Row] = null;
        }

        Core.StreamClosed(stream.Row, stream.Number, nowMs, nowUnixUs, stream.IsClosedByPeer);

        // The thread sleeps until its tick, and this may be due before.
        Wake();
    }

    protected override void TakeOver(long nowMs, long nowUnixUs)
    {
        _core = new RegisterCore(Arena, this, _options.Core);
        _core.TakeOver(nowMs, nowUnixUs);
    }

    protected override void OnStarted() => _watches.Start();

    protected override void OnStopped() => _watches.Dispose();

    protected override int RunRole(long nowMs, long nowUnixUs)
    {
        // Woken early for returned blocks, or by a stop: those wait for the tick.
        if (nowMs >= Core.NextDueMs)
        {
            Core.RunDue(nowMs, nowUnixUs);
        }

        if (nowMs >= _nextTickMs)
        {
            _nextTickMs = nowMs + RegisterLimits.TickMs;
            Core.Tick(nowMs, nowUnixUs, _probe.Look(nowMs));
            foreach (var stream in _holding)
            {
                stream.ConfirmHeld();
            }

            _holding.Clear();
        }

        return (int)Math.Max(0, Math.Min(_nextTickMs, Core.NextDueMs) - nowMs);
    }

    private string[] AddressesOf(Role role) =>
        Arena.Holder(role).Addresses.Split(',', StringSplitOptions.RemoveEmptyEntries);

    void IRegisterEffects.CloseStream(uint row, long stream, Fault fault)
    {
        var closing = _streams[row];
        if (closing is null || closing.Number != stream)
        {
            return;
        }

        RegisterLog.StreamClosed(Logger, Arena.Workers.Name(row), fault.Code, fault.Message);
        _streams[row] = null;
        closing.IsOpen = false;
        closing.EndAfterTurn(fault);
        Touch(closing);
    }

    void IRegisterEffects.Confirm(uint row, long stream, ulong number)
    {
        if (_streams[row] is { } open && open.Number == stream)
        {
            open.Confirm(number);
        }
    }

    void IRegisterEffects.WatchProcess(uint row, uint epoch, uint pid, ulong pidStart) =>
        _watches.Watch(row, epoch, pid, pidStart);

    void IRegisterEffects.UnwatchProcess(uint row) => _watches.Unwatch(row);

    void IRegisterEffects.HealthChanged(uint row, WorkerHealth before, WorkerHealth after, WorkerReason reason)
    {
        var name = Arena.Workers.Name(row);
        if (after is WorkerHealth.Suspect or WorkerHealth.Lost
            || reason is WorkerReason.ProcessExited or WorkerReason.ConnectionsClosed)
        {
            RegisterLog.HealthWorsened(Logger, name, row, after, reason);
        }
        else
        {
            RegisterLog.HealthChanged(Logger, name, row, after, reason);
        }
    }

    void IRegisterEffects.BrakePulled(int suspects, int workers, uint holdMs) =>
        RegisterLog.BrakePulled(Logger, suspects, workers, holdMs);

    void IRegisterEffects.WasLate(long lateMs)
    {
        _lateMs += lateMs;
        var nowMs = NowMs();
        if (nowMs >= _lateLogMs)
        {
            RegisterLog.WasLate(Logger, _lateMs);
            _lateMs = 0;
            _lateLogMs = nowMs + LateLogEveryMs;
        }
    }

    void IRegisterEffects.RegionFull(uint row, int bytes) =>
        RegisterLog.RegionFull(Logger, Arena.Workers.Name(row), bytes);

    /// <summary>The turn in which it is known that nothing tells of the end of a worker's process.</summary>
    private sealed class UnwatchedTurn(RegisterHost host, uint row, uint epoch) : IRoleTurn
    {
        public void Run(long nowMs, long nowUnixUs) => host.Core.ProcessUnknown(row, epoch);
    }

    /// <summary>The turn in which a worker's process is known to be dead.</summary>
    private sealed class ExitTurn(RegisterHost host, uint row, uint epoch) : IRoleTurn
    {
        public void Run(long nowMs, long nowUnixUs) => host.Core.ProcessExited(row, epoch, nowMs, nowUnixUs);
    }
}
