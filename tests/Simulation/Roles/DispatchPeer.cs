// SPDX-License-Identifier: Apache-2.0
using Muster.Core;
using Muster.Server.SchedulerHosting;
using Muster.Simulation.Network;
using Muster.Transport.Wire;

namespace Muster.Simulation.Roles;

/// <summary>The Scheduler's end of one worker's stream, as DispatchStream is in the product.</summary>
internal sealed class DispatchPeer(SchedulerProcess host, SimLink link, long number) : ILinkEnd
{
    private readonly DispatchFrame _frame = new();
    private bool _isFull;

    public long Number { get; } = number;

    public uint Row { get; set; }

    public bool IsOpen { get; set; }

    /// <summary>Asked before each message; a no is followed by word that there is room.</summary>
    public bool HasRoom
    {
        get
        {
            _isFull = link.BytesToClient > host.Cell.Plan.OutboxBytesMax;
            return !_isFull;
        }
    }

    public void Received(byte[] message)
    {
        _frame.Read(message);
        var fault = Fault.None;
        var lived = host.TryTurn(() =>
        {
            if (!IsOpen)
            {
                fault = _frame.HasHello
                    ? host.Open(this, _frame.Hello)
                    : new(FaultCode.InvalidArgument, "the first message of a Dispatch stream has no hello");
            }

            if (fault.IsNone && IsOpen)
            {
                fault = host.Core.AttemptsReturned(Row, Number, _frame.Returned, host.Now);
            }

            host.RunCore();
        });
        if (lived && !fault.IsNone)
        {
            Leave();
            link.CloseByServer(fault);
        }
    }

    public void Ended(Fault fault) => Leave();

    public void Arrived()
    {
        if (_isFull && IsOpen)
        {
            host.TryTurn(() =>
            {
                _isFull = false;
                host.Core.StreamHasRoom(Row, Number);
                host.RunCore();
            });
        }
    }

    public void Send(ProtoWriter writer)
    {
        var bytes = writer.Written.ToArray();
        host.AfterTurn(() => link.SendDown(bytes));
    }

    public void CloseAfterTurn(Fault fault) => host.AfterTurn(() => link.CloseByServer(fault));

    private void Leave()
    {
        if (IsOpen)
        {
            host.TryTurn(() => host.Close(this));
        }
    }
}
