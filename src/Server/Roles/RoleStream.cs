// SPDX-License-Identifier: Apache-2.0
using System;
using Grpc.Core;
using Muster.Core;
using Muster.Server.Endpoint;

namespace Muster.Server.Roles;

/// <summary>
/// One open stream of a worker: an outbox that turns fill and that is flushed after them. Everything here but
/// <see cref="End"/> belongs to whoever has the turn; <see cref="SendAfterTurn"/> is called by the same thread, after
/// it.
/// </summary>
internal abstract class RoleStream(long number, ServerCallContext context, int outboxBytesMax, Action? roomAgain)
{
    private Fault _closing;

    /// <summary>Never used before in this process, not 0.</summary>
    public long Number { get; } = number;

    /// <summary>It is in the list of streams to be flushed after the turn.</summary>
    public bool IsTouched { get; set; }

    protected StreamOutbox Outbox { get; } = StreamOutbox.Open(context, outboxBytesMax, roomAgain);

    /// <summary>Ends the stream from outside a turn; what was appended goes out before.</summary>
    public void End(Fault fault) => Outbox.Close(fault);

    /// <summary>Ends the stream after this turn.</summary>
    public void EndAfterTurn(Fault fault)
    {
        if (_closing.IsNone)
        {
            _closing = fault;
        }
    }

    /// <summary>Sends what the turn that has just ended left here.</summary>
    public void SendAfterTurn()
    {
        Outbox.Flush();
        if (!_closing.IsNone)
        {
            Outbox.Close(_closing);
        }
    }
}
