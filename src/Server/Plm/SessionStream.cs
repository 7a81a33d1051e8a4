// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Arena;
using Muster.Core;
using Muster.Identity.Credentials;
using Muster.Plm;
using Muster.Server.Endpoint;
using Muster.Server.Endpoint.Access;
using Muster.Transport.Wire;

namespace Muster.Server.PlmHosting;

/// <summary>
/// One open stream of SubmissionService.Session. Its call's thread reads a message, has a turn with it, and goes on;
/// the core pushes results in anyone's turn. Answers and results are encoded inside turns and sent after them.
///
/// <para>When the client does not read: results stop at their share of the outbox, stay in the arena, and go on when
/// there is room. The answer to a batch cannot wait in the arena, so it has a share of its own; when that is full too,
/// one answer is held here and no further message is read until it has gone.</para>
/// </summary>
internal sealed class SessionStream : IResultStream, IPlmTurn
{
    // A message of results is closed above this: about what one write to the connection takes well.
    private const int MessageBytesAim = 32 * 1024;

    // Room that results leave to answers: the ids of all tasks that a client may have outstanding in an arena of the
    // default size. So a client may send everything first and read later.
    private const int AnswerBytesMax = 1 << 20;

    private readonly PlmHost _host;
    private readonly ArenaMap _arena;
    private readonly StreamOutbox _outbox;
    private readonly SessionFrame _frame = new();
    private readonly Caller _caller;
    private readonly List<KnownRef> _known = [];

    // Of the message at hand; set by the call's thread, used in its turn.
    private RawMessage? _message;
    private Fault _fault;

    // Guarded by the turn's lock.
    private PlmSession? _session;
    private RawMessage? _held;
    private readonly PromisedAnswers _promises = new();
    private Fault _closing;
    private bool _isTouched;
    private CancelAnswer[] _cancelAnswers = [];

    public SessionStream(PlmHost host, ServerCallContext context)
    {
        _host = host;
        _caller = Caller.Of(context);
        _arena = host.Options.Arena;
        _outbox = StreamOutbox.Open(context, host.Options.OutboxBytesMax + AnswerBytesMax, RoomAgain);
    }

    /// <summary>Serves the stream until the client ends it, or it fails.</summary>
    public async Task ServeAsync(IAsyncStreamReader<RawMessage> requests, ServerCallContext context)
    {
        try
        {
            while (await requests.MoveNext(context.CancellationToken))
            {
                using (var message = requests.Current)
                {
                    Receive(message);
                }

                if (_held is not null)
                {
                    await SendHeldAsync(context);
                }
            }
        }
        finally
        {
            // False: the role has ended, and with it all that the core knew of this stream.
            _host.TryRun(new LeaveTurn(this), out _);
        }
    }

    /// <summary>Ends the stream from outside a turn.</summary>
    public void End(Fault fault) => _outbox.Close(fault);

    /// <summary>Sends what the turn that has just ended left here.</summary>
    public void SendAfterTurn()
    {
        _outbox.Flush();
        if (!_closing.IsNone)
        {
            _outbox.Close(_closing);
        }
    }

    /// <summary>
    /// Sends the answers whose promise holds by now; false while some wait. Inside a turn.
    /// </summary>
    public bool TryRedeem(PlmCore core)
    {
        while (_promises.TryPeek(out var sequence, out var durability, out var answer)
            && core.IsReached(sequence, durability))
        {
            if (_outbox.TryAppend(answer) == AppendOutcome.Full)
            {
                // It goes on when there is room, and results of these tasks stay behind it.
                break;
            }

            _promises.Dequeue();
            Touch();
        }

        return _promises.Count == 0;
    }

    /// <summary>There is room again. Inside a turn.</summary>
    public void Resume(PlmCore core)
    {
        if (_session is not null && _held is null)
        {
            core.ResumeDelivery(_session, this);
        }
    }

