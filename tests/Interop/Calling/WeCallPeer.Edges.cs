// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Muster.Interop.V1;
using Muster.Transport;
using Xunit;

namespace Muster.Interop.Calling;

/// <content>Metadata, deadlines, sizes, ends of connections, and what is refused.</content>
public abstract partial class WeCallPeer
{
    [Fact]
    public async Task Metadata_Ascii_GoesBothWays()
    {
        var headers = new Metadata { { "x-echo-a", "one" }, { "x-echo-b", "two, three ~ !" } };
        var call = Client.EchoAsync(new Ask(), Soon(headers));
        await call;
        Assert.Equal("one", (await call.ResponseHeadersAsync).GetValue("x-echo-a"));
        Assert.Equal("two, three ~ !", (await call.ResponseHeadersAsync).GetValue("x-echo-b"));
        Assert.Equal("one", call.GetTrailers().GetValue("x-trail-a"));
    }

    [Fact]
    public async Task Metadata_Binary_GoesBothWays()
    {
        byte[] bytes = [0x00, 0xff, 0x10, 0x80, 0x7f, 0x0a];
        using var call = Client.Pour(new Ask { Count = 1 }, Soon(new Metadata { { "x-echo-a-bin", bytes } }));
        Assert.Equal(bytes, (await call.ResponseHeadersAsync).GetValueBytes("x-echo-a-bin"));
        await CountAsync(call.ResponseStream);
        Assert.Equal(bytes, call.GetTrailers().GetValueBytes("x-trail-a-bin"));
    }

    [Fact]
    public async Task Metadata_WithFailure_TrailersArrive()
    {
        var headers = new Metadata { { "x-echo-a", "one" } };
        var call = Client.EchoAsync(new Ask { Status = 5, Message = "no" }, Soon(headers));
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal("one", failure.Trailers.GetValue("x-trail-a"));
    }

    [Fact]
    public async Task Metadata_OverTheLimit_IsRefused()
    {
        var headers = new Metadata { { "x-big", new string('a', 9000) } };
        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await Client.EchoAsync(new Ask(), Soon(headers)));
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task Metadata_WithinLimit_ComesBack()
    {
        var big = new string('a', 7000);
        var call = Client.EchoAsync(new Ask(), Soon(new Metadata { { "x-echo-big", big } }));
        await call;
        Assert.Equal(big, (await call.ResponseHeadersAsync).GetValue("x-echo-big"));
    }

    [Fact]
    public async Task Deadline_Passed_EndsCallAndHandler()
    {
        var key = NewKey();
        var options = new CallOptions(deadline: DateTime.UtcNow.AddMilliseconds(250));
        var call = Client.EchoAsync(new Ask { DelayMs = 20_000, Key = key }, options);
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        var observed = await ObservedAsync(key);
        Assert.True(observed.Cancelled);
        Assert.InRange(observed.TimeoutMs, 1u, 1_250u);
    }

    [Fact]
    public async Task Deadline_PassedInStream_EndsCallAndHandler()
    {
        var key = NewKey();
        var options = new CallOptions(deadline: DateTime.UtcNow.AddMilliseconds(250));
        using var call = Client.Pour(new Ask { Count = 10_000, DelayMs = 20, Key = key }, options);
        var failure = await Assert.ThrowsAsync<RpcException>(() => CountAsync(call.ResponseStream));
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.True((await ObservedAsync(key)).Cancelled);
    }

    [Fact]
    public async Task Deadline_FarAway_IsSeenByServer()
    {
        var key = NewKey();
        await Client.EchoAsync(new Ask { Key = key }, new CallOptions(deadline: DateTime.UtcNow.AddSeconds(30)));
        Assert.InRange((await ObservedAsync(key)).TimeoutMs, 20_000u, 31_000u);
    }

