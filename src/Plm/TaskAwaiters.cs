// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core;

namespace Muster.Plm;

/// <summary>
/// The calls that wait for tasks: a fixed pool of nodes, chained per slot. Full means refused. An awaiter leaves by
/// being resolved when its task ends, or by <see cref="Remove"/> when its call's deadline came first.
/// </summary>
internal sealed class TaskAwaiters(SlotIndex index, int capacity)
{
    private struct Node
    {
        public ITaskAwaiter? Awaiter;
        public uint Next;
    }

    private Node[] _nodes = new Node[Math.Min(capacity, 64)];
    private uint _free;
    private int _used;

    public int Count { get; private set; }

    /// <summary>Lets a call wait; false when the cell or the task has too many.</summary>
    public bool TryAdd(uint slot, ITaskAwaiter awaiter)
    {
        if (Count >= capacity || CountOf(slot) >= PlmLimits.AwaitersPerTaskMax)
        {
            return false;
        }

        var node = TakeNode();
        _nodes[node] = new Node { Awaiter = awaiter, Next = index[slot].Awaiter };
        index[slot].Awaiter = node + 1;
        Count++;
        return true;
    }

    /// <summary>Takes one awaiter back; false when it was resolved before.</summary>
    public bool Remove(uint slot, ITaskAwaiter awaiter)
    {
        ref var link = ref index[slot].Awaiter;
        while (link != 0)
        {
            var node = link - 1;
            if (ReferenceEquals(_nodes[node].Awaiter, awaiter))
            {
                link = _nodes[node].Next;
                FreeNode(node);
                return true;
            }

            link = ref _nodes[node].Next;
        }

        return false;
    }

    /// <summary>Takes out all that wait for the slot's task; null when nobody does.</summary>
    public List<ITaskAwaiter>? TakeAll(uint slot)
    {
        List<ITaskAwaiter>? taken = null;
        while (index[slot].Awaiter is var head and not 0)
        {
            taken ??= [];
            taken.Add(_nodes[head - 1].Awaiter!);
            index[slot].Awaiter = _nodes[head - 1].Next;
            FreeNode(head - 1);
        }

        return taken;
    }

    /// <summary>Lets calls wait that have waited before, however many there are.</summary>
    public void AddAll(uint slot, List<ITaskAwaiter> awaiters)
    {
        foreach (var awaiter in awaiters)
        {
            var node = TakeNode();
            _nodes[node] = new Node { Awaiter = awaiter, Next = index[slot].Awaiter };
            index[slot].Awaiter = node + 1;
            Count++;
        }
    }

    /// <summary>Tells every awaiter of the slot that the task has ended.</summary>
    public void ResolveAll(uint slot, PlmTime now)
    {
        while (index[slot].Awaiter is var head and not 0)
        {
            var awaiter = _nodes[head - 1].Awaiter;
            index[slot].Awaiter = _nodes[head - 1].Next;
            FreeNode(head - 1);
            awaiter!.Resolve(slot, now);
        }
    }

    private int CountOf(uint slot)
    {
        var count = 0;
        for (var at = index[slot].Awaiter; at != 0; at = _nodes[at - 1].Next)
        {
            count++;
        }

        return count;
    }

    private uint TakeNode()
    {
        if (_free != 0)
        {
            var node = _free - 1;
            _free = _nodes[node].Next;
            return node;
        }

        if (_used == _nodes.Length)
        {
            Array.Resize(ref _nodes, Math.Max(_nodes.Length + 1, _nodes.Length * 2));
        }

        Invariant.That(_used < _nodes.Length);
        return (uint)_used++;
    }

    private void FreeNode(uint node)
    {
        _nodes[node] = new Node { Next = _free };
        _free = node + 1;
        Count--;
    }
}
