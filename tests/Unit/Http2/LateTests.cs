// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading.Tasks;
using Muster.Transport.Http2;
using Xunit;

namespace Muster.Unit.Http2;

/// <summary>Peers that take their time: each kind of waiting has an end.</summary>
public sealed class LateTests : IAsyncLifetime
{
    private readonly FakeTime _time = new();
    private readonly ConformanceServer _server;

    public LateTests() => _server = new ConformanceServer { Time = _time };

    public Task InitializeAsync() => _server.InitializeAsync();

    public Task DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Preface_NeverFinished_EndsTheConnection()
    {
        using var client = await FrameClient.ConnectRawAsync(_server.Port);
        await client.SendAsync(FrameBytes.Preface[..20]);
        Assert.NotNull(await client.ReadAsync());
        _time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(Http2ErrorCode.EnhanceYourCalm, await client.ReadGoAwayAsync());
    }

    [Fact]
    public async Task Headers_NeverFinished_EndTheConnection()
    {
        using var client = await ConnectAsync();
        await PingAfterAsync(client, FrameBytes.Of(FrameBytes.Headers, 0, 1, [0x83]));
        _time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(Http2ErrorCode.EnhanceYourCalm, await client.ReadGoAwayAsync());
    }

    [Fact]
    public async Task Frame_NeverFinished_EndsTheConnection()
    {
        using var client = await ConnectAsync();
        await client.SendAsync(FrameBytes.Request(1, ConformanceServer.Duplex, false));
        Assert.NotNull(await client.ReadAsync(FrameType.Headers, 1));
        await PingAfterAsync(client, FrameBytes.DataOf(1, new byte[100], false)[..50]);
        _time.Advance(TimeSpan.FromSeconds(22));
        Assert.Equal(Http2ErrorCode.EnhanceYourCalm, await client.ReadGoAwayAsync());
    }

    [Fact]
    public async Task Body_OfUnaryCall_MustComeInAWhile()
    {
        using var client = await ConnectAsync();
        await client.SendAsync(FrameBytes.Request(1, ConformanceServer.Unary, false));
        await PingAfterAsync(client, FrameBytes.DataOf(1, [0, 0], false));
        _time.Advance(TimeSpan.FromSeconds(7));
        var reset = await client.ReadAsync(FrameType.RstStream, 1);
        Assert.Equal(FrameBytes.Number((uint)Http2ErrorCode.EnhanceYourCalm), reset!.Payload);
        await PingAfterAsync(client, []);
    }

    [Fact]
    public async Task Body_OfUnaryCall_MayWaitForTheWindow()
    {
        using var client = await ConnectAsync();
        foreach (var id in (uint[])[1, 3])
        {
            await client.SendAsync(FrameBytes.Request(id, ConformanceServer.Deaf, false));
            for (var n = 0; n < 256; n++)
            {
                await client.SendAsync(FrameBytes.DataOf(id, new byte[16_384], false));
            }
        }

        // The server's handlers read nothing of it, so there is no window left for this one.
        await PingAfterAsync(client, FrameBytes.Request(5, ConformanceServer.Unary, false));
        _time.Advance(TimeSpan.FromSeconds(12));
        await client.SendAsync([.. FrameBytes.DataOf(5, FrameBytes.Message(1), true)]);
        Assert.Equal("0", (await client.ReadEndAsync(5))["grpc-status"]);
    }

    [Fact]
    public async Task Body_OfStream_MayTakeItsTime()
    {
        using var client = await ConnectAsync();
        await client.SendAsync(FrameBytes.Request(1, ConformanceServer.Duplex, false));
        for (var minute = 0; minute < 5; minute++)
        {
            await PingAfterAsync(client, []);
            _time.Advance(TimeSpan.FromSeconds(15));
        }

        await client.SendAsync(FrameBytes.DataOf(1, FrameBytes.Message(1), true));
        Assert.Equal("0", (await client.ReadEndAsync(1))["grpc-status"]);
    }

    [Fact]
    public async Task Connection_WithoutCalls_IsClosedInPeace()
    {
        using var client = await ConnectAsync();
        for (var n = 0; n < 4; n++)
        {
            // What is no call does not keep it.
            await PingAfterAsync(client, []);
            _time.Advance(TimeSpan.FromSeconds(9));
        }

        Assert.Equal(Http2ErrorCode.NoError, await client.ReadGoAwayAsync());
    }

    [Fact]
    public async Task Peer_ThatIsSilent_IsAskedAndThenCut()
    {
        using var client = await ConnectAsync();
        await client.SendAsync(FrameBytes.Request(1, ConformanceServer.Duplex, false));
        Assert.NotNull(await client.ReadAsync(FrameType.Headers, 1));
        _time.Advance(TimeSpan.FromSeconds(22));
        Assert.False((await client.ReadAsync(FrameType.Ping))!.Has(FrameFlags.Ack));
        Assert.Equal(1, _server.StreamCount);
        _time.Advance(TimeSpan.FromSeconds(22));
        Assert.Equal(Http2ErrorCode.NoError, await client.ReadGoAwayAsync());
    }

    [Fact]
    public async Task Response_ThatNobodyReads_IsDroppedAfterItsCall()
    {
        using var client = await FrameClient.ConnectAsync(_server.Port, (4, 0));
        await client.SendAsync(
        [
            .. FrameBytes.Request(1, ConformanceServer.Unary, false),
            .. FrameBytes.DataOf(1, FrameBytes.Message(1_000), true),
        ]);
        Assert.NotNull(await client.ReadAsync(FrameType.Headers, 1));
        await PingAfterAsync(client, []);
        _time.Advance(TimeSpan.FromSeconds(12));
        Assert.NotNull(await client.ReadAsync(FrameType.RstStream, 1));
    }

    private async Task<FrameClient> ConnectAsync()
    {
        var client = await FrameClient.ConnectAsync(_server.Port);
        Assert.NotNull(await client.ReadAsync(FrameType.Settings));
        return client;
    }

    // The server answers when it has worked on everything that came with the question.
    private static async Task PingAfterAsync(FrameClient client, byte[] rest)
    {
        await client.SendAsync([.. FrameBytes.Of(FrameBytes.Ping, 0, 0, new byte[8]), .. rest]);
        while (!(await client.ReadAsync(FrameType.Ping))!.Has(FrameFlags.Ack))
        {
            // The server's own.
        }
    }
}
