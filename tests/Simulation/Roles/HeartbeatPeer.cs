// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Register;
using Muster.Server;
using Muster.Server.RegisterHosting;
using Muster.Simulation.Network;

namespace Muster.Simulation.Roles;

/// <summary>The Register's end of one worker's stream, as HeartbeatStream is in the product.</summary>
internal sealed class HeartbeatPeer(RegisterProcess host, SimLink link, long number) : ILinkEnd
{
    private static readonly string[] s_addresses = ["sim"];

    private readonly HeartbeatFrame _frame = new();
    private readonly BeatAnswer _answer = new();
    private readonly List<AttemptKey> _supersededAtHello = [];
    private Fault _fault;

    public long Number { get; } = number;

    public uint Row { get; private set; }

    public bool IsOpen { get; set; }

    /// <summary>As the welcome named it.</summary>
    public ulong Registration { get; private set; }

    public void Received(byte[] message)
    {
        _frame.Read(message);
        var hello = _frame.HasHello ? HelloReader.Read(((System.ReadOnlySpan<byte>)message)[_frame.Hello]) : null;
        _fault = Fault.None;
        if (!host.TryTurn(() => Take(hello, message)))
        {
            host.Cell.Observer.Reporting = 0;
            return;
        }

        if (!_fault.IsNone)
        {
            Leave(isByPeer: false);
            link.CloseByServer(_fault);
        }
        else if (_answer.IsLast)
        {
            Leave(isByPeer: false);
            link.CloseByServer(Fault.None);
        }
    }

    public void Ended(Fault fault) => Leave(isByPeer: true);

    public void Arrived()
    {
    }

    /// <summary>Says that results are safe, between heartbeats. Inside a turn.</summary>
    public void Confirm(ulong number)
    {
        var answer = new BeatAnswer { ConfirmedResultNumber = number };
        host.Writer.Clear();
        AnswerWriter.Write(host.Writer, answer);
        var bytes = host.Writer.Written.ToArray();
        host.AfterTurn(() => link.SendDown(bytes));
    }

    public void CloseAfterTurn(Fault fault) => host.AfterTurn(() => link.CloseByServer(fault));

    private void Take(RegistrationFacts? hello, byte[] message)
    {
        var writer = host.Writer;
        writer.Clear();
        if (hello is not null)
        {
            _fault = host.Core.WorkerHello(Number, hello, host.Now, host.Wall, out var welcome);
            if (!_fault.IsNone)
            {
                return;
            }

            Row = welcome.Row;
            Registration = welcome.WorkerId;
            IsOpen = true;
            host.Open(this);
            host.Core.TakeBackAttempts(welcome.Row, hello, host.Wall, _supersededAtHello);
            var arena = host.Cell.Arena;
            AnswerWriter.WriteWelcome(writer, welcome, CellIdentity.Of(arena), arena.Epoch, s_addresses);
        }

        host.Cell.Observer.Reporting = Registration;
        host.Core.Beat(Row, Number, _frame.Beat(message), host.Now, host.Wall, _answer);
        host.Cell.Observer.Reporting = 0;
        _answer.Superseded.AddRange(_supersededAtHello);
        _supersededAtHello.Clear();
        AnswerWriter.Write(writer, _answer);
        var bytes = writer.Written.ToArray();
        host.AfterTurn(() => link.SendDown(bytes));
        _fault = _answer.Fault;
    }

    private void Leave(bool isByPeer)
    {
        if (IsOpen)
        {
            host.TryTurn(() => host.Close(this, isByPeer));
        }
    }
}
