// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Link;
using Muster.Server.Endpoint;
using Muster.Transport;
using Muster.Transport.Wire;
using Muster.Unit.Endpoint;
using Xunit;

namespace Muster.Unit.Link;

/// <summary>Calls over a link between our own server and client.</summary>
public sealed class LinkCallTests : IDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-link-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Call_OfAnEcho_AnswersEveryMessageAndEndsWell()
    {
        await using var endpoint = await StartAsync(EchoAsync);
        using var call = await OpenAsync(endpoint);
        for (byte n = 0; n < 100; n++)
        {
            await call.RequestStream.WriteAsync(RawMessage.Copy([n]));
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(s_timeout));
            using var message = call.ResponseStream.Current;
            Assert.Equal([n], message.Span);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(s_timeout));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Handler_ThatThrowsAFault_EndsTheCallWithItsDetails()
    {
        await using var endpoint = await StartAsync((_, _, _) =>
            throw FaultStatus.ToException(new(FaultCode.ArenaFull, "no room", RetryAfterMs: 70)));
        using var call = await OpenAsync(endpoint);
        var failure = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(s_timeout));
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        Assert.True(RichStatus.TryRead(failure, out var details));
        Assert.Equal("ARENA_FULL", details.Error!.Reason);
        Assert.Equal(TimeSpan.FromMilliseconds(70), details.RetryAfter);
    }

    [Fact]
    public async Task Client_ThatDisposes_EndsTheHandlersRead()
    {
        var ended = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var endpoint = await StartAsync(async (requests, _, context) =>
        {
            var failure = await Record.ExceptionAsync(() => requests.MoveNext(context.CancellationToken));
            Assert.True(context.CancellationToken.IsCancellationRequested);
            ended.SetResult(failure);
        });
        var call = await OpenAsync(endpoint);
        call.Dispose();
        var exception = Assert.IsType<RpcException>(await ended.Task.WaitAsync(s_timeout));
        Assert.Equal(StatusCode.Cancelled, exception.StatusCode);
    }

    [Fact]
    public async Task ServerThatStops_EndsTheCallAsUnavailable()
    {
        var endpoint = await StartAsync(EchoAsync);
        using var call = await OpenAsync(endpoint);
        var read = call.ResponseStream.MoveNext(CancellationToken.None);
        await endpoint.StopAsync(TimeSpan.FromSeconds(5));
        var failure = await Assert.ThrowsAsync<RpcException>(() => read.WaitAsync(s_timeout));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.True(await LinkDialer.IsAbsentAsync(endpoint.Addresses[0]));
    }

    [Fact]
    public async Task Write_BesideAnotherOrAfterTheLast_IsRefusedAsOverGrpc()
    {
        var mayRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var endpoint = await StartAsync(async (requests, _, context) =>
        {
            await mayRead.Task;
            while (await requests.MoveNext(context.CancellationToken))
            {
                requests.Current.Dispose();
            }
        });
        using var call = await OpenAsync(endpoint);
        var waits = call.RequestStream.WriteAsync(RawMessage.Rent(1_000_000));
        Assert.False(waits.IsCompleted);
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.CompleteAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(RawMessage.Rent(1)));
        mayRead.SetResult();
        await waits.WaitAsync(s_timeout);
        await call.RequestStream.CompleteAsync().WaitAsync(s_timeout);
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(RawMessage.Rent(1)));
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(s_timeout));
    }

    [Fact]
    public async Task ServerThatStops_WaitsForTheHandlers()
    {
        var hasBegun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var hasEnded = false;
        var endpoint = await StartAsync(async (requests, _, context) =>
        {
            hasBegun.SetResult();
            await Record.ExceptionAsync(() => requests.MoveNext(context.CancellationToken));
            await mayEnd.Task;
            hasEnded = true;
        });
        using var call = await OpenAsync(endpoint);
        await hasBegun.Task.WaitAsync(s_timeout);
        var stop = endpoint.StopAsync(s_timeout);

        // Its listener is gone, so it is past everything but the calls.
        Assert.False(File.Exists(LinkGreeting.PathOf(SocketPath)));
        Assert.False(stop.IsCompleted);
        mayEnd.SetResult();
        await stop.WaitAsync(s_timeout);
        Assert.True(hasEnded);
        var failure = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(s_timeout));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.True(RichStatus.TryRead(failure, out _));
    }

    [Fact]
    public async Task ServerThatStopsAtOnce_CutsAHandlerThatGoesOn()
    {
        var hasBegun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var never = new TaskCompletionSource();
        var endpoint = await StartAsync(async (_, _, _) =>
        {
            hasBegun.SetResult();
            await never.Task;
        });
        using var call = await OpenAsync(endpoint);
        await hasBegun.Task.WaitAsync(s_timeout);
        await endpoint.StopAsync(TimeSpan.Zero).WaitAsync(s_timeout);
        var failure = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(s_timeout));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        never.SetResult();
    }

    [Fact]
    public async Task CallbackOfTheToken_ThatThrows_KeepsNothingOpen()
    {
        var hasBegun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var endpoint = await StartAsync(async (requests, _, context) =>
        {
            using var registration = context.CancellationToken.Register(() => throw new FormatException("not mine"));
            hasBegun.SetResult();
            await requests.MoveNext(context.CancellationToken);
        });
        using var call = await OpenAsync(endpoint);
        await hasBegun.Task.WaitAsync(s_timeout);
        await endpoint.StopAsync(TimeSpan.FromSeconds(5)).WaitAsync(s_timeout);
        var failure = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(s_timeout));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Fact]
    public async Task Open_OfAMethodThatIsNotThere_IsLeftToGrpc()
    {
        await using var endpoint = await StartAsync(EchoAsync);
        Assert.Null(await LinkDialer.TryOpenAsync(endpoint.Addresses[0], RawService.Unary));
        Assert.Null(await LinkDialer.TryOpenAsync("http://127.0.0.1:9", RawService.Duplex));
    }

    [Fact]
    public async Task Open_OfMoreThanTheLimit_IsLeftToGrpcUntilOneEnds()
    {
        await using var endpoint = await StartAsync(EchoAsync);
        var calls = new List<AsyncDuplexStreamingCall<RawMessage, RawMessage>>();
        for (var n = 0; n < EndpointLimits.LinksMax; n++)
        {
            calls.Add(await OpenAsync(endpoint));
        }

        Assert.Null(await LinkDialer.TryOpenAsync(endpoint.Addresses[0], RawService.Duplex));
        calls[0].Dispose();
        (await OpenAsync(endpoint)).Dispose();
        calls.ForEach(call => call.Dispose());
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("MUSTERL2")]
    [InlineData("MUSTERL2\u007f/short")]
    [InlineData("MUSTERL9\u0004/abc")]
    public async Task Greeting_ThatIsNone_IsAnsweredByClosing(string text)
    {
        await using var endpoint = await StartAsync(EchoAsync);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(LinkGreeting.PathOf(SocketPath)));
        socket.Send(System.Text.Encoding.Latin1.GetBytes(text));
        Assert.Equal(0, await socket.ReceiveAsync(new byte[64]).WaitAsync(s_timeout));
        using var call = await OpenAsync(endpoint);
        Assert.NotNull(call);
    }

    [Fact]
    public async Task Greetings_ThatSayNothing_AreBoundedAndSoonOver()
    {
        await using var endpoint = await StartAsync(EchoAsync);
        var silent = new List<Socket>();
        for (var n = 0; n < 3 * EndpointLimits.LinkGreetingsMax; n++)
        {
            silent.Add(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
            await silent[^1].ConnectAsync(new UnixDomainSocketEndPoint(LinkGreeting.PathOf(SocketPath)));
        }

        // Those beyond the limit are closed at once, the others when their second is over.
        var ends = silent.ConvertAll(socket => socket.ReceiveAsync(new byte[1]));
        await Task.WhenAll(ends.TakeLast(EndpointLimits.LinkGreetingsMax)).WaitAsync(s_timeout);
        await Task.WhenAll(ends).WaitAsync(s_timeout);
        (await OpenAsync(endpoint)).Dispose();
        silent.ForEach(socket => socket.Dispose());
    }

    private string SocketPath => Path.Combine(_folder.FullName, "e.sock");

    private static async Task EchoAsync(
        IAsyncStreamReader<RawMessage> requests, IServerStreamWriter<RawMessage> responses, ServerCallContext context)
    {
        var outbox = StreamOutbox.Open(context, 1 << 20);
        while (await requests.MoveNext(context.CancellationToken))
        {
            using var message = requests.Current;
            outbox.TryAppend(message.Span);
            outbox.Flush();
        }
    }

    private static async Task<AsyncDuplexStreamingCall<RawMessage, RawMessage>> OpenAsync(GrpcEndpoint endpoint)
    {
        using var patience = new CancellationTokenSource(s_timeout);
        while (true)
        {
            // On a busy host the server may take longer to answer than a dialer waits.
            if (await LinkDialer.TryOpenAsync(endpoint.Addresses[0], RawService.Duplex) is { } call)
            {
                return call;
            }

            await Task.Delay(5, patience.Token);
        }
    }

    private async Task<GrpcEndpoint> StartAsync(DuplexStreamingServerMethod<RawMessage, RawMessage> handler)
    {
        var endpoint = new GrpcEndpoint(new EndpointOptions { SocketPath = SocketPath });
        endpoint.Add(RawService.Conversing(handler));
        var fault = await endpoint.StartAsync();
        Assert.True(fault.IsNone, fault.Message);
        return endpoint;
    }
}