    int IResultStream.Deliver(ReadOnlySpan<uint> slots, PlmTime now)
    {
        var writer = _host.Writer;
        var taken = 0;
        while (taken < slots.Length && _held is null)
        {
            var count = 0;
            writer.Clear();
            while (taken + count < slots.Length && writer.Length < MessageBytesAim)
            {
                var before = writer.Length;
                var begin = writer.Begin(3);
                ResultBytes.WriteResult(writer, _arena, slots[taken + count], now);
                writer.End(begin);
                if (writer.Length > TaskLimits.MessageBytesMax && count > 0)
                {
                    writer.Truncate(before);
                    break;
                }

                count++;
            }

            if (_outbox.TryAppend(writer.Written, _host.Options.OutboxBytesMax) != AppendOutcome.Appended)
            {
                break;
            }

            taken += count;
            Touch();
        }

        return taken;
    }

    void IResultStream.Close(Fault fault)
    {
        _closing = fault;
        Touch();
    }

    void IPlmTurn.Run(PlmCore core, PlmTime now)
    {
        _host.Writer.Clear();
        _fault = _session is null ? Greet(core) : RefuseSecondHello();
        if (_fault.IsNone && _frame.ConfirmedTotal != 0)
        {
            _fault = core.Confirm(_session!, this, _frame.ConfirmedTotal);
        }

        if (_fault.IsNone && _frame.Cancels.Count > 0)
        {
            _fault = Cancel(core);
        }

        if (_fault.IsNone && _frame.HasBatch)
        {
            _fault = Submit(core);
        }

        if (_host.Writer.Length > 0)
        {
            Answer();
        }
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

        _message = message;
        _host.Run(this);
        _message = null;
        FaultStatus.ThrowIfFault(_fault);
    }

    private Fault Greet(PlmCore core)
    {
        if (!_frame.HasHello)
        {
            return new(FaultCode.InvalidArgument, "the first message of a session has no hello; send one first");
        }

        var fault = WireVersions.Check(_frame.WireVersion);
        var hello = _frame.Hello with { Owner = _caller.Owner };
        fault = fault.IsNone ? core.OpenSession(hello, this, _known, out _session) : fault;
        if (!fault.IsNone)
        {
            return fault;
        }

        _host.Join(this);
        PlmLog.SessionOpened(_host.Logger, _frame.Hello.ClientId, _frame.Hello.Name);
        WriteWelcome(core);
        return Fault.None;
    }

    private Fault RefuseSecondHello() => _frame.HasHello
        ? new(FaultCode.InvalidArgument, "a session's stream has one hello; open another stream to begin anew")
        : Fault.None;

    private Fault Cancel(PlmCore core)
    {
        var ids = CollectionsMarshal.AsSpan(_frame.Cancels);
        if (ids.Length > TaskLimits.BatchItemsMax)
        {
            return new(FaultCode.BatchTooLarge,
                $"the message cancels {ids.Length} tasks and the limit is {TaskLimits.BatchItemsMax}; split it");
        }

        if (_cancelAnswers.Length < ids.Length)
        {
            _cancelAnswers = new CancelAnswer[ids.Length];
        }

        if ((_caller.Rights & Rights.Cancel) == 0)
        {
            return _caller.Refuse(Rights.Cancel, Grant.DefaultScope);
        }

        core.Cancel(ids, _cancelAnswers.AsSpan(0, ids.Length), owner: _caller.LimitUnless(Rights.Operate));
        return Fault.None;
    }

