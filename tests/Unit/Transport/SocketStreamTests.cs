// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport.Sockets;
using Xunit;

namespace Muster.Unit.Transport;

/// <summary>Bytes over a socket that a thread of ours waits for.</summary>
public class SocketStreamTests
{
    private const int ManyBytes = 4 << 20;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_BytesOneByOne_BringsAllInOrder(bool isTcp)
    {
        using var pair = new SocketPair(isTcp: isTcp);
        var sent = Numbers(2_000);
        var sender = Task.Run(() =>
        {
            foreach (var value in sent)
            {
                pair.Far.Send([value]);
            }
        });
        var read = new byte[sent.Length];
        await pair.Near.ReadExactlyAsync(read).AsTask().Soon();
        await sender.Soon();
        Assert.Equal(sent, read);
    }

    [Fact]
    public async Task Read_MoreThanItsBuffer_LeavesTheRestForTheNext()
    {
        using var pair = new SocketPair();
        pair.Far.Send([1, 2, 3, 4, 5]);
        var some = new byte[3];
        Assert.Equal(3, await pair.Near.ReadAsync(some).AsTask().Soon());
        Assert.Equal(2, await pair.Near.ReadAsync(some).AsTask().Soon());
        Assert.Equal([4, 5, 3], some);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_MoreThanTheKernelTakes_WaitsForThePeerAndLosesNothing(bool isTcp)
    {
        using var pair = new SocketPair(isTcp: isTcp);
        var bytes = Numbers(ManyBytes);
        var write = pair.Near.WriteAsync(bytes).AsTask();
        Assert.False(write.IsCompleted);
        var read = new byte[ManyBytes];
        await Task.Run(() => ReceiveAll(pair.Far, read)).Soon();
        await write.Soon();
        Assert.Equal(bytes, read);
    }

    [Fact]
    public async Task Write_ThatFits_IsOverAtOnceAndOnTheCallersThread()
    {
        using var pair = new SocketPair();
        var looks = pair.Thread.Looks;
        for (var n = 0; n < 100; n++)
        {
            var write = pair.Near.WriteAsync(new byte[10]);
            Assert.True(write.IsCompletedSuccessfully);
            await write;
        }

        var read = new byte[1_000];
        ReceiveAll(pair.Far, read);
        Assert.InRange(pair.Thread.Looks - looks, 0, 1);
    }

    [Fact]
    public async Task BothWays_MoreThanTheKernelTakes_NeitherStopsTheOther()
    {
        using var pair = new SocketPair();
        using var other = new SocketPair(pair.Thread);
        var there = Numbers(ManyBytes);
        var back = Numbers(ManyBytes + 1);
        var write = pair.Near.WriteAsync(there).AsTask();
        var otherWrite = other.Near.WriteAsync(back).AsTask();
        var farWrite = Task.Run(() => SendAll(pair.Far, back));
        var read = new byte[back.Length];
        await pair.Near.ReadExactlyAsync(read).AsTask().Soon();
        Assert.Equal(back, read);
        await farWrite.Soon();
        Assert.False(write.IsCompleted);
        Assert.False(otherWrite.IsCompleted);
        read = new byte[there.Length];
        await Task.Run(() => ReceiveAll(pair.Far, read)).Soon();
        Assert.Equal(there, read);
        await write.Soon();
        read = new byte[back.Length];
        await Task.Run(() => ReceiveAll(other.Far, read)).Soon();
        await otherWrite.Soon();
        Assert.Equal(back, read);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_PeerCloses_BringsWhatWasSentAndThenTheEnd(bool isTcp)
    {
        using var pair = new SocketPair(isTcp: isTcp);
        var buffer = new byte[8];
        var read = pair.Near.ReadAsync(buffer).AsTask();
        Assert.False(read.IsCompleted);
        pair.Far.Send([7]);
        Assert.Equal(1, await read.Soon());
        pair.Far.Dispose();
        Assert.Equal(0, await pair.Near.ReadAsync(buffer).AsTask().Soon());
        Assert.Equal(0, await pair.Near.ReadAsync(buffer).AsTask().Soon());
    }

    [Fact]
    public async Task Read_PeerResets_FailsAndSaysSo()
    {
        using var pair = new SocketPair(isTcp: true);
        var read = pair.Near.ReadAsync(new byte[8]).AsTask();
        pair.Far.LingerState = new LingerOption(true, 0);
        pair.Far.Dispose();
        var failure = await Assert.ThrowsAsync<IOException>(read.Soon);
        var reason = Assert.IsType<SocketException>(failure.InnerException);
        Assert.Equal(SocketError.ConnectionReset, reason.SocketErrorCode);
    }

    [Fact]
    public async Task Write_PeerClosesWhileItWaits_Fails()
    {
        using var pair = new SocketPair();
        var write = pair.Near.WriteAsync(new byte[ManyBytes]).AsTask();
        pair.Far.Dispose();
        await Assert.ThrowsAsync<IOException>(write.Soon);
        await Assert.ThrowsAsync<IOException>(() => pair.Near.WriteAsync(new byte[1]).AsTask().Soon());
    }

    [Fact]
    public async Task Read_Cancelled_EndsAndTheNextReadsOn()
    {
        using var pair = new SocketPair();
        using var cancel = new CancellationTokenSource();
        var read = pair.Near.ReadAsync(new byte[8], cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(read.Soon);
        var again = pair.Near.ReadAsync(new byte[8]).AsTask();
        pair.Far.Send([1, 2]);
        Assert.Equal(2, await again.Soon());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => pair.Near.ReadAsync(new byte[8], cancel.Token).AsTask().Soon());
    }

    [Fact]
    public async Task Write_Cancelled_EndsWhileThePeerReadsNothing()
    {
        using var pair = new SocketPair();
        using var cancel = new CancellationTokenSource();
        var write = pair.Near.WriteAsync(new byte[ManyBytes], cancel.Token).AsTask();
        Assert.False(write.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(write.Soon);
    }

    [Fact]
    public async Task Dispose_WhileBothWait_EndsBoth()
    {
        using var pair = new SocketPair();
        var read = pair.Near.ReadAsync(new byte[8]).AsTask();
        var write = pair.Near.WriteAsync(new byte[ManyBytes]).AsTask();
        pair.Near.Dispose();
        pair.Near.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(read.Soon);
        await Assert.ThrowsAsync<ObjectDisposedException>(write.Soon);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pair.Near.ReadAsync(new byte[1]).AsTask().Soon());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pair.Near.WriteAsync(new byte[1]).AsTask().Soon());
        Assert.Equal(0, pair.Thread.Count);
    }

    [Fact]
    public async Task Dispose_OnTheSocketThreadItself_EndsTheOthersWait()
    {
        using var pair = new SocketPair();
        using var other = new SocketPair(pair.Thread);
        var otherRead = other.Near.ReadAsync(new byte[8]).AsTask();
        var ended = ReadThenAsync(pair.Near, other.Near.Dispose);
        pair.Far.Send([1]);
        await ended.Soon();
        await Assert.ThrowsAsync<ObjectDisposedException>(otherRead.Soon);
    }

    [Fact]
    public async Task Thread_Disposed_EndsWhatWaitsThere()
    {
        using var thread = new SocketThread("test-net");
        using var pair = new SocketPair(thread);
        var read = pair.Near.ReadAsync(new byte[8]).AsTask();
        thread.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(read.Soon);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pair.Near.ReadAsync(new byte[1]).AsTask().Soon());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bytes_ThatNobodyReads_DoNotKeepTheThreadBusy(bool isClosed)
    {
        using var busy = new SocketPair();
        using var unread = new SocketPair(busy.Thread);

        // Watched once, and then left alone with something to read.
        unread.Far.Send([1]);
        Assert.Equal(1, await unread.Near.ReadAsync(new byte[1]).AsTask().Soon());
        unread.Far.Send([2]);
        if (isClosed)
        {
            unread.Far.Dispose();
        }

        await TradeAsync(busy, 10);
        var looks = busy.Thread.Looks;
        await TradeAsync(busy, 100);

        // Fewer: two came before one look.
        Assert.InRange(busy.Thread.Looks - looks, 1, 110);
        var late = new byte[2];
        Assert.Equal(1, await unread.Near.ReadAsync(late).AsTask().Soon());
        Assert.Equal(2, late[0]);
    }

    [Fact]
    public async Task Threads_HundredsOfStreams_AreFewAndServeAll()
    {
        using var threads = new SocketThreads("test-net");
        var pairs = Enumerable.Range(0, 300).Select(_ => new SocketPair(threads.Take())).ToList();
        try
        {
            var ran = new HashSet<int>();
            var reads = pairs.Select(pair => ReadThenAsync(pair.Near, () =>
            {
                lock (ran)
                {
                    ran.Add(Environment.CurrentManagedThreadId);
                }
            })).ToList();
            foreach (var pair in pairs)
            {
                pair.Far.Send([1]);
            }

            await Task.WhenAll(reads).Soon();
            var most = Math.Min(Environment.ProcessorCount, SocketThreads.ThreadsMax);
            Assert.Equal(most, ran.Count);
            Assert.Equal(most, pairs.Select(pair => pair.Thread).Distinct().Count());
        }
        finally
        {
            pairs.ForEach(pair => pair.Dispose());
        }
    }

    // Goes on where the bytes were received.
    private static async Task ReadThenAsync(SocketStream stream, Action then)
    {
        await stream.ReadAsync(new byte[1]).ConfigureAwait(false);
        then();
    }

    private static async Task TradeAsync(SocketPair pair, int rounds)
    {
        var buffer = new byte[1];
        for (var round = 0; round < rounds; round++)
        {
            var read = pair.Near.ReadAsync(buffer).AsTask();
            pair.Far.Send([(byte)round]);
            Assert.Equal(1, await read.Soon());
            Assert.Equal((byte)round, buffer[0]);
        }
    }

    private static byte[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(n => (byte)(n * 7))];

    private static void ReceiveAll(Socket socket, byte[] bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var count = socket.Receive(bytes.AsSpan(at));
            Assert.True(count > 0);
            at += count;
        }
    }

    private static void SendAll(Socket socket, byte[] bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            at += socket.Send(bytes.AsSpan(at));
        }
    }
}
