// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Register;
using Muster.Server.Endpoint;
using Muster.Server.Endpoint.Access;
using Muster.Server.Roles;
using Muster.Transport.Wire;

namespace Muster.Server.RegisterHosting;

/// <summary>
/// One open stream of RegistryService.Heartbeat. Its call's thread reads a message and has a turn with it; every beat
/// is answered, because the answer renews the worker's own view of its lease. An answer that only confirms a few
/// results waits for the next one, at most until the Register's next tick: the worker has nothing to do with it but
/// forget them. An answer that does not fit is dropped: the next one confirms the same again.
/// </summary>
internal sealed class HeartbeatStream : RoleStream, IRoleTurn
{
    // What the worker keeps for want of a confirmation stays far below its limits of results and bytes.
    private const int HeldResultsMax = 64;
    private const int HeldBytesMax = 1 << 20;

    private readonly RegisterHost _host;
    private readonly ConnectionEnd? _connection;
    private readonly Caller _caller;
    private readonly string _authority;
    private readonly HeartbeatFrame _frame = new();
    private readonly BeatAnswer _answer = new();
    private readonly List<AttemptKey> _supersededAtHello = [];

    // Of the message at hand; set by the call's thread, used in its turn.
    private RawMessage? _message;
    private RegistrationFacts? _hello;
    private Fault _fault;

    // Guarded by the turn's lock: what a held answer would have confirmed, and what the worker keeps because of it.
    private bool _isHolding;
    private bool _isListed;
    private ulong _heldNumber;
    private int _heldResults;
    private int _heldBytes;

    public HeartbeatStream(RegisterHost host, ServerCallContext context, int outboxBytesMax)
        : base(host.NextStreamNumber(), context, outboxBytesMax, roomAgain: null)
    {
        _host = host;
        _caller = Caller.Of(context);
        _authority = context.Host;
        _connection = ConnectionEnd.Of(context);
    }

    /// <summary>The worker's row. Valid while <see cref="IsOpen"/>; guarded by the turn's lock.</summary>
    public uint Row { get; private set; }

    /// <summary>The Register knows the stream. Guarded by the turn's lock.</summary>
    public bool IsOpen { get; set; }

    /// <summary>The worker's own kernel closed the connection under the stream.</summary>
    public bool IsClosedByPeer => _connection is { IsByPeer: true };

    /// <summary>Serves the stream until the worker ends it, says goodbye, or fails.</summary>
    public async Task ServeAsync(IAsyncStreamReader<RawMessage> requests, ServerCallContext context)
    {
        try
        {
            while (await requests.MoveNext(context.CancellationToken))
            {
                using var message = requests.Current;
                Receive(message);
                if (_answer.IsLast)
                {
                    return;
                }
            }
        }
        finally
        {
            // False: the role has ended, and with it all that the core knew of this stream.
            _host.TryRun(new LeaveTurn(this), out _);
        }
    }

    /// <summary>Confirms what an answer was held back for. Inside a turn.</summary>
    public void ConfirmHeld()
    {
        _isListed = false;
        if (_isHolding && IsOpen)
        {
            Confirm(_heldNumber);
        }
    }

    /// <summary>Says that results are safe, between heartbeats. Inside a turn.</summary>
    public void Confirm(ulong number)
    {
        _host.Writer.Clear();
        _answer.Clear();
        _answer.ConfirmedResultNumber = number;
        AnswerWriter.Write(_host.Writer, _answer);
        Append();
    }

    void IRoleTurn.Run(long nowMs, long nowUnixUs)
    {
        var writer = _host.Writer;
        writer.Clear();
        if (_hello is not null)
        {
            _fault = Greet(nowMs, nowUnixUs);
        }
        else if (!IsOpen)
        {
            _fault = new(
                FaultCode.InvalidArgument, "the first message of a Heartbeat stream has no hello; send one first");
        }

        if (!_fault.IsNone)
        {
            return;
        }

        var beat = _frame.Beat(_message!.Span);
        _host.Core.Beat(Row, Number, beat, nowMs, nowUnixUs, _answer);
        if (_hello is null && TryHold(beat))
        {
            return;
        }

        _answer.Superseded.AddRange(_supersededAtHello);
        _supersededAtHello.Clear();
        AnswerWriter.Write(writer, _answer);
        Append();
        if (!_answer.Fault.IsNone)
        {
            EndAfterTurn(_answer.Fault);
        }
    }

    // True: the answer says nothing that the worker waits for.
    private bool TryHold(in BeatFacts beat)
    {
        if (beat.Results.IsEmpty || beat.HasLoad || beat.IsDraining || beat.IsGoodbye
            || !_answer.Fault.IsNone || _answer.IntervalMs != 0 || _answer.Superseded.Count > 0)
        {
            return false;
        }

        _heldResults += beat.Results.Length;
        _heldBytes += beat.Bytes.Length;
        if (_heldResults >= HeldResultsMax || _heldBytes >= HeldBytesMax)
        {
            return false;
        }

        if (!_isListed)
        {
            _isListed = true;
            _host.ConfirmLater(this);
        }

        _isHolding = true;
        _heldNumber = _answer.ConfirmedResultNumber;
        return true;
    }

    private void Append()
    {
        (_isHolding, _heldResults, _heldBytes) = (false, 0, 0);
        Outbox.TryAppend(_host.Writer);
        _host.Touch(this);
    }

    private Fault Greet(long nowMs, long nowUnixUs)
    {
        if (IsOpen)
        {
            return new(
                FaultCode.InvalidArgument, "a Heartbeat stream has one hello; open another stream to begin anew");
        }

        var addresses = CellFront.ReachableBy(_host.SchedulerAddresses(), _caller, _authority);
        if (addresses.Length == 0)
        {
            return new(
                FaultCode.Unavailable,
                "this cell has no Scheduler yet that can be reached from here; try again in a moment, or start it with "
                + "--bind",
                RetryAfterMs: 200);
        }

        var fault = _host.Core.WorkerHello(Number, _hello!, nowMs, nowUnixUs, out var welcome);
        if (!fault.IsNone)
        {
            return fault;
        }

        Row = welcome.Row;
        IsOpen = true;
        _host.Open(this);
        _host.Core.TakeBackAttempts(welcome.Row, _hello!, nowUnixUs, _supersededAtHello);
        AnswerWriter.WriteWelcome(
            _host.Writer, welcome, CellIdentity.Of(_host.Arena), _host.Arena.Epoch, addresses);
        return Fault.None;
    }

    private void Receive(RawMessage message)
    {
        try
        {
            _frame.Read(message.Span);
            _hello = _frame.HasHello ? HelloReader.Read(message.Span[_frame.Hello], _caller.Owner) : null;
        }
        catch (WireFormatException)
        {
            throw FaultStatus.ToException(CallFailures.Malformed);
        }

        _message = message;
        _fault = Fault.None;
        if (!_host.TryRun(this, out var refusal))
        {
            _fault = refusal;
        }

        _message = null;
        FaultStatus.ThrowIfFault(_fault);
    }

    /// <summary>The turn in which the Register hears that the stream has ended.</summary>
    private sealed class LeaveTurn(HeartbeatStream stream) : IRoleTurn
    {
        public void Run(long nowMs, long nowUnixUs) => stream._host.Close(stream, nowMs, nowUnixUs);
    }
}
