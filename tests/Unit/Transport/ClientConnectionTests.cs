// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport;
using Muster.Transport.Http2;
using Xunit;

namespace Muster.Unit.Transport;

public class ClientConnectionTests
{
    private static readonly byte[] s_request = "question"u8.ToArray();

    [Fact]
    public async Task Greeting_Settings_SayWhatTheClientTakes()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server);
        Assert.Equal(0u, connection.ClientSettings[SettingId.EnablePush]);
        Assert.Equal(1u << 20, connection.ClientSettings[SettingId.InitialWindowSize]);
        Assert.Equal((uint)Http2Limits.FrameBytesMax, connection.ClientSettings[SettingId.MaxFrameSize]);
        Assert.Equal(ConnectivityState.Ready, channel.State);
    }

    [Fact]
    public async Task Settings_Received_AreConfirmed()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server);
        Assert.True((await connection.ReadAsync(FrameType.Settings)).Has(FrameFlags.Ack));
        await connection.SettingsAsync((77, 1));
        Assert.True((await connection.ReadAsync(FrameType.Settings)).Has(FrameFlags.Ack));
    }

    [Fact]
    public async Task Ping_Received_IsAnsweredWithTheSameBytes()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server);
        await connection.SendAsync(FrameType.Ping, FrameFlags.None, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
        var answer = await connection.ReadAsync();
        Assert.True(answer.Has(FrameFlags.Ack));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], answer.Payload);
    }

    [Fact]
    public async Task Response_InContinuationsPaddingAndPriority_IsRead()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        var call = channel.Unary(s_request);
        using var connection = await server.AcceptAsync();
        await connection.ReadRequestAsync();
        var block = HeaderList.Encode(
            (":status", "200"), ("content-type", "application/grpc"), ("x-long", new string('a', 3000)));

        // HEADERS with padding and priority, then the rest byte by byte where it starts and in one piece at the end.
        byte[] first = [4, 0, 0, 0, 0, 16, .. block[..10], 0, 0, 0, 0];
        await connection.SendAsync(FrameType.Headers, FrameFlags.Padded | FrameFlags.Priority, 1, first);
        await connection.SendAsync(FrameType.Continuation, FrameFlags.None, 1, block[10..11]);
        await connection.SendAsync(FrameType.Continuation, FrameFlags.None, 1, []);
        await connection.SendAsync(FrameType.Continuation, FrameFlags.EndHeaders, 1, block[11..]);
        await connection.SendAsync(FrameType.Priority, FrameFlags.None, 1, new byte[5]);
        await connection.SendAsync((FrameType)99, FrameFlags.None, 1, new byte[5]);
        var message = FakeConnection.Message("answer"u8.ToArray());
        await connection.SendAsync(FrameType.Data, FrameFlags.Padded, 1, [3, .. message[..4], 0, 0, 0]);
        await connection.SendAsync(FrameType.Data, FrameFlags.Padded, 1, [0, .. message[4..]]);
        await connection.TrailersAsync(1);
        Assert.Equal("answer", Encoding.ASCII.GetString(await call.ResponseAsync.Soon()));
        Assert.Equal(3000, (await call.ResponseHeadersAsync).GetValue("x-long")!.Length);
    }

    [Fact]
    public async Task Request_HeadersBeyondOneFrame_AreContinued()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect(new GrpcChannelOptions { MetadataBytesMax = 60_000 });
        _ = channel.Unary(s_request, new CallOptions(new Metadata { { "x-big", new string('b', 40_000) } }));
        using var connection = await server.AcceptAsync();
        var headers = await connection.ReadAsync();
        Assert.False(headers.Has(FrameFlags.EndHeaders));
        Assert.Equal(16_384, headers.Payload.Length);
        Assert.False((await connection.ReadAsync()).Has(FrameFlags.EndHeaders));
        var last = await connection.ReadAsync();
        Assert.Equal(FrameType.Continuation, last.Type);
        Assert.True(last.Has(FrameFlags.EndHeaders));
    }

    [Fact]
    public async Task HeaderTable_MadeSmallerByTheServer_IsConfirmedInTheNextBlock()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server, ((int)SettingId.HeaderTableSize, 0));
        _ = channel.Unary(s_request);
        _ = channel.Unary(s_request);
        Assert.Equal(0x20, (await connection.ReadAsync(FrameType.Headers)).Payload[0]);
        Assert.NotEqual(0x20, (await connection.ReadAsync(FrameType.Headers)).Payload[0]);
    }

    [Fact]
    public async Task StreamLimit_Reached_CallsWaitTheirTurn()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server, ((int)SettingId.MaxConcurrentStreams, 2));
        var calls = Enumerable.Range(0, 5).Select(i => channel.Unary([(byte)i]).ResponseAsync).ToArray();
        Assert.Equal(1, await connection.ReadRequestAsync());
        Assert.Equal(3, await connection.ReadRequestAsync());

        // Nothing more comes while both run: the answer to a ping is next.
        await connection.SendAsync(FrameType.Ping, FrameFlags.None, 0, new byte[8]);
        Assert.Equal(FrameType.Ping, (await connection.ReadAsync()).Type);
        for (var id = 1; id <= 9; id += 2)
        {
            await connection.AnswerAsync(id, [(byte)id]);
            if (id <= 5)
            {
                Assert.Equal(id + 4, await connection.ReadRequestAsync());
            }
        }

        var answers = await Task.WhenAll(calls).Soon();
        Assert.Equal([1, 3, 5, 7, 9], answers.Select(answer => (int)answer[0]));
    }

    [Fact]
    public async Task StreamLimit_Raised_LetsWaitingCallsStart()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server, ((int)SettingId.MaxConcurrentStreams, 0));
        var call = channel.Unary(s_request);
        await connection.SettingsAsync(((int)SettingId.MaxConcurrentStreams, 1));
        await connection.ReadRequestAsync();
        await connection.AnswerAsync(1, [1]);
        Assert.Equal([1], await call.ResponseAsync.Soon());
    }

    [Fact]
    public async Task Keepalive_SilentServer_IsPingedAndGivenUp()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect(new GrpcChannelOptions
        {
            KeepAliveInterval = TimeSpan.FromMilliseconds(50),
            KeepAliveTimeout = TimeSpan.FromMilliseconds(200),
        });
        var call = channel.Unary(s_request);
        using var connection = await server.AcceptAsync();
        var ping = await connection.ReadAsync(FrameType.Ping);
        Assert.False(ping.Has(FrameFlags.Ack));
        await connection.SendAsync(FrameType.Ping, FrameFlags.Ack, 0, ping.Payload);
        await connection.ReadAsync(FrameType.Ping);
        var error = await Calls.Failure(call.ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Contains("ping", error.Status.Detail, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte, byte, int, string, uint> Violations => new()
    {
        { "data for a stream never opened", 0, 0, 9, "00", 1 },
        { "data on the connection", 0, 0, 0, "00", 1 },
        { "data with more padding than bytes", 0, 8, 1, "05", 1 },
        { "continuation without headers", 9, 4, 1, "", 1 },
        { "headers on an even stream", 1, 4, 2, "88", 1 },
        { "headers that no decoder reads", 1, 4, 1, "ff", 9 },
        { "push", 5, 4, 1, "00000002", 1 },
        { "ping of seven bytes", 6, 0, 0, "00000000000000", 6 },
        { "ping on a stream", 6, 0, 1, "0000000000000000", 1 },
        { "settings on a stream", 4, 0, 1, "", 1 },
        { "settings of five bytes", 4, 0, 0, "0000000000", 6 },
        { "settings answer with bytes", 4, 1, 0, "000400000001", 6 },
        { "window beyond 2^31", 4, 0, 0, "0004ffffffff", 3 },
        { "frame size below the least", 4, 0, 0, "000500000001", 1 },
        { "server switches push on", 4, 0, 0, "000200000001", 1 },
        { "window update of nothing", 8, 0, 0, "00000000", 1 },
        { "window update beyond 2^31", 8, 0, 0, "7fffffff", 3 },
        { "reset of a stream never opened", 3, 0, 9, "00000008", 1 },
        { "reset of three bytes", 3, 0, 1, "000008", 6 },
        { "goaway of four bytes", 7, 0, 0, "00000000", 1 },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task Violation_OfTheProtocol_EndsTheConnection(
        string what, byte type, byte flags, int streamId, string payload, uint code)
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        var call = channel.Unary(s_request);
        using var connection = await server.AcceptAsync();
        await connection.ReadRequestAsync();
        await connection.SendAsync((FrameType)type, (FrameFlags)flags, streamId, Convert.FromHexString(payload));
        var error = await Calls.Failure(call.ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.True((Http2ErrorCode)code == await connection.ReadToEndAsync(), what);
    }

    [Fact]
    public async Task Violation_FrameTooLarge_EndsTheConnection()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server);
        await connection.SendRawAsync([0x01, 0, 0x01, 0, 0, 0, 0, 0, 1]);
        Assert.Equal(Http2ErrorCode.FrameSizeError, await connection.ReadToEndAsync());
    }

    [Fact]
    public async Task Violation_HeaderBlockInterrupted_EndsTheConnection()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        var call = channel.Unary(s_request);
        using var connection = await server.AcceptAsync();
        await connection.ReadRequestAsync();
        await connection.SendAsync(FrameType.Headers, FrameFlags.None, 1, [0x88]);
        await connection.SendAsync(FrameType.Ping, FrameFlags.None, 0, new byte[8]);
        Assert.Equal(Http2ErrorCode.ProtocolError, await connection.ReadToEndAsync());
        await Calls.Failure(call.ResponseAsync);
    }

    [Fact]
    public async Task Violation_EndlessContinuations_EndTheConnection()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        var call = channel.Unary(s_request);
        using var connection = await server.AcceptAsync();
        await connection.ReadRequestAsync();
        await connection.SendAsync(FrameType.Headers, FrameFlags.None, 1, [0x88]);
        for (var i = 0; i <= Http2Limits.ContinuationsMax; i++)
        {
            await connection.SendAsync(FrameType.Continuation, FrameFlags.None, 1, []);
        }

        Assert.Equal(Http2ErrorCode.EnhanceYourCalm, await connection.ReadToEndAsync());
        await Calls.Failure(call.ResponseAsync);
    }

    [Fact]
    public async Task Server_OfAnotherProtocol_IsNamedInTheError()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        var call = channel.Unary(s_request);
        using var connection = await server.AcceptRawAsync();
        await connection.SendRawAsync(Encoding.ASCII.GetBytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
        var error = await Calls.Failure(call.ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Contains("HTTP/2", error.Status.Detail, StringComparison.Ordinal);
    }
}
