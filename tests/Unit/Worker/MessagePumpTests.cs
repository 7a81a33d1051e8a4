// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport.Wire;
using Muster.Worker.Links;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>The turn: nothing that was ready before a flush stays behind, and there is one writer at a time.</summary>
public sealed class MessagePumpTests
{
    private const int Threads = 4;
    private const int PerThread = 20_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Flush_FromManyThreads_SendsEverythingByOneWriterAtATime(bool slowWrites)
    {
        var pump = new CountingPump(slowWrites);
        var perThread = slowWrites ? PerThread / 40 : PerThread;
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Run(() =>
        {
            for (var number = 0; number < perThread; number++)
            {
                Interlocked.Increment(ref pump.Ready);
                pump.Flush();
            }
        })));
        var watch = Stopwatch.StartNew();
        while (Volatile.Read(ref pump.Sent) != Threads * perThread)
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"{pump.Sent} of {Threads * perThread} were sent");
            await Task.Yield();
        }

        Assert.Null(pump.Bug);
        Assert.Equal(0, pump.Overlaps);
    }

    [Fact]
    public void Flush_WhenGatheringThrows_StopsTheWorker()
    {
        var pump = new CountingPump(slowWrites: false) { ThrowsWhenGathering = true };
        pump.Flush();
        Assert.IsType<InvalidOperationException>(pump.Bug);
    }

    private sealed class CountingPump : MessagePump
    {
        public int Ready;
        public int Sent;
        public int Overlaps;
        private readonly CountingStream _stream;

        public CountingPump(bool slowWrites)
            : this(new Box()) => _stream = new CountingStream(this, slowWrites);

        private CountingPump(Box box)
            : base(exception => box.Value = exception)
        {
            BugBox = box;
            _stream = null!;
        }

        public Exception? Bug => BugBox.Value;

        public bool ThrowsWhenGathering { get; init; }

        private Box BugBox { get; }

        protected override bool TryNext(
            [NotNullWhen(true)] out IMessageStream? stream, [NotNullWhen(true)] out RawMessage? message)
        {
            if (ThrowsWhenGathering)
            {
                throw new InvalidOperationException("a bug");
            }

            stream = _stream;
            message = null;
            var ready = Interlocked.Exchange(ref Ready, 0);
            if (ready == 0)
            {
                return false;
            }

            message = RawMessage.Copy(BitConverter.GetBytes(ready));
            return true;
        }

        protected override void Broken(IMessageStream stream, LinkException exception) =>
            throw new InvalidOperationException("nothing breaks here");

        protected override void HandOver() => ThreadPool.UnsafeQueueUserWorkItem(
            static pump => pump.Flush(isOwner: true), this, preferLocal: false);
    }

    private sealed class Box
    {
        public Exception? Value;
    }

    private sealed class CountingStream(CountingPump pump, bool slow) : IMessageStream
    {
        private int _writing;

        public async ValueTask WriteAsync(RawMessage message)
        {
            using (message)
            {
                if (Interlocked.Exchange(ref _writing, 1) != 0)
                {
                    Interlocked.Increment(ref pump.Overlaps);
                }

                if (slow)
                {
                    await Task.Yield();
                }

                var count = BitConverter.ToInt32(message.Span);
                Volatile.Write(ref _writing, 0);
                Interlocked.Add(ref pump.Sent, count);
            }
        }

        public ValueTask<RawMessage?> ReadAsync() => throw new NotSupportedException();

        public ValueTask CompleteAsync() => throw new NotSupportedException();

        public void Abort() => throw new NotSupportedException();

        public ValueTask DisposeAsync() => throw new NotSupportedException();
    }
}
