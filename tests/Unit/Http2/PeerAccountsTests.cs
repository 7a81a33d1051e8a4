// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Muster.Core;
using Muster.Server.Endpoint;
using Muster.Server.Http2;
using Muster.Transport.Http2;
using Muster.Unit.Endpoint;
using Xunit;

namespace Muster.Unit.Http2;

/// <summary>What one address may have of a server, and what all connections together may hold.</summary>
public sealed class PeerAccountsTests
{
    [Fact]
    public void Connections_OfOneAddress_EndWhereOthersStillGetIn()
    {
        var accounts = new PeerAccounts(connectionsMax: 400, TimeProvider.System);
        PeerAccount? account = null;
        for (var n = 0; n < 100; n++)
        {
            Assert.True(accounts.TryOpen(At("10.0.0.1", n), out account));
        }

        Assert.False(accounts.TryOpen(At("10.0.0.1", 1000), out _));
        Assert.False(accounts.TryOpen(At("::ffff:10.0.0.1", 1000), out _));
        Assert.True(accounts.TryOpen(At("10.0.0.2", 1), out _));
        Assert.True(accounts.TryOpen(new UnixDomainSocketEndPoint("/tmp/s"), out var none));
        Assert.Null(none);
        accounts.Close(account);
        Assert.True(accounts.TryOpen(At("10.0.0.1", 1), out _));
    }

    [Fact]
    public void Connections_OfOneNetworkOfIpv6_CountTogether()
    {
        var accounts = new PeerAccounts(connectionsMax: 1, TimeProvider.System);
        for (var n = 0; n < ServerLimits.ConnectionsPerAddressMin; n++)
        {
            Assert.True(accounts.TryOpen(At($"2001:db8:0:1::{n + 1:x}", 1), out _));
        }

        Assert.False(accounts.TryOpen(At("2001:db8:0:1::ffff", 1), out _));
        Assert.True(accounts.TryOpen(At("2001:db8:0:2::1", 1), out _));
    }

    [Fact]
    public void Calls_OfOneAccount_AreBoundedInNumberAndRate()
    {
        var account = new PeerAccount(1, callsMax: 3, callsPerSecond: 10, callsAtOnce: 5, ticksPerSecond: 1_000);
        Assert.True(account.TryBeginCall(0) && account.TryBeginCall(0) && account.TryBeginCall(0));
        Assert.False(account.TryBeginCall(0));
        account.EndCall();
        Assert.True(account.TryBeginCall(0));
        account.EndCall();
        Assert.True(account.TryBeginCall(0));
        account.EndCall();
        Assert.False(account.TryBeginCall(50));
        Assert.True(account.TryBeginCall(150));
        account.EndCall();
        Assert.False(account.TryBeginCall(160));
    }

    [Fact]
    public void RequestBytes_UsedUp_LeaveEachConnectionALittle()
    {
        var bytes = new RequestBytes(1 << 20);
        Assert.Equal(int.MaxValue, bytes.ShareBytes);
        bytes.Change(0, 15_000);
        Assert.Equal(0, bytes.Held);
        bytes.Change(15_000, 1 << 20);
        Assert.Equal(1 << 20, bytes.Held);
        Assert.Equal(ServerLimits.ScarceBytesMax, bytes.ShareBytes);
        bytes.Change(0, 1 << 20);
        Assert.Equal(ServerLimits.ScarcestBytesMax, bytes.ShareBytes);
        bytes.Change(1 << 20, 0);
        bytes.Change(1 << 20, 15_000);
        bytes.Change(15_000, 0);
        Assert.Equal(0, bytes.Held);
    }

    [Fact]
    public async Task Requests_ThatFillTheServer_LoseTheirCallsWhileSmallOnesGoOn()
    {
        await using var endpoint = new GrpcEndpoint(new EndpointOptions
        {
            Loopback = [new IPEndPoint(IPAddress.Loopback, 0)],
            RequestBytesMax = 1 << 20,
        });
        endpoint.Add(RawService.Answering(RawService.EchoAsync));
        Assert.Equal(Fault.None, await endpoint.StartAsync());
        var port = new Uri(endpoint.Addresses[0]).Port;

        // A message that says it has 3 MiB, and never comes to its end.
        using var greedy = await FrameClient.ConnectAsync(port);
        await greedy.SendAsync(FrameBytes.Request(1, ConformanceServer.Unary, false));
        await greedy.SendAsync(FrameBytes.DataOf(1, [0, 0, 0x30, 0, 0], false));
        for (var n = 0; n < 160; n++)
        {
            await greedy.TrySendAsync(FrameBytes.DataOf(1, new byte[16_000], false));
        }

        var reset = await greedy.ReadAsync(FrameType.RstStream, 1);
        Assert.NotNull(reset);
        Assert.Equal((int)Http2ErrorCode.EnhanceYourCalm, reset.Payload[3]);
        await greedy.SendAsync(FrameBytes.Request(3, ConformanceServer.Unary, false));
        await greedy.SendAsync(FrameBytes.DataOf(3, [0, 0, 0, 0, 1, 7], true));
        Assert.Equal("0", (await greedy.ReadEndAsync(3))["grpc-status"]);
    }

    [Fact]
    public async Task Connections_BeyondTheShareOfAnAddress_AreClosedAtOnce()
    {
        await using var endpoint = new GrpcEndpoint(new EndpointOptions
        {
            Loopback = [new IPEndPoint(IPAddress.Loopback, 0)],
            ConnectionsMax = 100,
        });
        endpoint.Add(RawService.Answering(RawService.EchoAsync));
        Assert.Equal(Fault.None, await endpoint.StartAsync());
        var port = new Uri(endpoint.Addresses[0]).Port;
        var clients = new FrameClient[ServerLimits.ConnectionsPerAddressMin];
        for (var n = 0; n < clients.Length; n++)
        {
            clients[n] = await FrameClient.ConnectAsync(port);
            Assert.NotNull(await clients[n].ReadAsync(FrameType.Settings));
        }

        using (var refused = await FrameClient.ConnectRawAsync(port))
        {
            Assert.Null(await refused.ReadAsync());
        }

        clients[0].Dispose();
        var watch = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            using var next = await FrameClient.ConnectRawAsync(port);
            if (await next.ReadAsync() is not null)
            {
                break;
            }

            Assert.True(watch.Elapsed < FrameClient.Patience);
        }

        Array.ForEach(clients, client => client.Dispose());
    }

    private static IPEndPoint At(string address, int port) => new(IPAddress.Parse(address), port);
}
