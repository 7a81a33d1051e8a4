// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using FsCheck;
using FsCheck.Fluent;
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Arena.Rings;

public sealed class SpscRingTests : IDisposable
{
    private readonly ArenaMemory _memory = ArenaMemory.CreatePrivate(64 * 1024);

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void ReadAndWrite_AnyHistory_IsAQueueOfBoundedLength()
    {
        // Positive: write that many; negative: read that many; zero: a new process takes one of the sides.
        var histories = Gen.Choose(-12, 12).ArrayOf().ToArbitrary();
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300).WithEndSize(200), Prop.ForAll(histories, history =>
        {
            using var memory = ArenaMemory.CreatePrivate(4096);
            var expected = new Queue<FinishedRecord>();
            var (producer, consumer) = (NewRing(memory, 8), NewRing(memory, 8));
            var next = 0u;
            foreach (var move in history)
            {
                if (move == 0)
                {
                    (producer, consumer) = (consumer, NewRing(memory, 8));
                }
                else if (move > 0)
                {
                    next = Write(producer, next, move, expected);
                }
                else
                {
                    Read(consumer, -move, expected);
                }

                Assert.Equal(expected.Count, producer.Count);
                Assert.Equal(expected.Count, consumer.Count);
            }
        }));
    }

    private static uint Write(SpscRing<FinishedRecord> ring, uint next, int count, Queue<FinishedRecord> expected)
    {
        var items = new FinishedRecord[count];
        for (var at = 0; at < count; at++)
        {
            items[at] = new(1, next + (uint)at, ~(ulong)(next + at));
        }

        var written = ring.TryWrite(items);
        Assert.Equal(Math.Min(count, 8 - expected.Count), written);
        Array.ForEach(items[..written], expected.Enqueue);
        return next + (uint)written;
    }

    private static void Read(SpscRing<FinishedRecord> ring, int count, Queue<FinishedRecord> expected)
    {
        var items = new FinishedRecord[count];
        var read = ring.Read(items);
        Assert.Equal(Math.Min(count, expected.Count), read);
        Assert.All(items[..read], item => Assert.Equal(expected.Dequeue(), item));
    }

    [Fact]
    public void TryWrite_FullRing_TakesNothingAndChangesNothing()
    {
        var ring = NewRing(_memory, 4);
        Assert.Equal(4, ring.Capacity);
        Assert.Equal(4, ring.TryWrite(new FinishedRecord[6]));
        Assert.Equal(0, ring.TryWrite(new FinishedRecord[1]));
        Assert.Equal(4, ring.Count);
        Assert.Equal(0, ring.TryWrite([]));
        Assert.Equal(0, ring.Read([]));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 5)]
    [InlineData(100, 5)]
    [InlineData(-1, -7)]
    public void HeadAndTail_FurtherApartThanTheRing_AreABrokenInvariant(long head, long tail)
    {
        SetCounters(head, tail);
        var ring = NewRing(_memory, 4);
        Assert.Throws<InvariantException>(() => ring.TryWrite(new FinishedRecord[1]));
        Assert.Throws<InvariantException>(() => ring.Read(new FinishedRecord[1]));
        Assert.InRange(ring.Count, 0, 4);
    }

    [Fact]
    public void HeadAndTail_RunOverTheirType_GoOn()
    {
        SetCounters(-2, -2);
        var ring = NewRing(_memory, 4);
        for (var round = 0u; round < 5; round++)
        {
            Assert.Equal(1, ring.TryWrite([new FinishedRecord(1, round, round)]));
            var read = new FinishedRecord[4];
            Assert.Equal(1, ring.Read(read));
            Assert.Equal(new FinishedRecord(1, round, round), read[0]);
        }
    }

    [Fact]
    public void Read_ConsumerDiedBeforeItsHead_GivesTheRecordsAgain()
    {
        var producer = NewRing(_memory, 8);
        producer.TryWrite([new FinishedRecord(1, 1, 1), new FinishedRecord(1, 2, 2)]);
        var records = new FinishedRecord[1];
        Assert.Equal(1, NewRing(_memory, 8).Read(records));

        // The one that takes over finds the head that its predecessor published.
        var successor = NewRing(_memory, 8);
        Assert.Equal(1, successor.Count);
        Assert.Equal(1, successor.Read(records));
        Assert.Equal(2u, records[0].Index);
    }

    [Fact]
    public void Ring_OfAnotherSizeThanAPowerOfTwo_IsABrokenInvariant()
    {
        Assert.Throws<InvariantException>(() => NewRing(_memory, 6));
        Assert.Throws<InvariantException>(() => NewRing(_memory, 0));
        Assert.Throws<InvariantException>(() => NewRing(_memory, 1 << 20));
        Assert.Throws<InvariantException>(() => new SpscRing<long>(_memory, 0, 8));
    }

    [Fact]
    public void ReadAndWrite_InSteadyState_AllocateNothing()
    {
        var ring = NewRing(_memory, 1024);
        var items = new FinishedRecord[100];
        var before = 0L;
        for (var round = 0; round < 2_000; round++)
        {
            before = round == 1_000 ? GC.GetAllocatedBytesForCurrentThread() : before;
            ring.TryWrite(items);
            ring.Read(items);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    // Head and tail are the first words of two pairs of cache lines; a table of clients over them gives safe access.
    private void SetCounters(long head, long tail)
    {
        var words = new ClientTable(_memory, -ArenaLayout.ClientTableHeaderBytes, 2);
        words[0].ClientId = unchecked((ulong)head);
        words[1].ClientId = unchecked((ulong)tail);
    }

    private static SpscRing<FinishedRecord> NewRing(ArenaMemory memory, uint capacity) => new(memory, 0, capacity);
}
