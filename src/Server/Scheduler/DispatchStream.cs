// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Server.Endpoint;
using Muster.Server.Endpoint.Access;
using Muster.Server.Roles;
using Muster.Transport.Wire;

namespace Muster.Server.SchedulerHosting;

/// <summary>
/// One open stream of DispatchService.Dispatch. Its call's thread reads a message and has a turn with it; assignments
/// and cancellations are encoded in anyone's turn. When the worker does not read, the outbox fills up, and the
/// Scheduler gives the worker nothing more until it has read.
/// </summary>
internal sealed class DispatchStream : RoleStream, IRoleTurn
{
    private readonly SchedulerHost _host;
    private readonly DispatchFrame _frame;
    private Fault _fault;

    public DispatchStream(SchedulerHost host, ServerCallContext context, int outboxBytesMax)
        : base(host.NextStreamNumber(), context, outboxBytesMax, host.NoteRoom)
    {
        _host = host;
        _frame = new DispatchFrame { Owner = Caller.Of(context).Owner };
    }

    /// <summary>The worker's row. Valid while <see cref="IsOpen"/>; guarded by the turn's lock.</summary>
    public uint Row { get; set; }

    /// <summary>The Scheduler knows the stream. Guarded by the turn's lock.</summary>
    public bool IsOpen { get; set; }

    /// <summary>A message did not fit; told again when there is room. Guarded by the turn's lock.</summary>
    public bool IsFull { get; set; }

    /// <summary>Cancellations that did not fit; they go before anything else once there is room. Guarded by the turn's
    /// lock.</summary>
    public List<AttemptKey> OwedCancels { get; } = [];

    /// <summary>Serves the stream until the worker ends it, or it fails.</summary>
    public async Task ServeAsync(IAsyncStreamReader<RawMessage> requests, ServerCallContext context)
    {
        try
        {
            while (await requests.MoveNext(context.CancellationToken))
            {
                using var message = requests.Current;
                Receive(message);
            }
        }
        finally
        {
            // False: the role has ended, and with it all that the core knew of this stream.
            _host.TryRun(new LeaveTurn(this), out _);
        }
    }

    /// <summary>Appends one message. Inside a turn.</summary>
    public AppendOutcome TryAppend(ProtoWriter writer) => Outbox.TryAppend(writer);

    void IRoleTurn.Run(long nowMs, long nowUnixUs)
    {
        if (!IsOpen)
        {
            _fault = _frame.HasHello
                ? _host.Open(this, _frame)
                : new(FaultCode.InvalidArgument, "the first message of a Dispatch stream has no hello; send one first");
        }
        else if (_frame.HasHello)
        {
            _fault = new(
                FaultCode.InvalidArgument, "a Dispatch stream has one hello; open another stream to begin anew");
        }

        if (_fault.IsNone && IsOpen)
        {
            _fault = _host.Core.AttemptsReturned(Row, Number, _frame.Returned, nowMs);
        }

        _host.Core.Run(nowMs, nowUnixUs);
    }

    private void Receive(RawMessage message)
    {
        try
        {
            _frame.Read(message.Span);
        }
        catch (WireFormatException)
        {
            throw FaultStatus.ToException(CallFailures.Malformed);
        }

        _fault = Fault.None;
        if (!_host.TryRun(this, out var refusal))
        {
            _fault = refusal;
        }

        FaultStatus.ThrowIfFault(_fault);
    }

    /// <summary>The turn in which the Scheduler forgets the stream.</summary>
    private sealed class LeaveTurn(DispatchStream stream) : IRoleTurn
    {
        public void Run(long nowMs, long nowUnixUs) => stream._host.Close(stream);
    }
}
