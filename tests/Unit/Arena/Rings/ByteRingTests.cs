// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Links;
using Xunit;

namespace Muster.Unit.Arena.Rings;

public sealed class ByteRingTests : IDisposable
{
    private const int Capacity = 4096;
    private const int BytesOffset = 4096;

    private readonly ArenaMemory _memory = ArenaMemory.CreatePrivate(BytesOffset + (2 * Capacity));
    private readonly ByteRing _producer;
    private readonly ByteRing _consumer;

    public ByteRingTests()
    {
        _producer = new ByteRing(_memory, 0, BytesOffset, Capacity);
        _consumer = new ByteRing(_memory, 0, BytesOffset, Capacity);
    }

    public void Dispose() => _memory.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void WritesAndReads_OfAnySizes_AreThoseOfAQueue(int seed)
    {
        var random = new Random(seed);
        var model = new Queue<byte>();
        byte next = 0;
        for (var step = 0; step < 20_000; step++)
        {
            if (random.Next(2) == 0)
            {
                var bytes = new byte[random.Next(Capacity + 100)];
                foreach (ref var place in bytes.AsSpan())
                {
                    place = next++;
                }

                var written = _producer.Write(bytes);
                Assert.Equal(Math.Min(bytes.Length, Capacity - model.Count), written);
                next = (byte)(next - (bytes.Length - written));
                foreach (var item in bytes.AsSpan(0, written))
                {
                    model.Enqueue(item);
                }

                _producer.Publish();
                continue;
            }

            Assert.Equal(model.Count, _consumer.Available());
            var read = new byte[random.Next(model.Count + 1)];
            _consumer.Read(read);
            _consumer.Release();
            Assert.True(read.All(item => item == model.Dequeue()));
        }

        Assert.False(_producer.IsBroken || _consumer.IsBroken);
    }

    [Fact]
    public void Written_ButNotPublished_IsNotSeen()
    {
        _producer.Write([1, 2, 3]);
        Assert.Equal(0, _consumer.Available());
        _producer.Publish();
        Assert.Equal(3, _consumer.Available());
    }

    [Fact]
    public void Release_TellsOnce_WhenHalfIsFreeForAProducerThatAsked()
    {
        Assert.Equal(Capacity, _producer.Write(new byte[Capacity + 1]));
        _producer.Publish();
        _producer.AskForRoom();
        Assert.Equal(Capacity, _consumer.Available());
        _consumer.Read(new byte[(Capacity / 2) - 1]);
        Assert.False(_consumer.Release());
        _consumer.Read(new byte[1]);
        Assert.True(_consumer.Release());
        Assert.False(_consumer.Release());
        Assert.Equal(Capacity / 2, _producer.Write(new byte[Capacity]));
    }

    [Fact]
    public void Release_WhenNobodyAsked_TellsNobody()
    {
        _producer.Write(new byte[8]);
        _producer.Publish();
        _consumer.Available();
        _consumer.Read(new byte[8]);
        Assert.False(_consumer.Release());
    }

    [Fact]
    public void Available_WithATailThatCannotBe_IsBroken()
    {
        var liar = new ByteRing(_memory, 0, BytesOffset, 2 * Capacity);
        Assert.Equal(Capacity + 1, liar.Write(new byte[Capacity + 1]));
        liar.Publish();
        Assert.Equal(0, _consumer.Available());
        Assert.True(_consumer.IsBroken);
    }

    [Fact]
    public void Write_WithAHeadThatCannotBe_IsBroken()
    {
        Assert.Equal(Capacity, _producer.Write(new byte[Capacity]));
        _producer.Publish();
        var liar = new ByteRing(_memory, 0, BytesOffset, 2 * Capacity);
        liar.Write(new byte[2 * Capacity]);
        liar.Publish();
        var other = new ByteRing(_memory, 0, BytesOffset, 2 * Capacity);
        other.Read(new byte[other.Available()]);
        other.Release();
        Assert.Equal(0, _producer.Write([1]));
        Assert.True(_producer.IsBroken);
    }

    [Fact]
    public void Write_AfterAHeadThatCannotBe_WritesNothingMore()
    {
        using var memory = ArenaMemory.CreatePrivate(BytesOffset + (8 * Capacity));
        var producer = new ByteRing(memory, 0, BytesOffset, Capacity);

        // A head that is ahead of the tail by five rings: taken for room, the difference is six.
        var liar = new ByteRing(memory, 0, BytesOffset, Capacity);
        for (var ring = 0; ring < 5; ring++)
        {
            liar.Write(new byte[Capacity]);
            liar.Publish();
            var other = new ByteRing(memory, 0, BytesOffset, 8 * Capacity);
            other.Read(new byte[other.Available()]);
            other.Release();
        }

        Assert.Equal(0, producer.Write(new byte[7 * Capacity]));
        Assert.True(producer.IsBroken);
        Assert.Equal(0, producer.Write(new byte[6 * Capacity]));
    }

    [Fact]
    public void Available_AfterATailThatCannotBe_StaysBroken()
    {
        var liar = new ByteRing(_memory, 0, BytesOffset, 2 * Capacity);
        liar.Write(new byte[Capacity + 1]);
        liar.Publish();
        Assert.Equal(0, _consumer.Available());
        _producer.Write([1, 2, 3]);
        _producer.Publish();
        Assert.Equal(0, _consumer.Available());
    }

    [Fact]
    public void TwoThreads_PassEverythingInOrder()
    {
        const int Total = 8 << 20;
        var producer = new Thread(() =>
        {
            var random = new Random(1);
            var sent = 0;
            var bytes = new byte[1500];
            while (sent < Total)
            {
                var count = Math.Min(random.Next(1, bytes.Length), Total - sent);
                for (var i = 0; i < count; i++)
                {
                    bytes[i] = Expected(sent + i);
                }

                for (var at = 0; at < count;)
                {
                    at += _producer.Write(bytes.AsSpan(at, count - at));
                    _producer.Publish();
                    Thread.Yield();
                }

                sent += count;
            }
        });
        producer.Start();
        var buffer = new byte[Capacity];
        var wrong = 0;
        for (var received = 0; received < Total;)
        {
            var count = _consumer.Available();
            _consumer.Read(buffer.AsSpan(0, count));
            _consumer.Release();
            for (var i = 0; i < count; i++)
            {
                wrong += buffer[i] == Expected(received + i) ? 0 : 1;
            }

            received += count;
            Thread.Yield();
        }

        producer.Join();
        Assert.Equal(0, wrong);
    }

    private static byte Expected(int position) => (byte)((position * 31) ^ (position >> 8));
}
