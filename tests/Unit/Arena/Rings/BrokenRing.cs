// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena.Rings;

namespace Muster.Unit.Arena.Rings;

/// <summary>
/// A twin of the ring in plain memory with one of its two orders turned round, to show that the litmus run sees such a
/// fault. It now and then lets the other thread run in the wrong moment, as a preempted process would.
/// </summary>
public sealed class BrokenRing
{
    private readonly FinishedRecord[] _records;
    private readonly Flaw _flaw;
    private ulong _head;
    private ulong _tail;

    public BrokenRing(int capacity, Flaw flaw)
    {
        _records = new FinishedRecord[capacity];
        _flaw = flaw;
    }

    /// <summary>What is wrong.</summary>
    public enum Flaw
    {
        /// <summary>The producer publishes its tail, then writes the records.</summary>
        TailBeforeRecords,

        /// <summary>The consumer publishes its head, then copies the records.</summary>
        HeadBeforeRecords,
    }

    internal int TryWrite(ReadOnlySpan<FinishedRecord> items)
    {
        var tail = _tail;
        var count = Math.Min(_records.Length - (int)(tail - Volatile.Read(ref _head)), items.Length);
        if (_flaw == Flaw.TailBeforeRecords)
        {
            Volatile.Write(ref _tail, tail + (ulong)count);
            LetTheOtherRun(tail);
        }

        for (var at = 0; at < count; at++)
        {
            _records[(int)((tail + (ulong)at) % (ulong)_records.Length)] = items[at];
        }

        Volatile.Write(ref _tail, tail + (ulong)count);
        return count;
    }

    internal int Read(Span<FinishedRecord> items)
    {
        var head = _head;
        var count = (int)Math.Min(Volatile.Read(ref _tail) - head, (ulong)items.Length);
        if (_flaw == Flaw.HeadBeforeRecords)
        {
            Volatile.Write(ref _head, head + (ulong)count);
            LetTheOtherRun(head);
        }

        for (var at = 0; at < count; at++)
        {
            items[at] = _records[(int)((head + (ulong)at) % (ulong)_records.Length)];
        }

        Volatile.Write(ref _head, head + (ulong)count);
        return count;
    }

    private static void LetTheOtherRun(ulong at)
    {
        if (at % 16 == 0)
        {
            Thread.Yield();
        }
    }
}
