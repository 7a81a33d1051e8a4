// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Scheduler;
using Muster.Server.Endpoint;
using Muster.Server.Roles;
using Muster.Transport;
using Muster.Transport.Wire;

namespace Muster.Server.SchedulerHosting;

/// <summary>
/// Runs the Scheduler's core: its thread "scheduler" is woken by the PLM when tasks are ready and by the Register when
/// workers changed; a worker's own message is a turn on the thread that received it.
/// </summary>
internal sealed partial class SchedulerHost : RoleHost, ISchedulerEffects
{
    private readonly SchedulerHostOptions _options;

    // All below is guarded by the turn's lock.
    private readonly DispatchStream?[] _streams;
    private readonly ProtoWriter _writer = new();
    private SchedulerCore? _core;

    // The stream whose hello is being answered: not yet in the table, because the hello may be refused.
    private DispatchStream? _opening;

    // Set by threads that send, read by turns.
    private bool _roomNoted;

    public SchedulerHost(SchedulerHostOptions options)
        : base(Role.Scheduler, options)
    {
        _options = options;
        _streams = new DispatchStream?[Arena.Workers.Capacity];
    }

    /// <summary>Inside a turn.</summary>
    public SchedulerCore Core => _core!;

    /// <summary>
    /// Adds the service that this host answers. Before the endpoint starts; calls are refused until it runs.
    /// </summary>
    public void AddTo(GrpcEndpoint endpoint)
    {
        var service = ServerServiceDefinition.CreateBuilder().AddMethod(RawMethods.Dispatch, Dispatch).Build();
        endpoint.Add(service, static () => Muster.V1.DispatchService.Descriptor);
    }

    /// <summary>A stream has room again. From any thread, perhaps inside a turn: only signals.</summary>
    public void NoteRoom()
    {
        Volatile.Write(ref _roomNoted, true);
        Wake();
    }

    /// <summary>Passes a hello on. Inside a turn.</summary>
    public Fault Open(DispatchStream stream, DispatchFrame frame)
    {
        _opening = stream;
        stream.IsOpen = true;
        var fault = Core.WorkerDispatchOpened(stream.Number, frame.Hello, out var row);
        _opening = null;
        if (!fault.IsNone)
        {
            stream.IsOpen = false;
            return fault;
        }

        stream.Row = row;
        if (stream.IsOpen)
        {
            _streams[row] = stream;
            Join(stream);
            SchedulerLog.StreamOpened(Logger, Arena.Workers.Name(row));
        }

        return Fault.None;
    }

    /// <summary>The stream has ended. Inside a turn.</summary>
    public void Close(DispatchStream stream)
    {
        Leave(stream);
        if (!stream.IsOpen)
        {
            return;
        }

        stream.IsOpen = false;
        Core.WorkerDispatchClosed(stream.Row, stream.Number);
        if (_streams[stream.Row] == stream)
        {
            _streams[stream.Row] = null;
        }

        SchedulerLog.StreamEnded(Logger, Arena.Workers.Name(stream.Row));
    }

    protected override void TakeOver(long nowMs, long nowUnixUs)
    {
        _core = new SchedulerCore(Arena, this, _options.Core);
        _core.TakeOver();
    }

    protected override int RunRole(long nowMs, long nowUnixUs)
    {
        if (Volatile.Read(ref _roomNoted))
        {
            Volatile.Write(ref _roomNoted, false);
            LookForRoom();
        }

        Core.Run(nowMs, nowUnixUs);
        return (int)Math.Min(Core.NextDueMs - nowMs, int.MaxValue);
    }

    private void LookForRoom()
    {
        foreach (var stream in _streams)
        {
            if (stream is { IsFull: true })
            {
                // If it is still full, the next refusal says so, and the outbox signals again.
                stream.IsFull = false;
                SendOwedCancels(stream);
                Core.StreamHasRoom(stream.Row, stream.Number);
            }
        }
    }

    private Task Dispatch(
        IAsyncStreamReader<RawMessage> requests,
        IServerStreamWriter<RawMessage> responses,
        ServerCallContext context) =>
        new DispatchStream(this, context, _options.OutboxBytesMax).ServeAsync(requests, context);

    void ISchedulerEffects.CloseStream(uint row, long stream, Fault fault)
    {
        var closing = _opening?.Number == stream ? _opening : _streams[row];
        if (closing is null || closing.Number != stream)
        {
            return;
        }

        if (fault.Code == FaultCode.WorkerFenced)
        {
            SchedulerLog.StreamFenced(Logger, Arena.Workers.Name(row));
        }
        else
        {
            SchedulerLog.StreamClosed(Logger, Arena.Workers.Name(row), fault.Code, fault.Message);
        }

        closing.IsOpen = false;
        closing.EndAfterTurn(fault);
        Touch(closing);
        if (_streams[row] == closing)
        {
            _streams[row] = null;
        }
    }
}
