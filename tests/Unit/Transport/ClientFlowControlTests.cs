// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Threading.Tasks;
using Muster.Transport;
using Muster.Transport.Http2;
using Xunit;

namespace Muster.Unit.Transport;

public class ClientFlowControlTests
{
    private const int InitialWindow = (int)SettingId.InitialWindowSize;

    [Fact]
    public async Task Send_StreamWindowUsedUp_WaitsForAnUpdate()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server, (InitialWindow, 10));
        using var call = channel.Duplex();
        var write = call.RequestStream.WriteAsync(new byte[20]);
        Assert.Equal(10, (await connection.ReadAsync(FrameType.Data)).Payload.Length);
        Assert.False(write.IsCompleted);
        await connection.WindowUpdateAsync(1, 14);
        Assert.Equal(14, (await connection.ReadAsync(FrameType.Data)).Payload.Length);
        Assert.False(write.IsCompleted);
        await connection.WindowUpdateAsync(1, 1000);
        Assert.Single((await connection.ReadAsync(FrameType.Data)).Payload);
        await write.Soon();
    }

    [Fact]
    public async Task Send_ConnectionWindowUsedUp_WaitsForAnUpdate()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server, (InitialWindow, 1 << 20));
        using var first = channel.Duplex();
        using var second = channel.Duplex();
        await first.RequestStream.WriteAsync(new byte[65_535 - 5 - 7]).Soon();
        var blocked = second.RequestStream.WriteAsync(new byte[20]);
        Assert.Equal(7, (await connection.ReadAsync(FrameType.Data, 3)).Payload.Length);
        Assert.False(blocked.IsCompleted);
        await connection.WindowUpdateAsync(0, 18);
        Assert.Equal(18, (await connection.ReadAsync(FrameType.Data, 3)).Payload.Length);
        await blocked.Soon();
    }

    [Fact]
    public async Task Send_InitialWindowRaisedLater_FreesRunningStreams()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server, (InitialWindow, 0));
        using var call = channel.Duplex();
        var write = call.RequestStream.WriteAsync(new byte[3]);
        await connection.ReadAsync(FrameType.Headers);
        Assert.False(write.IsCompleted);
        await connection.SettingsAsync((InitialWindow, 5));
        Assert.Equal(5, (await connection.ReadAsync(FrameType.Data)).Payload.Length);
        await connection.SettingsAsync((InitialWindow, 0));
        await connection.WindowUpdateAsync(1, 2);

        // The window went to -5 and is -3 now: the last three bytes need six more.
        await connection.WindowUpdateAsync(1, 5);
        Assert.Equal(2, (await connection.ReadAsync(FrameType.Data)).Payload.Length);
        await connection.WindowUpdateAsync(1, 1);
        Assert.Single((await connection.ReadAsync(FrameType.Data)).Payload);
        await write.Soon();
    }

    [Fact]
    public async Task Send_WhileBlocked_StillAnswersPings()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server, (InitialWindow, 0));
        using var call = channel.Duplex();
        _ = call.RequestStream.WriteAsync(new byte[100]);
        await connection.SendAsync(FrameType.Ping, FrameFlags.None, 0, new byte[8]);
        Assert.True((await connection.ReadAsync(FrameType.Ping)).Has(FrameFlags.Ack));
        call.Dispose();
        await connection.ReadAsync(FrameType.RstStream);
    }

    [Fact]
    public async Task Send_CompleteNeedsNoWindow()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server, (InitialWindow, 0));
        using var call = channel.Duplex();
        await call.RequestStream.CompleteAsync().Soon();
        var end = await connection.ReadAsync(FrameType.Data);
        Assert.True(end.Has(FrameFlags.EndStream));
        Assert.Empty(end.Payload);
    }

    [Fact]
    public async Task Receive_UnreadMessages_AreCreditedOnlyWhenRead()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect(new GrpcChannelOptions { StreamWindowBytes = 65_536 });
        using var call = channel.Down([1]);
        using var connection = await server.AcceptAsync();
        await connection.ReadRequestAsync();
        await connection.ResponseHeadersAsync(1);
        for (var i = 0; i < 4; i++)
        {
            await connection.DataAsync(1, FakeConnection.Message(new byte[16_384 - 5]));
        }

        // The window is used up to the last byte and nothing was read: no update may come before the ping's answer.
        await connection.SendAsync(FrameType.Ping, FrameFlags.None, 0, new byte[8]);
        await AssertNoStreamUpdateBeforePing(connection);
        var credited = 0;
        for (var i = 0; i < 4; i++)
        {
            Assert.True(await call.ResponseStream.MoveNext(default).Soon());
        }

        while (credited < 65_536)
        {
            var update = await connection.ReadAsync(FrameType.WindowUpdate, 1);
            credited += BinaryPrimitives.ReadInt32BigEndian(update.Payload);
        }

        Assert.Equal(65_536, credited);
    }

    [Fact]
    public async Task Receive_MessageLargerThanTheWindow_IsPutTogether()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect(new GrpcChannelOptions { StreamWindowBytes = 65_536 });
        var call = channel.Unary([1]);
        using var connection = await server.AcceptAsync();
        await connection.ReadRequestAsync();
        await connection.ResponseHeadersAsync(1);
        var payload = new byte[1_000_000];
        new Random(5).NextBytes(payload);
        var bytes = FakeConnection.Message(payload);
        var window = 65_536;
        for (var position = 0; position < bytes.Length;)
        {
            while (window < 16_384)
            {
                var update = await connection.ReadAsync(FrameType.WindowUpdate, 1);
                window += BinaryPrimitives.ReadInt32BigEndian(update.Payload);
            }

            var count = Math.Min(16_384, bytes.Length - position);
            await connection.DataAsync(1, bytes.AsSpan(position, count).ToArray());
            (position, window) = (position + count, window - count);
        }

        await connection.TrailersAsync(1);
        Assert.Equal(payload, await call.ResponseAsync.Soon());
    }

    [Fact]
    public async Task Receive_UnreadMessageLargerThanTheWindow_HoldsTheNextBack()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect(new GrpcChannelOptions { StreamWindowBytes = 65_536 });
        using var call = channel.Down([1]);
        using var connection = await server.AcceptAsync();
        await connection.ReadRequestAsync();
        await connection.ResponseHeadersAsync(1);
        var payload = new byte[100_000];
        var bytes = FakeConnection.Message(payload);
        for (var position = 0; position < bytes.Length; position += 16_384)
        {
            var count = Math.Min(16_384, bytes.Length - position);
            await connection.DataAsync(1, bytes.AsSpan(position, count).ToArray());
            if (position % 32_768 != 0)
            {
                // A message in the making is given back by half windows, or it could never become whole.
                await connection.ReadAsync(FrameType.WindowUpdate, 1);
            }
        }

        // Whole and unread, it counts against the window: half a window of the next one brings no update.
        await connection.DataAsync(1, bytes.AsSpan(0, 40_000).ToArray());
        await connection.SendAsync(FrameType.Ping, FrameFlags.None, 0, new byte[8]);
        await AssertNoStreamUpdateBeforePing(connection);

        Assert.True(await call.ResponseStream.MoveNext(default).Soon());
        await connection.ReadAsync(FrameType.WindowUpdate, 1);
        await connection.DataAsync(1, bytes.AsSpan(40_000).ToArray());
        await connection.TrailersAsync(1);
        Assert.True(await call.ResponseStream.MoveNext(default).Soon());
        Assert.Equal(payload, call.ResponseStream.Current);
    }

    [Fact]
    public async Task Receive_MoreThanTheWindow_EndsTheConnection()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect(new GrpcChannelOptions { StreamWindowBytes = 65_536 });
        var call = channel.Down([1]);
        using var connection = await server.AcceptAsync();
        await connection.ReadRequestAsync();
        await connection.ResponseHeadersAsync(1);
        for (var i = 0; i < 5; i++)
        {
            await connection.DataAsync(1, FakeConnection.Message(new byte[16_384 - 5]));
        }

        Assert.Equal(Http2ErrorCode.FlowControlError, await connection.ReadToEndAsync());
        call.Dispose();
    }

    private static async Task AssertNoStreamUpdateBeforePing(FakeConnection connection)
    {
        while (true)
        {
            var frame = await connection.ReadAnyAsync();
            if (frame.Type == FrameType.Ping)
            {
                return;
            }

            Assert.False(frame.Type == FrameType.WindowUpdate && frame.StreamId != 0);
        }
    }
}
