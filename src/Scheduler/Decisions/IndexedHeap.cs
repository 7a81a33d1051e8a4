// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// A binary heap of numbers by key, smallest first, from which any number can be taken out: an array shared by all
/// heaps over the same numbers holds where each one lies (0: nowhere), so a number is in one of them at most.
/// Grows by doubling; single-threaded.
/// </summary>
internal sealed class IndexedHeap(int[] positions, int capacity = 4)
{
    private int[] _positions = positions;
    private ulong[] _keys = new ulong[capacity];
    private int[] _ids = new int[capacity];

    public int Count { get; private set; }

    public int TopId => _ids[0];

    public ulong TopKey => _keys[0];

    public void Push(int id, ulong key)
    {
        Invariant.That(_positions[id] == 0);
        if (Count == _ids.Length)
        {
            Array.Resize(ref _keys, Count * 2);
            Array.Resize(ref _ids, Count * 2);
        }

        Rise(Count++, id, key);
    }

    public void Update(int id, ulong key)
    {
        var at = _positions[id] - 1;
        Invariant.That(at >= 0 && at < Count && _ids[at] == id);
        if (key < _keys[at])
        {
            Rise(at, id, key);
        }
        else
        {
            Sink(at, id, key);
        }
    }

    public void Remove(int id)
    {
        var at = _positions[id] - 1;
        Invariant.That(at >= 0 && at < Count && _ids[at] == id);
        _positions[id] = 0;
        Count--;
        if (at == Count)
        {
            return;
        }

        var key = _keys[Count];
        if (at > 0 && key < _keys[(at - 1) / 2])
        {
            Rise(at, _ids[Count], key);
        }
        else
        {
            Sink(at, _ids[Count], key);
        }
    }

    /// <summary>The smallest keys in order, as many as there is room for; the heap stays as it is.</summary>
    public int CopySmallest(Span<ulong> keys, Span<int> scratch)
    {
        var frontier = 0;
        var copied = 0;
        if (Count > 0)
        {
            scratch[frontier++] = 0;
        }

        while (frontier > 0 && copied < keys.Length)
        {
            var best = 0;
            for (var i = 1; i < frontier; i++)
            {
                best = _keys[scratch[i]] < _keys[scratch[best]] ? i : best;
            }

            var at = scratch[best];
            scratch[best] = scratch[--frontier];
            keys[copied++] = _keys[at];
            for (var child = (at * 2) + 1; child <= (at * 2) + 2 && child < Count && frontier < scratch.Length; child++)
            {
                scratch[frontier++] = child;
            }
        }

        return copied;
    }

    public int IdAt(int at) => _ids[at];

    /// <summary>The shared array became longer; it holds the same places.</summary>
    public void MovePositions(int[] positions) => _positions = positions;

    public void CheckInvariants()
    {
        for (var at = 0; at < Count; at++)
        {
            Invariant.That(_positions[_ids[at]] == at + 1);
            Invariant.That(at == 0 || _keys[(at - 1) / 2] <= _keys[at]);
        }
    }

    private void Rise(int at, int id, ulong key)
    {
        while (at > 0)
        {
            var parent = (at - 1) / 2;
            if (_keys[parent] <= key)
            {
                break;
            }

            Put(at, _ids[parent], _keys[parent]);
            at = parent;
        }

        Put(at, id, key);
    }

    private void Sink(int at, int id, ulong key)
    {
        while (true)
        {
            var child = (at * 2) + 1;
            if (child >= Count)
            {
                break;
            }

            if (child + 1 < Count && _keys[child + 1] < _keys[child])
            {
                child++;
            }

            if (_keys[child] >= key)
            {
                break;
            }

            Put(at, _ids[child], _keys[child]);
            at = child;
        }

        Put(at, id, key);
    }

    private void Put(int at, int id, ulong key)
    {
        _ids[at] = id;
        _keys[at] = key;
        _positions[id] = at + 1;
    }
}
