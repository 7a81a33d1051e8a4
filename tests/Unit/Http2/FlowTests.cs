// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Muster.Transport.Http2;
using Xunit;

namespace Muster.Unit.Http2;

/// <summary>Conversations that one volley of frames cannot tell: windows, limits, the end of a server.</summary>
public sealed class FlowTests : IAsyncLifetime
{
    private readonly ConformanceServer _server = new() { StreamsMax = 3 };

    public Task InitializeAsync() => _server.InitializeAsync();

    public Task DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Server_Greets_WithItsLimits()
    {
        using var client = await FrameClient.ConnectAsync(_server.Port);
        var settings = await client.ReadAsync(FrameType.Settings);
        Assert.Equal(
            [
                .. FrameBytes.Setting(3, 3), .. FrameBytes.Setting(4, (4 << 20) + 1_024),
                .. FrameBytes.Setting(6, 16_384),
            ],
            settings!.Payload);
        Assert.Equal(0, (await client.ReadAsync(FrameType.WindowUpdate))!.StreamId);
    }

    [Fact]
    public async Task Ping_IsAnsweredWithItsBytes()
    {
        using var client = await FrameClient.ConnectAsync(_server.Port);
        await client.SendAsync(FrameBytes.Of(FrameBytes.Ping, 0, 0, "abcdefgh"u8.ToArray()));
        var answer = await client.ReadAsync(FrameType.Ping);
        Assert.True(answer!.Has(FrameFlags.Ack));
        Assert.Equal("abcdefgh"u8.ToArray(), answer.Payload);
    }

    [Fact]
    public async Task Response_WaitsForTheWindow_AndGoesOnInPieces()
    {
        using var client = await FrameClient.ConnectAsync(_server.Port, (4, 10));
        await CallAsync(client, 1, 100);
        Assert.NotNull(await client.ReadAsync(FrameType.Headers, 1));
        Assert.Equal(10, (await client.ReadAsync(FrameType.Data, 1))!.Payload.Length);
        await client.SendAsync(FrameBytes.WindowUpdateOf(1, 25));
        Assert.Equal(25, (await client.ReadAsync(FrameType.Data, 1))!.Payload.Length);
        await client.SendAsync(FrameBytes.SettingsOf((4, 1_000)));
        Assert.Equal(70, (await client.ReadAsync(FrameType.Data, 1))!.Payload.Length);
        Assert.Equal("0", (await client.ReadEndAsync(1))["grpc-status"]);
    }

    [Fact]
    public async Task Window_ThatBecameNegative_MustBecomePositiveFirst()
    {
        using var client = await FrameClient.ConnectAsync(_server.Port, (4, 50));
        await CallAsync(client, 1, 100);
        Assert.Equal(50, (await client.ReadAsync(FrameType.Data, 1))!.Payload.Length);
        await client.SendAsync([.. FrameBytes.SettingsOf((4, 20)), .. FrameBytes.WindowUpdateOf(1, 30)]);
        await AssertOnlyPingAsync(client);
        await client.SendAsync(FrameBytes.WindowUpdateOf(1, 5));
        Assert.Equal(5, (await client.ReadAsync(FrameType.Data, 1))!.Payload.Length);
    }

    [Fact]
    public async Task Response_WaitsForTheConnectionsWindow()
    {
        using var client = await FrameClient.ConnectAsync(_server.Port, (4, 1 << 20));
        await CallAsync(client, 1, 100_000);
        var received = 0;
        while (received < 65_535)
        {
            received += (await client.ReadAsync(FrameType.Data, 1))!.Payload.Length;
        }

        Assert.Equal(65_535, received);
        await AssertOnlyPingAsync(client);
        await client.SendAsync(FrameBytes.WindowUpdateOf(0, 1 << 20));
        while (received < 100_005)
        {
            received += (await client.ReadAsync(FrameType.Data, 1))!.Payload.Length;
        }

        Assert.Equal("0", (await client.ReadEndAsync(1))["grpc-status"]);
    }

