// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Google.Protobuf;
using Muster.Client.Sessions;
using Muster.Transport.Wire;
using Muster.V1;

namespace Muster.Unit.Client;

/// <summary>A ledger and a <see cref="PlmModel"/> with two one-way wires between them that a test may cut.</summary>
internal sealed class LedgerSession(PlmModel plm, int seed = 1, long confirmHoldMs = 0)
{
    private readonly ProtoWriter _writer = new();
    private readonly SessionEvents _events = new();

    public SessionLedger Ledger { get; } = new(new Random(seed)) { ConfirmHoldMs = confirmHoldMs };

    public PlmModel Plm { get; set; } = plm;

    /// <summary>On its way to the PLM.</summary>
    public Queue<SessionRequest> Up { get; } = new();

    /// <summary>On its way to the client.</summary>
    public Queue<SessionResponse> Down { get; } = new();

    public long NowMs { get; set; } = 1_000;

    /// <summary>Cuts both wires, then greets on new ones.</summary>
    public SessionHello Connect()
    {
        Up.Clear();
        Down.Clear();
        Ledger.EncodeHello(_writer, 9, "test");
        var hello = SessionRequest.Parser.ParseFrom(_writer.Written).Hello;
        Ledger.ReceiveWelcome(Plm.Hello(hello).ToByteArray(), NowMs, _events);
        _events.Tell();
        Down.Enqueue(Plm.Repeat());
        return hello;
    }

    /// <summary>Puts the next message on the wire; null when there is none.</summary>
    public SessionRequest? Send()
    {
        var isThere = Ledger.TryEncode(_writer, NowMs, _events);
        _events.Tell();
        if (!isThere)
        {
            return null;
        }

        var request = SessionRequest.Parser.ParseFrom(_writer.Written);
        Up.Enqueue(request);
        return request;
    }

    /// <summary>Lets one request arrive.</summary>
    public void ArriveUp() => Down.Enqueue(Plm.Take(Up.Dequeue()));

    /// <summary>Lets one response arrive.</summary>
    public void ArriveDown() => Receive(Down.Dequeue());

    public void Receive(SessionResponse response)
    {
        Ledger.Receive(response.ToByteArray(), NowMs, _events);
        _events.Tell();
    }

    public void Fail(MusterException refusal)
    {
        Ledger.FailAll(refusal, _events);
        _events.Tell();
    }

    /// <summary>Everything that is possible happens until nothing is left to do.</summary>
    public void Settle()
    {
        for (var quiet = 0; quiet < 3; quiet++)
        {
            while (Send() is not null)
            {
                quiet = 0;
            }

            while (Up.Count > 0)
            {
                ArriveUp();
            }

            Down.Enqueue(Plm.Finish(int.MaxValue));
            while (Down.Count > 0)
            {
                ArriveDown();
            }

            NowMs += 10_000;
        }
    }
}
