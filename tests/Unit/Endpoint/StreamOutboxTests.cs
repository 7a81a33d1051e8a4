// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Server.Endpoint;
using Muster.Transport.Wire;
using Xunit;

namespace Muster.Unit.Endpoint;

public sealed class StreamOutboxTests
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);
    private static readonly byte[] s_four = [1, 2, 3, 4];

    [Fact]
    public void Flush_OfSeveralMessages_WritesThemOnceWithPrefixes()
    {
        var sink = new OutboxSink();
        var outbox = new StreamOutbox(sink, 1000);
        Assert.Equal(AppendOutcome.Appended, outbox.TryAppend(s_four));
        Assert.Equal(AppendOutcome.Appended, outbox.TryAppend([]));
        Assert.Empty(sink.Writes);
        outbox.Flush();
        Assert.Equal([0, 0, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0, 0], Assert.Single(sink.Writes));
        Assert.Equal(0, outbox.PendingBytes);
    }

    [Fact]
    public void Flush_WithNothingAppended_WritesNothing()
    {
        var sink = new OutboxSink();
        new StreamOutbox(sink, 1000).Flush();
        Assert.Empty(sink.Writes);
    }

    [Fact]
    public void TryAppend_OfProtoWriter_SendsItsBytes()
    {
        var sink = new OutboxSink();
        var outbox = new StreamOutbox(sink, 1000);
        using var writer = new ProtoWriter();
        writer.WriteUInt64(1, 7);
        outbox.TryAppend(writer);
        outbox.Flush();
        Assert.Equal([8, 7], Assert.Single(sink.Messages()));
    }

    [Fact]
    public void Flush_WhileAWriteIsUnderWay_JoinsTheNextSingleWrite()
    {
        var sink = new OutboxSink { Hold = true };
        var outbox = new StreamOutbox(sink, 1000);
        outbox.TryAppend(s_four);
        outbox.Flush();
        for (var i = 0; i < 3; i++)
        {
            outbox.TryAppend(s_four);
            outbox.Flush();
        }

        Assert.Single(sink.Writes);
        sink.Release();
        Assert.Equal(2, sink.Writes.Count);
        Assert.Equal(27, sink.Writes[1].Length);
        Assert.Equal(4, sink.Messages().Count);
    }

    [Fact]
    public void TryAppend_BeyondCapacity_IsRefusedUntilHalfIsGone()
    {
        var told = 0;
        var sink = new OutboxSink { Hold = true };
        var outbox = new StreamOutbox(sink, 20, () => told++);
        outbox.TryAppend(s_four);
        outbox.Flush();
        Assert.Equal(AppendOutcome.Appended, outbox.TryAppend(s_four));
        Assert.Equal(AppendOutcome.Full, outbox.TryAppend(s_four));
        Assert.Equal(18, outbox.PendingBytes);
        Assert.Equal(0, told);
        sink.Release();
        Assert.Equal(1, told);
        Assert.Equal(AppendOutcome.Appended, outbox.TryAppend(s_four));
    }

    [Fact]
    public void TryAppend_OfLargeMessageIntoEmptyOutbox_IsTaken()
    {
        var sink = new OutboxSink();
        var outbox = new StreamOutbox(sink, 20);
        Assert.Equal(AppendOutcome.Appended, outbox.TryAppend(new byte[1_000_000]));
        Assert.Equal(AppendOutcome.Full, outbox.TryAppend(s_four));
        outbox.Flush();
        Assert.Equal(1_000_000, Assert.Single(sink.Messages()).Length);
    }

    [Fact]
    public void Close_WithMessagesWaiting_SendsThemAndEndsTheCall()
    {
        var sink = new OutboxSink();
        var outbox = new StreamOutbox(sink, 1000);
        outbox.TryAppend(s_four);
        outbox.Close(new Fault(FaultCode.SessionTakenOver, "another connection resumed the session"));
        Assert.Single(sink.Messages());
        Assert.Equal(StatusCode.Aborted, sink.Ended!.StatusCode);
        Assert.Equal(AppendOutcome.Closed, outbox.TryAppend(s_four));
        Assert.True(outbox.IsClosed);
    }

    [Fact]
    public async Task Drain_WhileAWriteIsUnderWay_EndsWithIt()
    {
        var sink = new OutboxSink { Hold = true };
        var outbox = new StreamOutbox(sink, 1000);
        outbox.TryAppend(s_four);
        var drained = outbox.DrainAsync();
        Assert.False(drained.IsCompleted);
        sink.Release();
        await drained.WaitAsync(s_timeout);
        Assert.True(outbox.DrainAsync().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Write_ThatFails_ClosesTheOutbox()
    {
        var told = 0;
        var sink = new OutboxSink { Failure = new IOException("gone") };
        var outbox = new StreamOutbox(sink, 1000, () => told++);
        outbox.TryAppend(s_four);
        outbox.Flush();
        Assert.Equal(AppendOutcome.Closed, outbox.TryAppend(s_four));
        Assert.Equal(1, told);
        await outbox.DrainAsync().WaitAsync(s_timeout);
    }

    [Fact]
    public void Write_WhosePeerIsGone_ClosesTheOutbox()
    {
        var sink = new OutboxSink { Hold = true };
        var outbox = new StreamOutbox(sink, 1000);
        outbox.TryAppend(s_four);
        outbox.Flush();
        outbox.TryAppend(s_four);
        sink.Release(completed: true);
        Assert.Single(sink.Writes);
        Assert.Equal(0, outbox.PendingBytes);
        Assert.Equal(AppendOutcome.Closed, outbox.TryAppend(s_four));
    }

    [Fact]
    public async Task Seal_WhileAWriteIsUnderWay_DropsTheRestAndLetsItEnd()
    {
        var sink = new OutboxSink { Hold = true };
        var outbox = new StreamOutbox(sink, 1000);
        outbox.TryAppend(s_four);
        outbox.Flush();
        outbox.TryAppend(s_four);
        outbox.Seal();
        var drained = outbox.DrainAsync();
        Assert.False(drained.IsCompleted);
        sink.Release();
        await drained.WaitAsync(s_timeout);
        Assert.Single(sink.Writes);
    }

    [Fact]
    public void AppendAndFlush_AfterTheFirst_AllocateNothing()
    {
        var outbox = new StreamOutbox(new OutboxSink { Forget = true }, 100_000);
        Span<byte> message = stackalloc byte[64];
        var before = 0L;
        for (var i = 0; i < 20_000; i++)
        {
            if (i == 10_000)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }

            outbox.TryAppend(message);
            outbox.Flush();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public async Task ManyAppenders_Together_LoseAndReorderNothing()
    {
        const int Threads = 4;
        const int PerThread = 20_000;
        var pipe = new SlowSink();
        var outbox = new StreamOutbox(pipe, 64 * 1024, pipe.Room);
        var appenders = Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            var message = new byte[8];
            BinaryPrimitives.WriteInt32LittleEndian(message, thread);
            for (var i = 0; i < PerThread; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(4), i);
                var room = pipe.WaitForRoom();
                while (outbox.TryAppend(message) == AppendOutcome.Full)
                {
                    outbox.Flush();
                    await room.WaitAsync(s_timeout);
                    room = pipe.WaitForRoom();
                }

                outbox.Flush();
            }
        }));
        await Task.WhenAll(appenders).WaitAsync(s_timeout);
        await outbox.DrainAsync().WaitAsync(s_timeout);
        var next = new int[Threads];
        foreach (var message in pipe.Sink.Messages())
        {
            var thread = BinaryPrimitives.ReadInt32LittleEndian(message);
            Assert.Equal(next[thread]++, BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(4)));
        }

        Assert.All(next, count => Assert.Equal(PerThread, count));
    }

    /// <summary>Every third write ends later, on another thread.</summary>
    private sealed class SlowSink : IOutboxSink
    {
        private TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _writes;

        public OutboxSink Sink { get; } = new();

        public Task WaitForRoom() => Volatile.Read(ref _room).Task;

        public void Room() => Interlocked.Exchange(
            ref _room, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

        public async System.Threading.Tasks.ValueTask<System.IO.Pipelines.FlushResult> WriteAsync(
            ReadOnlyMemory<byte> framed)
        {
            await Sink.WriteAsync(framed);
            if (_writes++ % 3 == 0)
            {
                await Task.Yield();
            }

            return default;
        }

        public void EndWith(RpcException why) => Sink.EndWith(why);
    }
}
