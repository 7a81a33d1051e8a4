// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Muster.Core;
using Muster.Server.Endpoint;
using Muster.Unit.Http2;
using Xunit;

namespace Muster.Unit.Endpoint;

/// <summary>What a call knows of how its connection ended.</summary>
public sealed class ConnectionEndTests : IAsyncLifetime
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource<ConnectionEnd> _begun =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private GrpcEndpoint _endpoint = null!;

    public async Task InitializeAsync()
    {
        _endpoint = new GrpcEndpoint(new EndpointOptions { Loopback = [new IPEndPoint(IPAddress.Loopback, 0)] })
            .Add(RawService.Conversing(async (requests, _, context) =>
            {
                var end = ConnectionEnd.Of(context)!;
                _begun.SetResult(end);
                try
                {
                    await requests.MoveNext(CancellationToken.None);
                }
                finally
                {
                    _ended.SetResult(end.IsByPeer);
                }
            }));
        Assert.Equal(Fault.None, await _endpoint.StartAsync());
    }

    public async Task DisposeAsync() => await _endpoint.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Peer_ClosesOrResets_IsByPeer(bool isReset)
    {
        using var client = await OpenAsync();
        Assert.False((await _begun.Task.WaitAsync(s_timeout)).IsByPeer);
        if (isReset)
        {
            client.Socket.LingerState = new LingerOption(true, 0);
        }

        client.Dispose();
        Assert.True(await _ended.Task.WaitAsync(s_timeout));
    }

    [Fact]
    public async Task Peer_BreaksTheProtocol_IsNotByPeer()
    {
        using var client = await OpenAsync();
        await _begun.Task.WaitAsync(s_timeout);
        await client.SendAsync(FrameBytes.Of(0xff, 0, 0, new byte[16_385]));
        Assert.False(await _ended.Task.WaitAsync(s_timeout));
    }

    [Fact]
    public async Task Server_IsCut_IsNotByPeer()
    {
        using var client = await OpenAsync();
        await _begun.Task.WaitAsync(s_timeout);
        await _endpoint.StopAsync(TimeSpan.Zero);
        Assert.False(await _ended.Task.WaitAsync(s_timeout));
    }

    private async Task<FrameClient> OpenAsync()
    {
        var client = await FrameClient.ConnectAsync(new Uri(_endpoint.Addresses[0]).Port);
        await client.SendAsync(FrameBytes.Request(1, "/muster.test.Raw/DuplexStreaming", endStream: false));
        return client;
    }
}
