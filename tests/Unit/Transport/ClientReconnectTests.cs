// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport;
using Muster.Transport.Http2;
using Xunit;

namespace Muster.Unit.Transport;

public class ClientReconnectTests
{
    private static readonly byte[] s_request = "question"u8.ToArray();

    [Fact]
    public async Task GoAway_StreamsItDidNotSee_GoToANewConnection()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var old = await channel.ConnectWith(server);
        var seen = channel.Unary(s_request);
        var unseen = channel.Unary("again"u8.ToArray());
        await old.ReadRequestAsync();
        await old.ReadRequestAsync();
        await old.GoAwayAsync(1);
        using var next = await server.AcceptAsync();
        await next.ReadRequestAsync();
        await next.AnswerAsync(1, [2]);
        Assert.Equal([2], await unseen.ResponseAsync.Soon());

        // The old connection lives until its last call has ended.
        await old.AnswerAsync(1, [1]);
        Assert.Equal([1], await seen.ResponseAsync.Soon());
        Assert.Equal(Http2ErrorCode.NoError, await old.ReadToEndAsync());
        Assert.Equal(ConnectivityState.Ready, channel.State);
    }

    [Fact]
    public async Task GoAway_StreamThatHasWritten_FailsAsUnavailable()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server);
        using var call = channel.Duplex();
        await call.RequestStream.WriteAsync([1]).Soon();
        await connection.GoAwayAsync(0, Http2ErrorCode.EnhanceYourCalm);
        var error = await Calls.Failure(call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    [Fact]
    public async Task Refused_UnseenStream_IsTriedAgainAFewTimes()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        using var connection = await channel.ConnectWith(server);
        var call = channel.Unary(s_request);
        for (var id = 1; id <= 7; id += 2)
        {
            Assert.Equal(id, await connection.ReadRequestAsync());
            await connection.ResetAsync(id, Http2ErrorCode.RefusedStream);
        }

        Assert.Equal(StatusCode.Unavailable, (await Calls.Failure(call.ResponseAsync)).StatusCode);
    }

    [Fact]
    public async Task ServerKilled_MidStream_FailsTheCallAndTheNextConnects()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect();
        var connection = await channel.ConnectWith(server);
        using var call = channel.Duplex();
        await connection.ReadAsync(FrameType.Headers);
        await connection.ResponseHeadersAsync(1);
        await connection.DataAsync(1, FakeConnection.Message([1]));
        await call.ResponseHeadersAsync.Soon();
        connection.Dispose();
        Assert.True(await call.ResponseStream.MoveNext().Soon());
        Assert.Equal(StatusCode.Unavailable, (await Calls.Failure(call.ResponseStream.MoveNext())).StatusCode);

        var second = channel.Unary(s_request);
        using var next = await server.AcceptAsync();
        await next.AnswerAsync(await next.ReadRequestAsync(), [5]);
        Assert.Equal([5], await second.ResponseAsync.Soon());
    }

    [Fact]
    public async Task NoServer_Call_FailsFastAsUnavailable()
    {
        await using var channel = GrpcChannel.ForAddress("unix:/nowhere/at/all.sock");
        var error = await Calls.Failure(channel.Unary(s_request).ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Contains("/nowhere/at/all.sock", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoServer_CallThatWaits_IsServedOnceThereIsOne()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect(
            new GrpcChannelOptions { BackoffFirst = TimeSpan.FromMilliseconds(1) });
        var call = channel.Unary(s_request, new CallOptions().WithWaitForReady());
        for (var attempt = 0; attempt < 3; attempt++)
        {
            (await server.AcceptRawAsync()).Dispose();
        }

        using var connection = await server.AcceptAsync();
        await connection.AnswerAsync(await connection.ReadRequestAsync(), [3]);
        Assert.Equal([3], await call.ResponseAsync.Soon());
    }

    [Fact]
    public async Task NoServer_DeadlineOfACallThatWaits_IsKept()
    {
        await using var channel = GrpcChannel.ForAddress("unix:/nowhere/at/all.sock");
        var options = new CallOptions(deadline: DateTime.UtcNow.AddMilliseconds(100)).WithWaitForReady();
        var error = await Calls.Failure(channel.Unary(s_request, options).ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
    }

    [Fact]
    public async Task SilentServer_Connect_EndsAfterItsTimeout()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect(
            new GrpcChannelOptions { ConnectTimeout = TimeSpan.FromMilliseconds(100) });
        var error = await Calls.Failure(channel.Unary(s_request).ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Contains("no answer", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConnectAsync_TokenSignalled_EndsTheWait()
    {
        await using var channel = GrpcChannel.ForAddress("unix:/nowhere/at/all.sock");
        using var cancel = new CancellationTokenSource(50);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => channel.ConnectAsync(cancel.Token).Soon());
    }

    [Fact]
    public async Task Dispose_CallsThatRunOrWait_AreCancelled()
    {
        using var server = new FakeServer();
        var channel = server.Connect();
        using var connection = await channel.ConnectWith(server, ((int)SettingId.MaxConcurrentStreams, 1));
        var running = channel.Unary(s_request);
        var waiting = channel.Unary(s_request);
        await connection.ReadRequestAsync();
        await channel.DisposeAsync();
        await channel.DisposeAsync();
        Assert.Equal(StatusCode.Cancelled, (await Calls.Failure(running.ResponseAsync)).StatusCode);
        Assert.Equal(StatusCode.Cancelled, (await Calls.Failure(waiting.ResponseAsync)).StatusCode);
        Assert.Equal(Http2ErrorCode.NoError, await connection.ReadToEndAsync());
        Assert.Equal(ConnectivityState.Shutdown, channel.State);
        var late = await Calls.Failure(channel.Unary(s_request).ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, late.StatusCode);
    }

    [Fact]
    public async Task InlineCompletions_BlockingCallOnTheLoop_IsRefused()
    {
        using var server = new FakeServer();
        await using var channel = server.Connect(new GrpcChannelOptions { InlineCompletions = true });
        using var connection = await channel.ConnectWith(server);
        var call = BlockAfterAnswer(channel);
        await connection.AnswerAsync(await connection.ReadRequestAsync(), [1]);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => call.Soon());
        Assert.Contains("blocking", error.Message, StringComparison.Ordinal);
    }

    private static async Task BlockAfterAnswer(GrpcChannel channel)
    {
        await channel.Unary(s_request).ResponseAsync.ConfigureAwait(false);
        channel.CreateCallInvoker().BlockingUnaryCall(Calls.UnaryMethod, null, default, s_request);
    }
}