    [Theory]
    [InlineData(4 << 20)]
    [InlineData(1 << 20)]
    public async Task Messages_LargerThanTheWindowLeft_AllArrive(int bytes)
    {
        using var client = await FrameClient.ConnectAsync(_server.Port, (4, int.MaxValue));
        await client.SendAsync(FrameBytes.WindowUpdateOf(0, int.MaxValue - 65_535));
        var window = 0L;
        await client.ReadAsync(FrameType.WindowUpdate);
        window += (8 << 20) + 2_048;
        var streamWindow = (4L << 20) + 1_024;
        await client.SendAsync(FrameBytes.Request(1, ConformanceServer.Duplex, false));
        var message = FrameBytes.Message(bytes);
        for (var n = 0; n < 6; n++)
        {
            for (var at = 0; at < message.Length;)
            {
                while (window < 16_384 || streamWindow < 16_384)
                {
                    var update = (await client.ReadAsync(FrameType.WindowUpdate))!;
                    var more = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(update.Payload);
                    window += update.StreamId == 0 ? more : 0;
                    streamWindow += update.StreamId == 1 ? more : 0;
                }

                var part = message[at..Math.Min(message.Length, at + 16_384)];
                await client.SendAsync(FrameBytes.DataOf(1, part, false));
                window -= part.Length;
                streamWindow -= part.Length;
                at += part.Length;
            }
        }

        await client.SendAsync(FrameBytes.DataOf(1, [], true));
        Assert.Equal("0", (await client.ReadEndAsync(1))["grpc-status"]);
    }

    [Fact]
    public async Task Window_OfWhatCallsLeftUnread_ComesBack()
    {
        using var client = await FrameClient.ConnectAsync(_server.Port);
        await client.ReadAsync(FrameType.WindowUpdate);
        for (uint id = 1; id < 20; id += 2)
        {
            await client.SendAsync(FrameBytes.Request(id, ConformanceServer.Deaf, false));
            for (var n = 0; n < 256; n++)
            {
                await client.SendAsync(FrameBytes.DataOf(id, new byte[16_384], false));
            }

            await client.SendAsync(FrameBytes.ResetOf(id));
            if (id % 4 == 3)
            {
                Assert.Equal(0, (await client.ReadAsync(FrameType.WindowUpdate))!.StreamId);
            }
        }
    }

    [Fact]
    public async Task Window_OfRequestsOfTheWrongLength_ComesBack()
    {
        using var client = await FrameClient.ConnectAsync(_server.Port);
        await client.ReadAsync(FrameType.WindowUpdate);
        for (uint id = 1; id < 200; id += 2)
        {
            await client.SendAsync(
            [
                .. FrameBytes.HeadersOf(
                    id, false, [.. FrameBytes.Usual(ConformanceServer.Unary), ("content-length", "10")]),
                .. FrameBytes.DataOf(id, new byte[16_384], false),
            ]);
        }

        Assert.Equal(0, (await client.ReadAsync(FrameType.WindowUpdate))!.StreamId);
    }

    [Fact]
    public async Task Stream_ThatNobodyReads_DoesNotStopOthers()
    {
        const int Part = 16_000;
        const int StreamWindow = (4 << 20) + 1_024;
        using var client = await FrameClient.ConnectAsync(_server.Port, (4, int.MaxValue));
        await client.SendAsync(FrameBytes.WindowUpdateOf(0, int.MaxValue - 65_535));
        await client.ReadAsync(FrameType.WindowUpdate);
        await client.SendAsync(FrameBytes.Request(1, ConformanceServer.Deaf, false));
        for (var left = StreamWindow; left > 0; left -= Part)
        {
            await client.SendAsync(FrameBytes.DataOf(1, new byte[int.Min(Part, left)], false));
        }

        // What is left of the connection's window, in messages that are read: it must open again.
        await client.SendAsync(FrameBytes.Request(3, ConformanceServer.Duplex, false));
        for (var left = StreamWindow; left > Part; left -= Part)
        {
            await client.SendAsync(FrameBytes.DataOf(3, FrameBytes.Message(Part - 5), false));
        }

        var update = await client.ReadAsync(FrameType.WindowUpdate, 0);
        Assert.True(System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(update!.Payload) > 0);
    }