    private Fault Submit(PlmCore core)
    {
        var batch = _message!.Span[_frame.Batch];
        BatchBytes.FindOptions(batch, out var options);
        var refusal = _caller.CheckQueue(options.QueueUtf8);
        var spec = default(TaskSpec);
        refusal = refusal.IsNone
            ? TaskRules.TryMake(_arena, options, out spec, core.DurabilityDefault)
            : refusal;
        spec = spec with { Owner = _caller.Owner };
        var fault = core.BeginBatch(_session, this, _frame.BatchFirstRef, _frame.BatchItems, spec, refusal);
        if (!fault.IsNone)
        {
            return fault;
        }

        BatchBytes.AddItems(batch, core);
        var receipt = core.EndBatch();
        var writer = _host.Writer;
        var begin = writer.Length;
        var accepted = writer.Begin(2);
        writer.WriteUInt64(1, _frame.BatchFirstRef);
        writer.WritePackedFixed64(2, receipt.Ids);
        foreach (var (index, why) in receipt.Faults)
        {
            var error = writer.Begin(3);
            writer.WriteUInt32(1, (uint)index);
            writer.WriteString(2, FaultCodes.Name(why.Code));
            writer.WriteString(3, why.Message);
            writer.WriteUInt32(4, why.RetryAfterMs);
            writer.End(error);
        }

        if (receipt.Duplicates.Count > 0)
        {
            writer.WritePackedUInt32(4, CollectionsMarshal.AsSpan(receipt.Duplicates));
        }

        writer.End(accepted);
        if (!core.IsReached(receipt.Sequence, receipt.Durability))
        {
            Promise(begin, receipt.Sequence, receipt.Durability);
        }

        return Fault.None;
    }

    // What the answer promises does not hold yet: it leaves the message and waits for the journal.
    private void Promise(int begin, ulong sequence, byte durability)
    {
        var writer = _host.Writer;
        if (_promises.Count == 0)
        {
            _host.Promise(this);
        }

        _promises.Enqueue(sequence, durability, writer.Written[begin..]);
        writer.Truncate(begin);
    }

    private void WriteWelcome(PlmCore core)
    {
        var writer = _host.Writer;
        var welcome = writer.Begin(1);
        writer.WriteUInt32(1, TaskLimits.WireVersion);
        writer.WriteFixed64(2, CellIdentity.Of(_arena));
        writer.WriteUInt64(3, _session!.DecidedRef);
        foreach (var known in _known)
        {
            writer.WriteUInt64(4, known.Ref);
        }

        foreach (var known in _known)
        {
            writer.WriteFixed64(5, known.Id.Value);
        }

        writer.WriteUInt32(6, core.OutstandingMax);
        writer.WriteUInt32(7, _arena.Epoch);
        writer.End(welcome);
    }

    private void Answer()
    {
        if (_outbox.TryAppend(_host.Writer) == AppendOutcome.Full)
        {
            _held = RawMessage.Copy(_host.Writer.Written);
        }

        Touch();
    }

    private async Task SendHeldAsync(ServerCallContext context)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, _host.Ended);
        while (_held is not null)
        {
            await _outbox.DrainAsync().WaitAsync(over.Token);
            _host.Run(new HeldTurn(this));
        }
    }

    private void Touch()
    {
        if (!_isTouched)
        {
            _isTouched = true;
            _host.Touch(this);
        }
    }

    /// <summary>Cleared by the host when it takes the stream from its list. Inside a turn.</summary>
    public void ClearTouch() => _isTouched = false;

    // On the thread that sends, perhaps inside another's turn: only signals.
    private void RoomAgain() => _host.ResumeLater(this);

    /// <summary>The turn in which a held answer goes out.</summary>
    private sealed class HeldTurn(SessionStream stream) : IPlmTurn
    {
        public void Run(PlmCore core, PlmTime now)
        {
            if (stream._outbox.TryAppend(stream._held!.Span) == AppendOutcome.Full)
            {
                return;
            }

            stream._held.Dispose();
            stream._held = null;
            stream.Touch();
            stream.Resume(core);
        }
    }

    /// <summary>The turn in which the session loses its stream.</summary>
    private sealed class LeaveTurn(SessionStream stream) : IPlmTurn
    {
        public void Run(PlmCore core, PlmTime now)
        {
            stream._held?.Dispose();
            stream._held = null;
            stream._promises.Clear();
            if (stream._session is { } session)
            {
                core.LeaveSession(session, stream);
                stream._host.Leave(stream);
                stream._session = null;
            }
        }
    }
}
