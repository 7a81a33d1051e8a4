// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport.Http2;
using Xunit;

namespace Muster.Unit.Transport;

public class ClientCallTests
{
    private static readonly byte[] s_request = "question"u8.ToArray();

    [Fact]
    public async Task Unary_Answered_GivesResponseHeadersAndTrailers()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        var call = channel.Unary(s_request, new CallOptions(
            new Metadata { { "x-text", "one" }, { "x-data-bin", [0, 255] } }, DateTime.UtcNow.AddMinutes(1)));
        using var connection = await server.AcceptAsync();
        var headers = await connection.ReadAsync(FrameType.Headers);
        var fields = connection.Decode(headers);
        Assert.Equal("POST", fields[":method"]);
        Assert.Equal("http", fields[":scheme"]);
        Assert.Equal("/test.Fake/Unary", fields[":path"]);
        Assert.Equal("trailers", fields["te"]);
        Assert.Equal("application/grpc", fields["content-type"]);
        Assert.Equal("one", fields["x-text"]);
        Assert.Equal("AP8", fields["x-data-bin"]);
        Assert.EndsWith("u", fields["grpc-timeout"], StringComparison.Ordinal);
        var data = await connection.ReadAsync(FrameType.Data);
        Assert.True(data.Has(FrameFlags.EndStream));
        Assert.Equal(FakeConnection.Message(s_request), data.Payload);

