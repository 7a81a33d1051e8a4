// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Muster.Core;

namespace Muster.Client.Sessions;

/// <summary>
/// The tasks that were sent and have no result, by their refs. Refs are given out in order and most tasks end soon, so
/// they lie in a ring indexed by the ref, which costs no hashing; a task that is still open when a later one needs its
/// place moves to a dictionary. Guarded by the engine's lock. Bounded by what the server lets be outstanding.
/// </summary>
internal sealed class OpenTasks : IEnumerable<PendingTask>
{
    private const int RingMax = 1 << 20;

    private readonly Dictionary<ulong, PendingTask> _old = [];
    private PendingTask?[] _ring = new PendingTask?[64];
    private int _inRing;

    public int Count => _inRing + _old.Count;

    /// <summary>Adds a task under its ref, which is higher than every other's.</summary>
    public void Add(PendingTask task)
    {
        if (2 * _inRing >= _ring.Length && _ring.Length < RingMax)
        {
            Grow();
        }

        ref var place = ref PlaceOf(task.Ref);
        if (place is { } older)
        {
            Invariant.That(older.Ref < task.Ref);
            _old.Add(older.Ref, older);
            _inRing--;
        }

        place = task;
        _inRing++;
    }

    public bool TryGet(ulong itemRef, [MaybeNullWhen(false)] out PendingTask task)
    {
        task = PlaceOf(itemRef);
        return task?.Ref == itemRef || _old.TryGetValue(itemRef, out task);
    }

    /// <summary>Takes a task out; false when there is none with this ref.</summary>
    public bool Remove(ulong itemRef, [MaybeNullWhen(false)] out PendingTask task)
    {
        ref var place = ref PlaceOf(itemRef);
        task = place;
        if (task?.Ref != itemRef)
        {
            return _old.Remove(itemRef, out task);
        }

        place = null;
        _inRing--;
        return true;
    }

    public void Clear()
    {
        Array.Clear(_ring);
        _old.Clear();
        _inRing = 0;
    }

    /// <summary>In no order.</summary>
    public IEnumerator<PendingTask> GetEnumerator()
    {
        foreach (var task in _ring)
        {
            if (task is not null)
            {
                yield return task;
            }
        }

        foreach (var task in _old.Values)
        {
            yield return task;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private ref PendingTask? PlaceOf(ulong itemRef) => ref _ring[(int)(itemRef & (ulong)(_ring.Length - 1))];

    private void Grow()
    {
        var smaller = _ring;
        _ring = new PendingTask?[2 * smaller.Length];
        foreach (var task in smaller)
        {
            if (task is not null)
            {
                // What had places of their own in the smaller ring has so in the larger.
                PlaceOf(task.Ref) = task;
            }
        }
    }
}
