// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Link;
using Muster.Transport.Wire;
using Xunit;

namespace Muster.Unit.Link;

public class LinkEndTests
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);
    private static readonly int[] s_lengths = [0, 1, 5, 100, 70_000, 262_144, 1_000_000, TaskLimits.MessageBytesMax];

    [Fact]
    public async Task Messages_OfEverySize_ArriveWholeAndInOrder()
    {
        using var pair = new LinkPair();
        var writing = Task.Run(async () =>
        {
            foreach (var length in s_lengths)
            {
                Assert.True(await pair.Client.WriteAsync(Message(length)));
            }
        });
        foreach (var length in s_lengths)
        {
            Assert.Equal(LinkRead.Message, await ReadAsync(pair.Server));
            using var message = pair.Server.TakeFound()!;
            using var expected = Message(length);
            Assert.True(message.Span.SequenceEqual(expected.Span), $"of {length} bytes");
        }

        await writing.WaitAsync(s_timeout);
    }

    [Fact]
    public async Task ManyMessages_BothWaysAtOnce_ArriveInOrder()
    {
        const int Count = 20_000;
        using var pair = new LinkPair();
        await Task.WhenAll(
            SendAsync(pair.Client, Count), SendAsync(pair.Server, Count),
            ReceiveAsync(pair.Client, Count), ReceiveAsync(pair.Server, Count)).WaitAsync(s_timeout);
    }

    [Fact]
    public async Task Read_ThatWaits_EndsWithTheTrailersOfTheOtherSide()
    {
        using var pair = new LinkPair();
        var read = ReadAsync(pair.Client);
        var trailers = new Metadata { { "some-key", "a value" }, { "some-key-bin", new byte[] { 0, 255, 7 } } };
        var status = new Status(StatusCode.ResourceExhausted, "too much: 100 % füll\r\n");
        Assert.True(await pair.Server.WriteAsync(LinkTrailers.Encode(status, trailers)));
        Assert.Equal(LinkRead.End, await read);
        using var found = pair.Client.TakeFound()!;
        var decoded = LinkTrailers.Decode(found.Span, out var metadata);
        Assert.Equal(status.StatusCode, decoded.StatusCode);
        Assert.Equal(status.Detail, decoded.Detail);
        Assert.Equal("a value", metadata.GetValue("some-key"));
        Assert.Equal([0, 255, 7], metadata.GetValueBytes("some-key-bin"));
    }

    [Theory]
    [InlineData("a b:1\r\ngrpc-status:8\r\n")]
    [InlineData("SOME-BIN:AAAA\r\ngrpc-status:8\r\n")]
    [InlineData("some-bin:*\r\n\u00ff:x\r\ngrpc-status:8\r\n")]
    public void Trailers_WithFieldsThatCannotBe_StillHoldTheStatus(string text)
    {
        var status = LinkTrailers.Decode(System.Text.Encoding.Latin1.GetBytes(text), out _);
        Assert.Equal(StatusCode.ResourceExhausted, status.StatusCode);
    }

    [Fact]
    public async Task Message_ThatNeverBecomesWhole_EndsTheLink()
    {
        using var pair = new LinkPair(new LinkPatience(LookMs: 20, SilentLooksMax: int.MaxValue, PartialLooksMax: 5));
        var prefix = new byte[LinkEnd.PrefixBytes + 1];
        LinkEnd.WritePrefix(prefix, 0, length: 100);
        pair.ClientPages.Outgoing.Write(prefix);
        pair.ClientPages.Outgoing.Publish();
        pair.ClientPages.Peer.Signal();
        var read = ReadAsync(pair.Server);
        for (var drip = 0; drip < 50 && !read.IsCompleted; drip++)
        {
            pair.ClientPages.Outgoing.Write([1]);
            pair.ClientPages.Outgoing.Publish();
            pair.ClientPages.Peer.Signal();
            await Task.WhenAny(read, Task.Delay(20));
        }

        Assert.Equal(LinkRead.Gone, await read);
    }

    [Fact]
    public async Task Peer_ThatGivesNoSignOfLife_EndsTheLink()
    {
        using var pair = new LinkPair(new LinkPatience(LookMs: 10, SilentLooksMax: 5, PartialLooksMax: 5));

        // Its pages are mapped and its socket is open, but nobody runs there.
        Assert.Equal(LinkRead.Gone, await ReadAsync(pair.Server));
    }

    [Fact]
    public async Task Peer_ThatLivesAndSaysNothing_KeepsTheLink()
    {
        using var pair = new LinkPair(new LinkPatience(LookMs: 10, SilentLooksMax: 50, PartialLooksMax: 50));
        var read = ReadAsync(pair.Server);
        Assert.NotNull(pair.Client);
        await Task.WhenAny(read, Task.Delay(TimeSpan.FromSeconds(2)));
        Assert.True(await pair.Client.WriteAsync(Message(3)));
        Assert.Equal(LinkRead.Message, await read);
        pair.Server.TakeFound()!.Dispose();
    }

    [Fact]
    public async Task PeerGone_WhatItWroteIsStillRead_ThenTheEnd()
    {
        using var pair = new LinkPair();
        Assert.True(await pair.Client.WriteAsync(Message(10)));
        pair.Client.Dispose();
        Assert.Equal(LinkRead.Message, await ReadAsync(pair.Server));
        pair.Server.TakeFound()!.Dispose();
        Assert.Equal(LinkRead.Gone, await ReadAsync(pair.Server));
        Assert.False(await pair.Server.WriteAsync(Message(10)));
    }

    [Fact]
    public async Task PeerGone_InTheMiddleOfAMessage_IsTheEnd()
    {
        using var pair = new LinkPair();
        pair.ClientPages.Outgoing.Write([0, 0, 0, 0, 9, 1, 2, 3]);
        pair.ClientPages.Outgoing.Publish();
        pair.ClientSocket.Dispose();
        Assert.Equal(LinkRead.Gone, await ReadAsync(pair.Server));
    }

    [Fact]
    public async Task WriteThatWaitsForRoom_PeerGone_Fails()
    {
        using var pair = new LinkPair();
        var write = pair.Server.WriteAsync(new byte[1_000_000]).AsTask();
        Assert.False(write.IsCompleted);
        pair.Client.Dispose();
        Assert.False(await write.WaitAsync(s_timeout));
    }

    [Fact]
    public async Task Dispose_WhileReadAndWriteWait_EndsBoth()
    {
        using var pair = new LinkPair();
        var read = ReadAsync(pair.Server);
        var write = pair.Server.WriteAsync(new byte[1_000_000]).AsTask();
        pair.Server.Dispose();
        Assert.Equal(LinkRead.Gone, await read);
        Assert.False(await write.WaitAsync(s_timeout));
        Assert.Equal(LinkRead.Gone, pair.Server.TryRead());
    }

    [Fact]
    public async Task Interrupt_EndsTheRead_AndWritingGoesOn()
    {
        using var pair = new LinkPair();
        var read = ReadAsync(pair.Server);
        pair.Server.Interrupt();
        Assert.Equal(LinkRead.Interrupted, await read);
        Assert.True(await pair.Server.WriteAsync(LinkTrailers.Encode(Status.DefaultCancelled, null)));
        Assert.Equal(LinkRead.End, await ReadAsync(pair.Client));
    }

    [Theory]
    [InlineData(new byte[] { 1, 0, 0, 0, 1, 7 })]
    [InlineData(new byte[] { 0, 255, 255, 255, 255 })]
    [InlineData(new byte[] { 0x80, 0x40, 0, 0, 0 })]
    public async Task PrefixThatCannotBe_IsTheEnd(byte[] bytes)
    {
        using var pair = new LinkPair();
        var read = ReadAsync(pair.Server);
        pair.ClientPages.Outgoing.Write(bytes);
        pair.ClientPages.Outgoing.Publish();
        pair.ClientPages.Peer.Signal();
        Assert.Equal(LinkRead.Gone, await read);
    }

    [Fact]
    public async Task WakeWord_ThatThePeerTakesBack_DelaysTheEndAndNoMore()
    {
        using var pair = new LinkPair();
        var read = ReadAsync(pair.Server);

        // To wait on the other side's word says that it is awake, while it sleeps: no signal wakes it any more.
        using var end = new CancellationTokenSource();
        var liar = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                pair.ClientPages.Peer.Wait(0);
            }
        });
        pair.ClientSocket.Dispose();
        var found = await Record.ExceptionAsync(() => read);
        await end.CancelAsync();
        await liar;
        Assert.Null(found);
        Assert.Equal(LinkRead.Gone, await read);
    }

    private static async Task<LinkRead> ReadAsync(LinkEnd end) => await end.ReadAsync().AsTask().WaitAsync(s_timeout);

    private static async Task SendAsync(LinkEnd end, int count)
    {
        await Task.Yield();
        for (var n = 0; n < count; n++)
        {
            Assert.True(await end.WriteAsync(Message(n % 700)));
        }
    }

    private static async Task ReceiveAsync(LinkEnd end, int count)
    {
        await Task.Yield();
        for (var n = 0; n < count; n++)
        {
            Assert.Equal(LinkRead.Message, await end.ReadAsync());
            using var message = end.TakeFound()!;
            using var expected = Message(n % 700);
            Assert.True(message.Span.SequenceEqual(expected.Span), $"message {n}");
        }
    }

    private static RawMessage Message(int length)
    {
        var message = RawMessage.Rent(length);
        for (var i = 0; i < length; i++)
        {
            message.Place[i] = (byte)((i * 31) + length);
        }

        return message;
    }
}
