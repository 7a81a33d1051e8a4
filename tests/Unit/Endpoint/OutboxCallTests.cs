// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Server.Endpoint;
using Muster.Transport;
using Muster.Transport.Wire;
using Xunit;

namespace Muster.Unit.Endpoint;

/// <summary>Outboxes on real calls: our server, our client, one connection.</summary>
public sealed class OutboxCallTests
{
    private const int OutboxBytesMax = 64 * 1024;
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Messages_AppendedByAnotherThread_AllArriveBeforeTheStatus()
    {
        const int Count = 50_000;
        await using var endpoint = await StartAsync(async (requests, _, context) =>
        {
            using var room = new SemaphoreSlim(0);
            var outbox = StreamOutbox.Open(context, OutboxBytesMax, () => room.Release());
            await Task.Run(() => AppendAsync(outbox, room, Count));
            while (await requests.MoveNext(CancellationToken.None))
            {
                requests.Current.Dispose();
            }
        });
        await using var channel = GrpcChannel.ForAddress(endpoint.Addresses[0]);
        using var call = Open(channel);
        await call.RequestStream.CompleteAsync();
        for (var i = 0u; i < Count; i++)
        {
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            using var message = call.ResponseStream.Current;
            Assert.Equal(i, BitConverter.ToUInt32(message.Span));
        }

        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Close_FromAnotherThread_EndsTheCallAfterItsMessages()
    {
        var opened = new TaskCompletionSource<StreamOutbox>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var endpoint = await StartAsync(async (requests, _, context) =>
        {
            opened.SetResult(StreamOutbox.Open(context, OutboxBytesMax));
            Assert.False(await requests.MoveNext(CancellationToken.None));
        });
        await using var channel = GrpcChannel.ForAddress(endpoint.Addresses[0]);
        using var call = Open(channel);
        var outbox = await opened.Task.WaitAsync(s_timeout);
        Assert.Equal(AppendOutcome.Appended, outbox.TryAppend([7]));
        outbox.Close(new Fault(FaultCode.WorkerFenced, "the worker was given up"));
        Assert.Equal(AppendOutcome.Closed, outbox.TryAppend([8]));
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal([7], call.ResponseStream.Current.Span.ToArray());
        var failure = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
        Assert.True(RichStatus.TryRead(failure, out var details));
        Assert.Equal("WORKER_FENCED", details.Error!.Reason);
    }

    [Fact]
    public async Task Outbox_OfSlowReader_FillsUpAndDoesNotGrow()
    {
        var opened = new TaskCompletionSource<StreamOutbox>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var room = new SemaphoreSlim(0);
        await using var endpoint = await StartAsync(async (requests, _, context) =>
        {
            opened.SetResult(StreamOutbox.Open(context, OutboxBytesMax, () => room.Release()));
            await requests.MoveNext(CancellationToken.None);
        });
        await using var channel = GrpcChannel.ForAddress(
            endpoint.Addresses[0], new GrpcChannelOptions { StreamWindowBytes = 65_535 });
        using var call = Open(channel);
        var outbox = await opened.Task.WaitAsync(s_timeout);
        var message = new byte[16 * 1024];
        var appended = 0;

        // Nobody reads: window, pipe and outbox fill, and then nothing more is taken.
        for (var refusals = 0; refusals < 2;)
        {
            if (outbox.TryAppend(message) == AppendOutcome.Appended)
            {
                outbox.Flush();
                appended++;
                refusals = 0;
                Assert.True(appended < 200, "the outbox grows without end");
            }
            else if (!await room.WaitAsync(TimeSpan.FromMilliseconds(300)))
            {
                refusals++;
            }

            Assert.True(outbox.PendingBytes <= OutboxBytesMax);
        }

        await call.RequestStream.CompleteAsync();
        var read = 0;
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            call.ResponseStream.Current.Dispose();
            read++;
        }

        Assert.Equal(appended, read);
    }

    [Fact]
    public async Task Outbox_OfCallThatWasCancelled_IsClosed()
    {
        var opened = new TaskCompletionSource<StreamOutbox>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var endpoint = await StartAsync(async (requests, _, context) =>
        {
            opened.SetResult(StreamOutbox.Open(context, OutboxBytesMax));
            try
            {
                await requests.MoveNext(CancellationToken.None);
            }
            finally
            {
                ended.SetResult();
            }
        });
        await using var channel = GrpcChannel.ForAddress(endpoint.Addresses[0]);
        using (Open(channel))
        {
            await opened.Task.WaitAsync(s_timeout);
        }

        await ended.Task.WaitAsync(s_timeout);
        var outbox = await opened.Task;
        await Eventually(() => outbox.IsClosed && endpoint.StreamCount == 0);
        Assert.Equal(AppendOutcome.Closed, outbox.TryAppend([1]));
    }

    private static async Task AppendAsync(StreamOutbox outbox, SemaphoreSlim room, int count)
    {
        for (var i = 0u; i < count; i++)
        {
            while (outbox.TryAppend(BitConverter.GetBytes(i)) == AppendOutcome.Full)
            {
                outbox.Flush();
                Assert.True(await room.WaitAsync(s_timeout));
            }

            if (i % 100 == 0)
            {
                outbox.Flush();
            }
        }
    }

    private static AsyncDuplexStreamingCall<RawMessage, RawMessage> Open(GrpcChannel channel) =>
        channel.CreateCallInvoker().AsyncDuplexStreamingCall(
            RawService.Duplex, null, new CallOptions(deadline: DateTime.UtcNow + s_timeout));

    private static async Task<GrpcEndpoint> StartAsync(
        DuplexStreamingServerMethod<RawMessage, RawMessage> handler)
    {
        var endpoint = new GrpcEndpoint(new EndpointOptions { Loopback = [new IPEndPoint(IPAddress.Loopback, 0)] })
            .Add(RawService.Conversing(handler));
        Assert.Equal(Fault.None, await endpoint.StartAsync());
        return endpoint;
    }

    private static async Task Eventually(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow + s_timeout;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, "the condition did not come to hold");
            await Task.Yield();
        }
    }
}
