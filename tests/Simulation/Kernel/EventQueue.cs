// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Simulation.Kernel;

/// <summary>What is to happen, the earliest first: a binary heap by time and sequence.</summary>
internal sealed class EventQueue
{
    private SimEvent[] _heap = new SimEvent[256];
    private ulong _sequence;

    public int Count { get; private set; }

    public ref readonly SimEvent First => ref _heap[0];

    public void Add(long timeUs, SimProcess? owner, uint life, Action act)
    {
        if (Count == _heap.Length)
        {
            Array.Resize(ref _heap, Count * 2);
        }

        var item = new SimEvent(timeUs, ++_sequence, owner, life, act);
        var at = Count++;
        while (at > 0)
        {
            var parent = (at - 1) / 2;
            if (IsBefore(_heap[parent], item))
            {
                break;
            }

            _heap[at] = _heap[parent];
            at = parent;
        }

        _heap[at] = item;
    }

    public SimEvent Pop()
    {
        var first = _heap[0];
        var last = _heap[--Count];
        _heap[Count] = default;
        if (Count == 0)
        {
            return first;
        }

        var at = 0;
        while (true)
        {
            var child = (2 * at) + 1;
            if (child >= Count)
            {
                break;
            }

            if (child + 1 < Count && IsBefore(_heap[child + 1], _heap[child]))
            {
                child++;
            }

            if (IsBefore(last, _heap[child]))
            {
                break;
            }

            _heap[at] = _heap[child];
            at = child;
        }

        _heap[at] = last;
        return first;
    }

    private static bool IsBefore(in SimEvent left, in SimEvent right) =>
        left.TimeUs < right.TimeUs || (left.TimeUs == right.TimeUs && left.Sequence < right.Sequence);
}
