// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;
using System.Threading;
using Muster.Core;

namespace Muster.Arena.Rings;

/// <summary>
/// Single-producer single-consumer ring of 16-byte records in the arena. Producer and consumer may be in different
/// processes, each may die at any instruction and be replaced: a record counts once its tail is published, and a
/// consumer that dies before it published its head leaves its last records to be read again. When the ring is full,
/// <see cref="TryWrite"/> says so and never waits; the rings of a cell hold every task and worker at once, so a full
/// one is the sign of a consumer that is gone. A zeroed area is an empty ring.
/// <para>Head and tail count records since the arena was made and never go back. Memory order:</para>
/// <list type="bullet">
/// <item>Tail: written by the producer alone, with release, after the records below it; the consumer loads it with
/// acquire before it reads them. So a consumer never sees a tail without its records.</item>
/// <item>Head: written by the consumer alone, with release, after it has copied the records below it; the producer
/// loads it with acquire before it writes over them. So a producer never overwrites a record that is being
/// copied.</item>
/// <item>Records: plain copies, kept in order by the two pairs above.</item>
/// <item>Sleeping and waking is the wake word's business; the ring needs no store-load fence of its own.</item>
/// </list>
/// Nothing in the arena is trusted as a bound: indices are masked, and a head and tail further apart than the ring is
/// long are a broken invariant.
/// </summary>
/// <typeparam name="T">An unmanaged 16-byte struct.</typeparam>
internal sealed unsafe class SpscRing<T>
    where T : unmanaged
{
    private const long HeadOffset = 0;
    private const long TailOffset = ArenaLayout.LineBytes;

    // Never read: it keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly ulong* _head;
    private readonly ulong* _tail;
    private readonly T* _records;
    private readonly ulong _mask;

    // The other side's counter as last seen: most calls then touch no cache line that the other side writes.
    private SeenCounter _headSeen;
    private SeenCounter _tailSeen;

    internal SpscRing(ArenaMemory memory, long offset, uint capacity)
    {
        Invariant.That(BitOperations.IsPow2(capacity));
        Invariant.That(sizeof(T) == ArenaLayout.RingRecordBytes);
        _memory = memory;
        _head = (ulong*)memory.At(offset + HeadOffset, sizeof(ulong));
        _tail = (ulong*)memory.At(offset + TailOffset, sizeof(ulong));
        _records = (T*)memory.At(offset + ArenaLayout.RingHeaderBytes, (long)capacity * sizeof(T));
        _mask = capacity - 1;
        _headSeen.Value = Volatile.Read(ref *_head);
        _tailSeen.Value = Volatile.Read(ref *_tail);
        Capacity = checked((int)capacity);
    }

    public int Capacity { get; }

    /// <summary>Records written and not yet read: exact for the two sides, a snapshot for anybody else.</summary>
    public int Count
    {
        get
        {
            // Head first: it can only grow meanwhile, which makes the difference too large, never negative.
            var head = Volatile.Read(ref *_head);
            var tail = Volatile.Read(ref *_tail);
            return (int)Math.Min(tail - head, (ulong)Capacity);
        }
    }

    /// <summary>Records ever read.</summary>
    public ulong ReadTotal => Volatile.Read(ref *_head);

    /// <summary>Records ever written.</summary>
    public ulong WrittenTotal => Volatile.Read(ref *_tail);

    /// <summary>Producer: appends as many as fit and returns how many.</summary>
    public int TryWrite(ReadOnlySpan<T> items)
    {
        var tail = *_tail;
        var used = tail - _headSeen.Value;
        if (used > (ulong)Capacity || (ulong)Capacity - used < (ulong)items.Length)
        {
            _headSeen.Value = Volatile.Read(ref *_head);
            used = tail - _headSeen.Value;
            Invariant.That(used <= (ulong)Capacity);
        }

        var count = (int)Math.Min((ulong)Capacity - used, (ulong)items.Length);
        var at = (int)(tail & _mask);
        var first = Math.Min(count, Capacity - at);
        items[..first].CopyTo(new Span<T>(_records + at, first));
        items[first..count].CopyTo(new Span<T>(_records, count - first));
        Seam.Pass();
        Volatile.Write(ref *_tail, tail + (ulong)count);
        Seam.Pass();
        return count;
    }

    /// <summary>Consumer: takes up to items.Length and returns how many.</summary>
    public int Read(Span<T> items)
    {
        var head = *_head;
        var ready = _tailSeen.Value - head;
        if (ready > (ulong)Capacity || ready < (ulong)items.Length)
        {
            _tailSeen.Value = Volatile.Read(ref *_tail);
            ready = _tailSeen.Value - head;
            Invariant.That(ready <= (ulong)Capacity);
        }

        var count = (int)Math.Min(ready, (ulong)items.Length);
        var at = (int)(head & _mask);
        var first = Math.Min(count, Capacity - at);
        new ReadOnlySpan<T>(_records + at, first).CopyTo(items);
        new ReadOnlySpan<T>(_records, count - first).CopyTo(items[first..]);
        if (count > 0)
        {
            Seam.Pass();
            Volatile.Write(ref *_head, head + (ulong)count);
        }

        return count;
    }
}