        await connection.HeadersAsync(
            1, false, (":status", "200"), ("content-type", "application/grpc+proto"), ("x-h", "v"), ("y-bin", "AAE="));
        await connection.DataAsync(1, FakeConnection.Message("answer"u8.ToArray()));
        await connection.HeadersAsync(1, true, ("grpc-status", "0"), ("x-t", "w"));
        Assert.Equal("answer", Encoding.ASCII.GetString(await call.ResponseAsync.Soon()));
        var got = await call.ResponseHeadersAsync.Soon();
        Assert.Equal("v", got.GetValue("x-h"));
        Assert.Equal([0, 1], got.GetValueBytes("y-bin"));
        Assert.Equal("w", call.GetTrailers().GetValue("x-t"));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Unary_TrailersOnly_GivesStatusMessageAndDetails()
    {
        var (error, _) = await Unary(c => c.HeadersAsync(
            1, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "5"),
            ("grpc-message", "nicht da: %C3%A4"), ("x-b-bin", "AAE")));
        Assert.Equal(StatusCode.NotFound, error.StatusCode);
        Assert.Equal("nicht da: ä", error.Status.Detail);
        Assert.Equal([0, 1], error.Trailers.GetValueBytes("x-b-bin"));
    }

    public static TheoryData<string, int> HttpStatuses => new()
    {
        { "400", 13 }, { "401", 16 }, { "403", 7 }, { "404", 12 }, { "429", 14 }, { "502", 14 }, { "503", 14 },
        { "504", 14 }, { "500", 2 }, { "200", 2 },
    };

    [Theory]
    [MemberData(nameof(HttpStatuses))]
    public async Task Unary_AnswerThatIsNotGrpc_IsMappedFromHttp(string status, int code)
    {
        var (withBody, _) = await Unary(
            c => c.HeadersAsync(1, false, (":status", status), ("content-type", "text/html")));
        Assert.Equal((StatusCode)code, withBody.StatusCode);
        var (without, _) = await Unary(c => c.HeadersAsync(1, true, (":status", status)));
        Assert.Equal((StatusCode)code, without.StatusCode);
    }

    [Theory]
    [InlineData(8, 1)]
    [InlineData(11, 8)]
    [InlineData(12, 7)]
    [InlineData(0, 13)]
    [InlineData(2, 13)]
    public async Task Unary_StreamReset_IsMappedFromItsCode(uint reset, int code)
    {
        var (error, _) = await Unary(c => c.ResetAsync(1, (Http2ErrorCode)reset));
        Assert.Equal((StatusCode)code, error.StatusCode);
    }

    [Fact]
    public async Task Unary_MessageTooLarge_FailsAtThePrefixAndIsReset()
    {
        var (error, reset) = await Unary(async c =>
        {
            await c.ResponseHeadersAsync(1);
            await c.DataAsync(1, [0, 0, 0x40, 0, 1]);
        });
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Equal(Http2ErrorCode.Cancel, reset);
    }

    [Fact]
    public async Task Unary_CompressedMessage_IsRefused()
    {
        var (error, _) = await Unary(async c =>
        {
            await c.ResponseHeadersAsync(1);
            await c.DataAsync(1, FakeConnection.Message([1, 2, 3], flag: 1));
        });
        Assert.Equal(StatusCode.Internal, error.StatusCode);
    }

    [Fact]
    public async Task Unary_OkWithoutResponse_IsAnError()
    {
        var (error, _) = await Unary(async c =>
        {
            await c.ResponseHeadersAsync(1);
            await c.TrailersAsync(1);
        });
        Assert.Equal(StatusCode.Unimplemented, error.StatusCode);
    }

    [Fact]
    public async Task Unary_EndsInsideAMessage_IsAnError()
    {
        var (error, _) = await Unary(async c =>
        {
            await c.ResponseHeadersAsync(1);
            await c.DataAsync(1, [0, 0, 0, 0, 9, 1]);
            await c.TrailersAsync(1);
        });
        Assert.Equal(StatusCode.Internal, error.StatusCode);
    }

    [Fact]
    public async Task Unary_HeadersTooLarge_AreRefused()
    {
        var (error, _) = await Unary(c => c.HeadersAsync(
            1, false, (":status", "200"), ("content-type", "application/grpc"), ("x-big", new string('a', 10_000))));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public async Task Unary_MetadataTooLarge_AreNotSent()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        var headers = new Metadata { { "x-big", new string('a', 8200) } };
        var error = Assert.Throws<RpcException>(() => channel.Unary(s_request, new CallOptions(headers)));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public async Task Unary_RequestTooLarge_IsNotSent()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        var error = await Calls.Failure(channel.Unary(new byte[(4 << 20) + 1]).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public async Task Unary_DeadlinePasses_FailsAndResets()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server);
        var call = channel.Unary(s_request, new CallOptions(deadline: DateTime.UtcNow.AddMilliseconds(50)));
        var error = await Calls.Failure(call.ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
        Assert.Equal(StatusCode.DeadlineExceeded, call.GetStatus().StatusCode);
        Assert.Equal([0, 0, 0, 8], (await connection.ReadAsync(FrameType.RstStream)).Payload);
    }

    [Fact]
    public async Task Unary_DeadlineInThePast_NeverReachesTheServer()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        var error = await Calls.Failure(
            channel.Unary(s_request, new CallOptions(deadline: DateTime.UtcNow.AddSeconds(-1))).ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
    }

    [Fact]
    public async Task Unary_TokenSignalled_CancelsAndResets()
    {
        using var server = new FakeServer();
        using var cancel = new CancellationTokenSource();
        await using var channel = server.Connect();
        var call = channel.Unary(s_request, new CallOptions(cancellationToken: cancel.Token));
        using var connection = await server.AcceptAsync();
        await connection.ReadRequestAsync();
        await cancel.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Calls.Failure(call.ResponseAsync)).StatusCode);
        var reset = await connection.ReadAsync(FrameType.RstStream);
        Assert.Equal([0, 0, 0, 8], reset.Payload);
    }

    [Fact]
    public async Task Unary_CancelledBeforeStart_NeverReachesTheServer()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        var call = channel.Unary(s_request, new CallOptions(cancellationToken: new CancellationToken(true)));
        Assert.Equal(StatusCode.Cancelled, (await Calls.Failure(call.ResponseAsync)).StatusCode);
    }

    [Fact]
    public async Task Duplex_WritesBeforeHeadersCame_AreSent()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var call = channel.Duplex();
        var write = call.RequestStream.WriteAsync([1]);
        using var connection = await server.AcceptAsync();
        Assert.Equal(FrameType.Headers, (await connection.ReadAsync()).Type);
        Assert.Equal(FakeConnection.Message([1]), (await connection.ReadAsync()).Payload);
        await write.Soon();
        await call.RequestStream.WriteAsync([2, 3]).Soon();
        Assert.Equal(FakeConnection.Message([2, 3]), (await connection.ReadAsync()).Payload);

        await connection.ResponseHeadersAsync(1);
        await connection.DataAsync(1, [.. FakeConnection.Message([7]), .. FakeConnection.Message([])]);
        Assert.True(await call.ResponseStream.MoveNext().Soon());
        Assert.Equal([7], call.ResponseStream.Current);
        Assert.True(await call.ResponseStream.MoveNext().Soon());
        Assert.Empty(call.ResponseStream.Current);

        await call.RequestStream.CompleteAsync().Soon();
        Assert.True((await connection.ReadAsync(FrameType.Data)).Has(FrameFlags.EndStream));
        var end = call.ResponseStream.MoveNext();
        await connection.TrailersAsync(1);
        Assert.False(await end.Soon());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Duplex_ErrorAfterMessages_GivesMessagesFirst()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var call = channel.Duplex();
        using var connection = await server.AcceptAsync();
        await connection.ReadAsync(FrameType.Headers);
        await connection.ResponseHeadersAsync(1);
        await connection.DataAsync(1, FakeConnection.Message([1]));
        await connection.TrailersAsync(1, (int)StatusCode.Aborted);
        Assert.True(await call.ResponseStream.MoveNext().Soon());
        Assert.Equal(StatusCode.Aborted, (await Calls.Failure(call.ResponseStream.MoveNext())).StatusCode);
        Assert.Equal(StatusCode.Aborted, (await Calls.Failure(call.RequestStream.WriteAsync([1]))).StatusCode);
        var reset = await connection.ReadAsync(FrameType.RstStream);
        Assert.Equal([0, 0, 0, 0], reset.Payload);
    }

    [Fact]
    public async Task ServerStreaming_ThousandsInOneFrame_ComeInOrder()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var call = channel.Down(s_request);
        using var connection = await server.AcceptAsync();
        await connection.ReadRequestAsync();
        await connection.ResponseHeadersAsync(1);
        var messages = Enumerable.Range(0, 2000).SelectMany(i => FakeConnection.Message([(byte)i, (byte)(i >> 8)]));
        await connection.DataAsync(1, [.. messages]);
        await connection.TrailersAsync(1);
        var found = new List<int>();
        await foreach (var message in call.ResponseStream.ReadAllAsync())
        {
            found.Add(message[0] | (message[1] << 8));
        }

        Assert.Equal(Enumerable.Range(0, 2000), found);
    }

    [Fact]
    public async Task ClientStreaming_AnsweredEarly_EndsTheWrites()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var call = channel.Up();
        using var connection = await server.AcceptAsync();
        await connection.ReadAsync(FrameType.Headers);
        await connection.AnswerAsync(1, [9]);
        Assert.Equal([9], await call.ResponseAsync.Soon());
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync([1]));
    }

    [Fact]
    public async Task Duplex_ReadTwiceAtOnce_IsRefused()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var call = channel.Duplex();
        var first = call.ResponseStream.MoveNext();
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.ResponseStream.MoveNext());
        call.Dispose();
        Assert.Equal(StatusCode.Cancelled, (await Calls.Failure(first)).StatusCode);
    }

    // Makes one call, lets the server answer it, and gives the error and the code of the reset that followed, if any.
    private static async Task<(RpcException Error, Http2ErrorCode? Reset)> Unary(Func<FakeConnection, Task> answer)
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        var call = channel.Unary(s_request);
        using var connection = await server.AcceptAsync();
        Assert.Equal(1, await connection.ReadRequestAsync());
        await answer(connection);
        var error = await Calls.Failure(call.ResponseAsync);

        // A ping's answer comes behind whatever the client had to say about the stream.
        await connection.SendAsync(FrameType.Ping, FrameFlags.None, 0, new byte[8]);
        var frame = await connection.ReadAsync();
        return (error, frame.Type == FrameType.RstStream ? (Http2ErrorCode)frame.Payload[3] : null);
    }
}
