// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Plm;

/// <summary>
/// One timer a slot at most: the end of a retry's back-off, of the time to start, or of the retention, whichever the
/// task's state makes it. A 4-ary heap in monotonic milliseconds; each slot knows its place, so a timer that is not
/// needed any more is taken out instead of left behind. As large as the number of slots at most.
/// </summary>
internal sealed class TaskTimers(SlotIndex index)
{
    private const int Arity = 4;

    private readonly record struct Entry(long DueMs, uint Slot);

    private Entry[] _heap = new Entry[1_024];

    public int Count { get; private set; }

    /// <summary>When the first timer is due; <see cref="long.MaxValue"/> without one.</summary>
    public long NextDueMs => Count == 0 ? long.MaxValue : _heap[0].DueMs;

    /// <summary>Sets or moves the slot's timer.</summary>
    public void Set(uint slot, long dueMs)
    {
        var place = (int)index[slot].Timer - 1;
        if (place < 0)
        {
            if (Count == _heap.Length)
            {
                Array.Resize(ref _heap, _heap.Length * 2);
            }

            place = Count++;
        }

        Settle(place, new Entry(dueMs, slot));
    }

    /// <summary>Takes the slot's timer out, if it has one.</summary>
    public void Remove(uint slot)
    {
        var place = (int)index[slot].Timer - 1;
        if (place >= 0)
        {
            RemoveAt(place);
        }
    }

    /// <summary>Takes the first timer that is due out.</summary>
    public bool TryPopDue(long nowMs, out uint slot)
    {
        if (Count == 0 || _heap[0].DueMs > nowMs)
        {
            slot = 0;
            return false;
        }

        slot = _heap[0].Slot;
        RemoveAt(0);
        return true;
    }

    /// <summary>When the slot's timer is due; 0 without one.</summary>
    public long DueMsOf(uint slot)
    {
        var place = (int)index[slot].Timer - 1;
        return place < 0 ? 0 : _heap[place].DueMs;
    }

    public void CheckInvariants()
    {
        for (var place = 0; place < Count; place++)
        {
            Invariant.That(index[_heap[place].Slot].Timer == place + 1);
            Invariant.That(place == 0 || _heap[(place - 1) / Arity].DueMs <= _heap[place].DueMs);
        }
    }

    private void RemoveAt(int place)
    {
        index[_heap[place].Slot].Timer = 0;
        var last = _heap[--Count];
        if (place < Count)
        {
            Settle(place, last);
        }
    }

    // Moves a hole at the place up or down to where the entry belongs, and puts it there.
    private void Settle(int place, Entry entry)
    {
        while (place > 0 && _heap[(place - 1) / Arity].DueMs > entry.DueMs)
        {
            Put(place, _heap[(place - 1) / Arity]);
            place = (place - 1) / Arity;
        }

        while (true)
        {
            var first = (place * Arity) + 1;
            var end = Math.Min(first + Arity, Count);
            var least = -1;
            for (var child = first; child < end; child++)
            {
                if (_heap[child].DueMs < entry.DueMs && (least < 0 || _heap[child].DueMs < _heap[least].DueMs))
                {
                    least = child;
                }
            }

            if (least < 0)
            {
                break;
            }

            Put(place, _heap[least]);
            place = least;
        }

        Put(place, entry);
    }

    private void Put(int place, Entry entry)
    {
        _heap[place] = entry;
        index[entry.Slot].Timer = (uint)place + 1;
    }
}
