// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Rings;
using Xunit;

namespace Muster.Unit.Arena.Rings;

/// <summary>
/// Two threads, millions of records: each record says its number twice, once complemented, so a record that is read
/// before it was written, while it is written, or twice, shows. The same run must catch a ring that is wrong.
/// </summary>
public sealed class SpscRingLitmusTests
{
    private const uint Capacity = 256;
    private const uint Records = 6_000_000;

    [Fact]
    public void Ring_TwoThreads_DeliversEveryRecordOnceAndInOrder()
    {
        using var memory = ArenaMemory.CreatePrivate(64 * 1024);
        var (producer, consumer) = (NewRing(memory), NewRing(memory));
        Assert.Null(FirstFault(Writer(producer), Reader(consumer)));
    }

    [Fact]
    public void Ring_TwoThreadsOnOneObject_DeliversEveryRecordOnceAndInOrder()
    {
        using var memory = ArenaMemory.CreatePrivate(64 * 1024);
        var ring = NewRing(memory);
        Assert.Null(FirstFault(Writer(ring), Reader(ring)));
    }

    [Theory]
    [InlineData(BrokenRing.Flaw.TailBeforeRecords)]
    [InlineData(BrokenRing.Flaw.HeadBeforeRecords)]
    public void BrokenTwin_SameRun_IsCaught(BrokenRing.Flaw flaw)
    {
        var ring = new BrokenRing((int)Capacity, flaw);
        Assert.NotNull(FirstFault(
            (items, count) => ring.TryWrite(items.AsSpan(0, count)),
            (items, count) => ring.Read(items.AsSpan(0, count))));
    }

    private static SpscRing<FinishedRecord> NewRing(ArenaMemory memory) => new(memory, 0, Capacity);

    private static Func<FinishedRecord[], int, int> Writer(SpscRing<FinishedRecord> ring) =>
        (items, count) => ring.TryWrite(items.AsSpan(0, count));

    private static Func<FinishedRecord[], int, int> Reader(SpscRing<FinishedRecord> ring) =>
        (items, count) => ring.Read(items.AsSpan(0, count));

    private static string? FirstFault(Func<FinishedRecord[], int, int> write, Func<FinishedRecord[], int, int> read)
    {
        var stop = false;
        var producer = new Thread(() => Produce(write, ref stop));
        producer.Start();
        var items = new FinishedRecord[64];
        var expected = 0u;
        string? fault = null;
        while (expected < Records && fault is null)
        {
            var count = read(items, 1 + (int)(expected * 7 % 64));
            for (var at = 0; at < count && fault is null; at++, expected++)
            {
                if (items[at] != Record(expected))
                {
                    fault = $"record {expected} was read as {items[at]}";
                }
            }

            YieldIf(count == 0);
        }

        Volatile.Write(ref stop, true);
        producer.Join();
        return fault;
    }

    private static void Produce(Func<FinishedRecord[], int, int> write, ref bool stop)
    {
        var items = new FinishedRecord[64];
        for (var next = 0u; next < Records && !Volatile.Read(ref stop);)
        {
            var count = (int)Math.Min(1 + (next * 5 % 64), Records - next);
            for (var at = 0; at < count; at++)
            {
                items[at] = Record(next + (uint)at);
            }

            var written = (uint)write(items, count);
            next += written;
            YieldIf(written == 0);
        }
    }

    private static FinishedRecord Record(uint number) => new(number, ~number, ((ulong)number << 32) | ~number);

    // On a machine with one free processor a spin would wait for the end of a time slice.
    private static void YieldIf(bool condition)
    {
        if (condition)
        {
            Thread.Yield();
        }
    }
}