    [Fact]
    public async Task Cancel_MidStream_EndsHandler()
    {
        var key = NewKey();
        using var cancel = new CancellationTokenSource();
        using var call = Client.Pour(new Ask { Count = 10_000, DelayMs = 10, Key = key }, Soon(null, cancel.Token));
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        await cancel.CancelAsync();
        var failure = await Assert.ThrowsAsync<RpcException>(() => CountFromAsync(call.ResponseStream));
        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
        Assert.True((await ObservedAsync(key)).Cancelled);
    }

    [Fact]
    public async Task Dispose_OfDuplex_EndsHandler()
    {
        var key = NewKey();
        using (var call = Client.Converse(Soon()))
        {
            await call.RequestStream.WriteAsync(new Ask { Key = key });
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        }

        Assert.True((await ObservedAsync(key)).Cancelled);
    }

    [Theory]
    [InlineData(MessageBytesMax - 1)]
    [InlineData(MessageBytesMax)]
    public async Task Message_AtTheLimit_GoesBothWays(int messageBytes)
    {
        var answer = await Client.EchoAsync(new Ask { Body = Zeroes(messageBytes - BodyOverhead) }, Soon());
        Assert.Equal(messageBytes, answer.CalculateSize());
    }

    [Fact]
    public async Task Request_OverOurLimit_IsNotSent()
    {
        var call = Client.EchoAsync(new Ask { Body = Zeroes(MessageBytesMax + 1 - BodyOverhead) }, Soon());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task Request_OverTheirLimit_IsRefused()
    {
        var channel = called.Open(
            CalledPeer.AddressOf(called.Peer), new GrpcChannelOptions { SendMessageBytesMax = 2 * MessageBytesMax });
        var client = new InteropService.InteropServiceClient(channel.CreateCallInvoker());
        var call = client.EchoAsync(new Ask { Body = Zeroes(MessageBytesMax + 1 - BodyOverhead) }, Soon());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task Response_OverOurLimit_IsRefused()
    {
        var call = Client.EchoAsync(new Ask { AnswerBytes = MessageBytesMax + 1 - BodyOverhead }, Soon());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task ServerStream_HundredThousandMessages_AllArrive()
    {
        using var call = Client.Pour(new Ask { Count = 100_000, AnswerBytes = 16 }, Soon());
        Assert.Equal(100_000, await CountAsync(call.ResponseStream));
    }

    [Fact]
    public async Task ClientStream_HundredThousandMessages_AllArrive()
    {
        using var call = Client.Collect(Soon());
        var ask = new Ask { Body = Zeroes(16) };
        for (var number = 0; number < 100_000; number++)
        {
            await call.RequestStream.WriteAsync(ask);
        }

        await call.RequestStream.CompleteAsync();
        var answer = await call;
        Assert.Equal(100_000u, answer.Count);
        Assert.Equal(1_600_000u, answer.Bytes);
    }

    [Fact]
    public async Task Server_KilledMidStream_IsUnavailable()
    {
        await using var server = await called.StartServerAsync(called.SocketPath("killed"));
        var channel = called.Open(CalledPeer.AddressOf(server));
        var client = new InteropService.InteropServiceClient(channel.CreateCallInvoker());
        using var call = client.Pour(new Ask { Count = 10_000, DelayMs = 10 }, Soon());
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        server.Kill();
        var failure = await Assert.ThrowsAsync<RpcException>(() => CountFromAsync(call.ResponseStream));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Fact]
    public async Task Server_KilledAndStartedAgain_IsReachedAgain()
    {
        var socket = called.SocketPath("again");
        var channel = called.Open("unix:" + socket);
        var client = new InteropService.InteropServiceClient(channel.CreateCallInvoker());
        await using (var first = await called.StartServerAsync(socket))
        {
            await client.EchoAsync(new Ask(), Soon());
            first.Kill();
        }

        System.IO.File.Delete(socket);
        await using var second = await called.StartServerAsync(socket);
        var answer = await client.EchoAsync(new Ask { AnswerBytes = 5 }, Soon().WithWaitForReady());
        Assert.Equal(5, answer.Body.Length);
    }

    [Fact]
    public async Task Server_ThatIsNotThere_IsUnavailable()
    {
        var channel = called.Open("unix:" + called.SocketPath("nobody"));
        var client = new InteropService.InteropServiceClient(channel.CreateCallInvoker());
        var call = client.EchoAsync(new Ask(), Soon());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Fact]
    public async Task CompressingServer_AnswersPlainlyOrIsRefused()
    {
        await using var server = await called.StartServerAsync(called.SocketPath("gzip"), "gzip");
        var channel = called.Open(CalledPeer.AddressOf(server));
        var client = new InteropService.InteropServiceClient(channel.CreateCallInvoker());
        try
        {
            var answer = await client.EchoAsync(new Ask { AnswerBytes = 50_000 }, Soon());
            Assert.Equal(50_000, answer.Body.Length);
        }
        catch (RpcException e)
        {
            // A server of gRPC's C core compresses whatever its client accepts; ours must say so then, in clear words.
            Assert.Equal(StatusCode.Internal, e.StatusCode);
            Assert.Contains("gzip", e.Status.Detail, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("muster.interop.v1.InteropService", "Missing")]
    [InlineData("muster.interop.v1.Missing", "Echo")]
    public async Task UnknownMethod_IsUnimplemented(string service, string name)
    {
        var asks = Marshallers.Create<Ask>(MessageExtensions.ToByteArray, Ask.Parser.ParseFrom);
        var answers = Marshallers.Create<Answer>(MessageExtensions.ToByteArray, Answer.Parser.ParseFrom);
        var method = new Method<Ask, Answer>(MethodType.Unary, service, name, asks, answers);
        var call = called.Channel.CreateCallInvoker().AsyncUnaryCall(method, null, Soon(), new Ask());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(300)]
    public async Task ConcurrentCalls_OnOneConnection_AllEndWell(int count)
    {
        var ask = new Ask { DelayMs = 100, Body = Zeroes(100) };
        var calls = Enumerable.Range(0, count).Select(_ => Client.EchoAsync(ask, Soon()).ResponseAsync);
        var answers = await Task.WhenAll(calls);
        Assert.All(answers, answer => Assert.Equal(100, answer.Body.Length));
    }

    [Fact]
    public Task UnixSocket_Calls_EndWell() => EveryKindAsync(called.UnixChannel);

    [Fact]
    public Task Tls_Calls_EndWell() => EveryKindAsync(called.SecureChannel);

    [Theory]
    [InlineData("")]
    [InlineData("muster.interop.v1.InteropService")]
    public async Task Health_Check_Serves(string service)
    {
        var health = new Health.HealthClient(called.Channel.CreateCallInvoker());
        var answer = await health.CheckAsync(new HealthCheckRequest { Service = service }, Soon());
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);
    }

    [Fact]
    public async Task Health_CheckOfUnknown_IsNotFound()
    {
        var health = new Health.HealthClient(called.Channel.CreateCallInvoker());
        var call = health.CheckAsync(new HealthCheckRequest { Service = "no.such.Service" }, Soon());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
    }

    private static async Task EveryKindAsync(GrpcChannel channel)
    {
        var client = new InteropService.InteropServiceClient(channel.CreateCallInvoker());
        Assert.Equal(100_000, (await client.EchoAsync(new Ask { Body = Zeroes(100_000) }, Soon())).Body.Length);
        using var call = client.Converse(Soon());
        for (var number = 0; number < 10; number++)
        {
            await call.RequestStream.WriteAsync(new Ask { Body = Zeroes(100_000) });
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal(100_000, call.ResponseStream.Current.Body.Length);
        }

        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
    }

    private static async Task CountFromAsync(IAsyncStreamReader<Answer> answers)
    {
        while (await answers.MoveNext(CancellationToken.None))
        {
            Assert.NotNull(answers.Current);
        }
    }

    private async Task<ObserveResponse> ObservedAsync(string key) =>
        await Client.ObserveAsync(new ObserveRequest { Key = key }, Soon());
}
