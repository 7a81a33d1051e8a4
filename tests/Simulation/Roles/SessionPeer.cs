// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Muster.Core;
using Muster.Plm;
using Muster.Server;
using Muster.Server.PlmHosting;
using Muster.Simulation.Network;
using Muster.Transport.Wire;

namespace Muster.Simulation.Roles;

/// <summary>
/// The PLM's end of one session's stream. Reads and writes the real bytes by the real codecs; what SessionStream does
/// with calls and threads, it does with events.
/// </summary>
internal sealed class SessionPeer(PlmProcess host, SimLink link) : ILinkEnd, IResultStream
{
    private readonly SessionFrame _frame = new();
    private readonly List<KnownRef> _known = [];
    private readonly Queue<(ulong Sequence, byte Durability, byte[] Answer)> _promises = new();
    private PlmSession? _session;
    private bool _isStalled;
    private long _bytesWaiting;

    public void Received(byte[] message)
    {
        var fault = Fault.None;
        _frame.Read(message);
        if (!host.TryTurn((core, _) => fault = Take(core, message)))
        {
            return;
        }

        if (!fault.IsNone)
        {
            Leave();
            link.CloseByServer(fault);
        }
    }

    public void Ended(Fault fault) => Leave();

    public void Arrived()
    {
        if (_isStalled && _session is { } session)
        {
            _isStalled = false;
            host.TryTurn((core, _) => core.ResumeDelivery(session, this));
        }
    }

    int IResultStream.Deliver(ReadOnlySpan<uint> slots, PlmTime now)
    {
        var writer = host.Writer;
        var taken = 0;
        while (taken < slots.Length)
        {
            if (link.BytesToClient + _bytesWaiting > host.Cell.Plan.OutboxBytesMax)
            {
                _isStalled = true;
                break;
            }

            writer.Clear();
            var count = Math.Min(slots.Length - taken, host.Cell.Plan.ResultsPerMessage);
            for (var item = 0; item < count; item++)
            {
                var begin = writer.Begin(3);
                ResultBytes.WriteResult(writer, host.Cell.Arena, slots[taken + item], now);
                writer.End(begin);
            }

            Send(writer);
            taken += count;
        }

        return taken;
    }

    void IResultStream.Close(Fault fault) => host.AfterTurn(() => link.CloseByServer(fault));

    private Fault Take(PlmCore core, byte[] message)
    {
        host.Writer.Clear();
        var fault = _session is null ? Greet(core) : Fault.None;
        if (fault.IsNone && _frame.ConfirmedTotal != 0)
        {
            fault = core.Confirm(_session!, this, _frame.ConfirmedTotal);
        }

        if (fault.IsNone && _frame.Cancels.Count > 0)
        {
            var ids = CollectionsMarshal.AsSpan(_frame.Cancels);
            core.Cancel(ids, new CancelAnswer[ids.Length]);
        }

        if (fault.IsNone && _frame.HasBatch)
        {
            fault = Submit(core, message.AsSpan()[_frame.Batch]);
        }

        if (host.Writer.Length > 0)
        {
            Send(host.Writer);
        }

        return fault;
    }

    private Fault Greet(PlmCore core)
    {
        var fault = core.OpenSession(_frame.Hello, this, _known, out _session);
        if (!fault.IsNone)
        {
            return fault;
        }

        var writer = host.Writer;
        var welcome = writer.Begin(1);
        writer.WriteUInt32(1, TaskLimits.WireVersion);
        writer.WriteFixed64(2, CellIdentity.Of(host.Cell.Arena));
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
        writer.WriteUInt32(7, host.Cell.Arena.Epoch);
        writer.End(welcome);
        return Fault.None;
    }

    private Fault Submit(PlmCore core, ReadOnlySpan<byte> batch)
    {
        var receipt = BatchTurn.Submit(core, host.Cell, _session, this, batch, out var fault);
        if (!fault.IsNone)
        {
            return fault;
        }

        var writer = host.Writer;
        var start = writer.Length;
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
            if (_promises.Count == 0)
            {
                host.Promise(this);
            }

            _promises.Enqueue((receipt.Sequence, receipt.Durability, writer.Written[start..].ToArray()));
            writer.Truncate(start);
        }

        return Fault.None;
    }

    /// <summary>Sends the answers whose promise holds by now; false while some wait. Inside a turn.</summary>
    public bool TryRedeem(PlmCore core)
    {
        while (_promises.TryPeek(out var promise) && core.IsReached(promise.Sequence, promise.Durability))
        {
            Send(_promises.Dequeue().Answer);
        }

        return _promises.Count == 0;
    }

    private void Send(ProtoWriter writer) => Send(writer.Written.ToArray());

    private void Send(byte[] bytes)
    {
        _bytesWaiting += bytes.Length;
        host.AfterTurn(() =>
        {
            _bytesWaiting -= bytes.Length;
            link.SendDown(bytes);
        });
    }

    private void Leave()
    {
        if (_session is { } session)
        {
            _session = null;
            _promises.Clear();
            host.TryTurn((core, _) =>
            {
                core.LeaveSession(session, this);
                host.Leave(this);
            });
        }
    }
}
