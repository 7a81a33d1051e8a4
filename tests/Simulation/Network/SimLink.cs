// SPDX-License-Identifier: Apache-2.0
using Muster.Core;
using Muster.Simulation.Kernel;

namespace Muster.Simulation.Network;

/// <summary>
/// One connection with one stream on it. Each direction keeps its order, as TCP does; what is lost is lost with the
/// connection. When it breaks, each end learns of it by itself, perhaps seconds later, and until then what was under
/// way may still arrive: so a server may hear the old connection of a client that has opened another one already.
/// </summary>
internal sealed class SimLink(World world, SimProcess client, SimProcess server, ILinkEnd clientEnd)
{
    private readonly Lane _up = new();
    private readonly Lane _down = new();
    private readonly uint _clientLife = client.Life;
    private uint _serverLife;
    private ILinkEnd? _serverEnd;
    private bool _isClientOpen = true;
    private bool _isServerOpen;
    private bool _isBroken;

    private static readonly Fault s_broken = new(FaultCode.Unavailable, "the connection broke");

    private sealed class Lane
    {
        /// <summary>When the last message arrives: none overtakes it.</summary>
        public long LastUs;

        /// <summary>What would arrive after this moment is lost.</summary>
        public long CutUs = long.MaxValue;
        public long BytesUnderWay;
    }

    public SimProcess Client { get; } = client;

    public SimProcess Server { get; } = server;

    public bool IsBroken => _isBroken;

    /// <summary>Bytes sent to the client that have not arrived.</summary>
    public long BytesToClient => _down.BytesUnderWay;

    /// <summary>When the opening arrives; nothing sent up arrives sooner.</summary>
    public void OpensAt(long timeUs) => _up.LastUs = timeUs;

    /// <summary>The opening has reached the server's machine, where a process listens.</summary>
    public void Meet()
    {
        _serverLife = Server.Life;
        Server.Links.Add(this);
    }

    /// <summary>The server's process takes the connection.</summary>
    public void Accept(ILinkEnd end)
    {
        _serverEnd = end;
        _isServerOpen = true;
    }

    public void SendUp(byte[] message)
    {
        if (_isClientOpen)
        {
            Send(_up, isUp: true, message);
        }
    }

    public void SendDown(byte[] message)
    {
        if (_isServerOpen)
        {
            Send(_down, isUp: false, message);
        }
    }

    /// <summary>The client closes; it hears nothing more.</summary>
    public void CloseByClient()
    {
        if (_isClientOpen)
        {
            LeaveClient();
            EndLater(_up, isUp: true, Fault.None, world.Network.ArrivalUs(Client.Host, Server.Host));
        }
    }

    /// <summary>The server closes with a status; the client gets what was sent before it first.</summary>
    public void CloseByServer(Fault fault)
    {
        if (_isServerOpen)
        {
            LeaveServer();
            EndLater(_down, isUp: false, fault, world.Network.ArrivalUs(Server.Host, Client.Host));
        }
    }

    /// <summary>Nobody was there to take it.</summary>
    public void Refuse() => EndLater(_down, isUp: false, s_broken, world.Network.ArrivalUs(Server.Host, Client.Host));

    /// <summary>The way between the two is no more. Each end notices on its own.</summary>
    public void Break()
    {
        if (_isBroken)
        {
            return;
        }

        _isBroken = true;
        world.Trace.Add(TraceMark.Broken, Client.Index, (ulong)Server.Index);
        var random = world.Random;
        _up.CutUs = world.NowUs + random.Skewed(0, 20_000);
        _down.CutUs = world.NowUs + random.Skewed(0, 20_000);
        EndLater(_up, isUp: true, s_broken, world.NowUs + NoticeUs(random));
        EndLater(_down, isUp: false, s_broken, world.NowUs + NoticeUs(random));
    }

    /// <summary>The kernel of the dead process's machine resets the connection.</summary>
    public void ProcessDied(SimProcess process)
    {
        var network = world.Network;

        // What it had handed to its kernel may still go out, or not.
        var goesOut = world.Random.Chance(500);
        if (process == Client && process.Life == _clientLife)
        {
            _isClientOpen = false;
            _up.CutUs = goesOut ? _up.CutUs : world.NowUs;
            EndLater(_up, isUp: true, s_broken, network.ArrivalUs(Client.Host, Server.Host));
        }
        else
        {
            _isServerOpen = false;
            _down.CutUs = goesOut ? _down.CutUs : world.NowUs;
            EndLater(_down, isUp: false, s_broken, network.ArrivalUs(Server.Host, Client.Host));
        }
    }

    // Most breaks show at once; some only when somebody looks for a sign of life.
    private static long NoticeUs(SimRandom random) =>
        random.Chance(700) ? random.Range(50, 20_000) : random.Range(20_000, 6_000_000);

    private void Send(Lane lane, bool isUp, byte[] message)
    {
        var network = world.Network;
        var arrivesUs = isUp
            ? network.ArrivalUs(Client.Host, Server.Host)
            : network.ArrivalUs(Server.Host, Client.Host);
        arrivesUs = lane.LastUs = long.Max(lane.LastUs, arrivesUs);
        lane.BytesUnderWay += message.Length;
        var (from, to) = isUp ? (Client, Server) : (Server, Client);
        world.Trace.Add(TraceMark.Sent, from.Index, (ulong)to.Index, (ulong)arrivesUs);
        world.At(arrivesUs, () =>
        {
            lane.BytesUnderWay -= message.Length;
            if (arrivesUs > lane.CutUs)
            {
                world.Trace.Add(TraceMark.Lost, to.Index, (ulong)from.Index);
                return;
            }

            Deliver(to, isUp, message);
        });
    }

    private void Deliver(SimProcess to, bool isUp, byte[] message)
    {
        if (to.Life != (isUp ? _serverLife : _clientLife))
        {
            return;
        }

        // In the receiver's own time: it may stand still.
        to.After(0, () =>
        {
            if (isUp ? _isServerOpen : _isClientOpen)
            {
                world.Trace.Add(TraceMark.Arrived, to.Index, isUp ? (ulong)Client.Index : (ulong)Server.Index);
                (isUp ? _serverEnd! : clientEnd).Received(message);
            }

            if (!isUp && _isServerOpen && Server.IsUp && Server.Life == _serverLife)
            {
                Server.After(0, () =>
                {
                    if (_isServerOpen)
                    {
                        _serverEnd!.Arrived();
                    }
                });
            }
        });
    }

    // Behind what was sent before it.
    private void EndLater(Lane lane, bool isUp, Fault fault, long timeUs)
    {
        var atUs = long.Max(lane.LastUs, timeUs);
        world.At(atUs, () =>
        {
            var to = isUp ? Server : Client;
            if (to.IsUp && to.Life == (isUp ? _serverLife : _clientLife))
            {
                to.After(0, () => End(isUp, fault));
            }
        });
    }

    private void End(bool isUp, Fault fault)
    {
        if (isUp ? !_isServerOpen : !_isClientOpen)
        {
            return;
        }

        world.Trace.Add(TraceMark.Ended, (isUp ? Server : Client).Index, (ulong)fault.Code);
        if (isUp)
        {
            LeaveServer();
            _serverEnd!.Ended(fault);
        }
        else
        {
            LeaveClient();
            clientEnd.Ended(fault);
        }
    }

    private void LeaveClient()
    {
        _isClientOpen = false;
        Client.Links.Remove(this);
    }

    private void LeaveServer()
    {
        _isServerOpen = false;
        Server.Links.Remove(this);
    }
}