    [Fact]
    public async Task Streams_BeyondTheLimit_AreRefusedAndTheNextServed()
    {
        using var client = await FrameClient.ConnectAsync(_server.Port);
        foreach (var id in (uint[])[1, 3, 5, 7])
        {
            await client.SendAsync(FrameBytes.Request(id, ConformanceServer.Duplex, false));
        }

        var reset = await client.ReadAsync(FrameType.RstStream);
        Assert.Equal(7, reset!.StreamId);
        Assert.Equal(FrameBytes.Number((uint)Http2ErrorCode.RefusedStream), reset.Payload);
        await client.SendAsync([.. FrameBytes.ResetOf(1), .. FrameBytes.Request(9, ConformanceServer.Unary, false)]);
        await client.SendAsync(FrameBytes.DataOf(9, FrameBytes.Message(1), true));
        Assert.Equal("0", (await client.ReadEndAsync(9))["grpc-status"]);
    }

    [Fact]
    public async Task Streams_Interleaved_GetTheirOwnBytes()
    {
        using var client = await FrameClient.ConnectAsync(_server.Port);
        byte[][] messages = [[1, 2, 3], [4, 5], [6, 7, 8, 9]];
        var frames = new List<byte>();
        for (var n = 0; n < 3; n++)
        {
            frames.AddRange(FrameBytes.Request((uint)((2 * n) + 1), ConformanceServer.Unary, false));
        }

        for (var at = 0; at < 9; at++)
        {
            for (var n = 0; n < 3; n++)
            {
                byte[] framed = [0, .. FrameBytes.Number((uint)messages[n].Length), .. messages[n]];
                if (at < framed.Length)
                {
                    frames.AddRange(FrameBytes.DataOf((uint)((2 * n) + 1), [framed[at]], at == framed.Length - 1));
                }
            }
        }

        await client.SendAsync([.. frames]);
        for (var left = 3; left > 0; left--)
        {
            var data = await client.ReadAsync(FrameType.Data);
            Assert.Equal(messages[data!.StreamId / 2], data.Payload[5..]);
        }
    }

    [Fact]
    public async Task Stop_LetsCallsEnd_AndTakesNoNewOnes()
    {
        using var client = await FrameClient.ConnectAsync(_server.Port);
        await client.SendAsync(FrameBytes.Request(1, ConformanceServer.Duplex, false));
        Assert.NotNull(await client.ReadAsync(FrameType.Headers, 1));
        var stopped = _server.StopAsync(TimeSpan.FromSeconds(20));

        // The call ends as one of a server that stops, and the connection in peace behind it.
        var frames = new List<FrameType>();
        var lastStream = -1;
        while (await client.ReadAsync() is { } frame)
        {
            frames.Add(frame.Type);
            if (frame.Type == FrameType.GoAway)
            {
                lastStream = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(frame.Payload);
                await client.TrySendAsync(FrameBytes.Request(3, ConformanceServer.Unary, true));
            }
            else if (frame.Type == FrameType.Headers)
            {
                Assert.Equal(1, frame.StreamId);
                Assert.Equal("14", client.Decode(frame)["grpc-status"]);
            }
        }

        Assert.Equal(1, lastStream);
        Assert.Contains(FrameType.Headers, frames);
        client.Dispose();
        await stopped.WaitAsync(FrameClient.Patience);
    }

    private static Task CallAsync(FrameClient client, uint id, int bytes) => client.SendAsync(
    [
        .. FrameBytes.Request(id, ConformanceServer.Unary, false),
        .. FrameBytes.Message(bytes).Chunk(16_384).SelectMany(part => FrameBytes.DataOf(id, part, false)),
        .. FrameBytes.DataOf(id, [], true),
    ]);

    private static async Task AssertOnlyPingAsync(FrameClient client)
    {
        await client.SendAsync(FrameBytes.Of(FrameBytes.Ping, 0, 0, new byte[8]));
        while (true)
        {
            var frame = await client.ReadAsync();
            Assert.NotEqual(FrameType.Data, frame!.Type);
            if (frame.Type == FrameType.Ping)
            {
                return;
            }
        }
    }
}
