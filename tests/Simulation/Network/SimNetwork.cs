// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Simulation.Kernel;

namespace Muster.Simulation.Network;

/// <summary>
/// What lies between the machines. A blocked way holds messages until it is open again, as retransmission does; a way
/// blocked for long breaks connections. Connections are independent of each other, so their messages overtake.
/// </summary>
internal sealed class SimNetwork(World world)
{
    public const int HostsMax = 12;

    // Until when nothing gets from the one to the other.
    private readonly long[] _blockedUntilUs = new long[HostsMax * HostsMax];

    public long LatencyUsMin { get; set; } = 20;

    public long LatencyUsMax { get; set; } = 500;

    /// <summary>When something sent now arrives.</summary>
    public long ArrivalUs(int from, int to)
    {
        var leavesUs = Math.Max(world.NowUs, _blockedUntilUs[(from * HostsMax) + to]);
        return leavesUs + (from == to ? world.Random.Range(2, 60) : world.Random.Skewed(LatencyUsMin, LatencyUsMax));
    }

    public bool IsBlocked(int from, int to) => _blockedUntilUs[(from * HostsMax) + to] > world.NowUs;

    public void Block(int from, int to, long untilUs)
    {
        world.Trace.Add(TraceMark.Blocked, -1, (ulong)from, (ulong)to, (ulong)untilUs);
        ref var until = ref _blockedUntilUs[(from * HostsMax) + to];
        until = Math.Max(until, untilUs);
    }

    public void Heal() => Array.Clear(_blockedUntilUs);

    /// <summary>
    /// Opens a connection. What is sent on it at once follows the opening. A server that is down refuses; one that
    /// stands still takes it when it goes on.
    /// </summary>
    public SimLink Connect(SimProcess client, SimProcess server, ILinkEnd end, Func<SimLink, ILinkEnd> accept)
    {
        var link = new SimLink(world, client, server, end);
        client.Links.Add(link);
        var opensUs = ArrivalUs(client.Host, server.Host);
        link.OpensAt(opensUs);
        world.At(opensUs, () =>
        {
            if (!server.IsUp)
            {
                link.Refuse();
                return;
            }

            link.Meet();
            server.After(0, () => link.Accept(accept(link)));
        });
        return link;
    }

    /// <summary>One request and one answer, on a connection that exists for them alone.</summary>
    /// <param name="client">Who asks; an answer after its death reaches nobody.</param>
    /// <param name="server">Whom.</param>
    /// <param name="atServer">Gets what sends the answer, to be called once or never.</param>
    /// <param name="atClient">The answer has arrived.</param>
    public void Call(SimProcess client, SimProcess server, Action<Action> atServer, Action atClient)
    {
        var life = client.Life;
        world.At(ArrivalUs(client.Host, server.Host), () =>
        {
            if (server.IsUp)
            {
                server.After(0, () => atServer(Answer));
            }
        });

        void Answer() => world.At(ArrivalUs(server.Host, client.Host), () =>
        {
            if (client.IsUp && client.Life == life)
            {
                client.After(0, atClient);
            }
        });
    }
}
