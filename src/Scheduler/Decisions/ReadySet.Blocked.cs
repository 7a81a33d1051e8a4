// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Scheduler.Decisions;

/// <summary>Classes that did not fit, levels that follow models, and tasks that are overdue.</summary>
internal sealed partial class ReadySet
{
    private int[] _blockedOf = [];
    private int[] _blockedShapes = new int[64];
    private int _blockedShapeCount;
    private int[] _handlerClasses = [];

    /// <summary>Shapes that classes are blocked for.</summary>
    public ReadOnlySpan<int> BlockedShapes => _blockedShapes.AsSpan(0, _blockedShapeCount);

    /// <summary>Room for shapes and handlers up to these numbers.</summary>
    public void ReserveNumbers(int shapes, int handlers)
    {
        if (shapes > _blockedOf.Length)
        {
            var before = _blockedOf.Length;
            Array.Resize(ref _blockedOf, Math.Max(shapes, before * 2));
            Array.Fill(_blockedOf, -1, before, _blockedOf.Length - before);
            Array.Resize(ref _blockedShapes, Math.Max(_blockedShapes.Length, _blockedOf.Length));
        }

        if (handlers > _handlerClasses.Length)
        {
            var before = _handlerClasses.Length;
            Array.Resize(ref _handlerClasses, Math.Max(handlers, before * 2));
            Array.Fill(_handlerClasses, -1, before, _handlerClasses.Length - before);
        }
    }

    /// <summary>The class is not tried again until its shape is unblocked.</summary>
    public void Block(int number)
    {
        Drop(number);
        ref var ready = ref _classes[number];
        ready.IsBlocked = true;
        ready.Shape = ready.Ordered is null ? ready.Shape : _shapeOf(ready.Ordered.TopId);
        var first = _blockedOf[ready.Shape];
        if (first < 0)
        {
            _blockedShapes[_blockedShapeCount++] = ready.Shape;
        }
        else
        {
            _classes[first].BlockedBefore = number;
        }

        ready.BlockedNext = first;
        ready.BlockedBefore = -1;
        _blockedOf[ready.Shape] = number;
    }

    /// <summary>The classes of the shape are tried again.</summary>
    public void Unblock(int shape)
    {
        while (_blockedOf[shape] >= 0)
        {
            var number = _blockedOf[shape];
            UnlinkBlocked(number);
            _classes[number].IsBlocked = false;
            Lift(number);
        }
    }

    public void UnblockAll()
    {
        while (_blockedShapeCount > 0)
        {
            Unblock(_blockedShapes[_blockedShapeCount - 1]);
        }
    }

    private void UnlinkBlocked(int number)
    {
        ref var ready = ref _classes[number];
        if (ready.BlockedBefore >= 0)
        {
            _classes[ready.BlockedBefore].BlockedNext = ready.BlockedNext;
        }
        else
        {
            _blockedOf[ready.Shape] = ready.BlockedNext;
        }

        if (ready.BlockedNext >= 0)
        {
            _classes[ready.BlockedNext].BlockedBefore = ready.BlockedBefore;
        }

        if (_blockedOf[ready.Shape] < 0)
        {
            var at = Array.IndexOf(_blockedShapes, ready.Shape, 0, _blockedShapeCount);
            _blockedShapes[at] = _blockedShapes[--_blockedShapeCount];
        }
    }

    /// <summary>The first waiting task of each class that follows the handler's model, to be levelled anew.</summary>
    public int FirstOfHandler(int handler) => handler < _handlerClasses.Length ? _handlerClasses[handler] : -1;

    public void Relevel(int number, int level, long patienceUs, long nowUs)
    {
        _classes[number].Level = Math.Clamp(level, 1, TaskOrder.LevelMax);
        _classes[number].PatienceUs = patienceUs;
        Rekey(number, nowUs);
    }

    /// <summary>Moves classes whose first task waited too long before all others; looks when one may have.</summary>
    public void Age(long nowUs)
    {
        if (nowUs < _nextOverdueUs)
        {
            return;
        }

        _nextOverdueUs = long.MaxValue;
        for (var number = 0; number < _classEnd; number++)
        {
            if (_classes[number].IsLive && _classes[number].Ordered is null)
            {
                Rekey(number, nowUs);
            }
        }
    }

    private void LinkHandler(int number, int handler)
    {
        ref var ready = ref _classes[number];
        ready.HandlerNext = _handlerClasses[handler];
        ready.HandlerBefore = -1;
        if (ready.HandlerNext >= 0)
        {
            _classes[ready.HandlerNext].HandlerBefore = number;
        }

        _handlerClasses[handler] = number;
    }

    private void UnlinkHandler(int number)
    {
        ref var ready = ref _classes[number];
        if (ready.HandlerBefore >= 0)
        {
            _classes[ready.HandlerBefore].HandlerNext = ready.HandlerNext;
        }
        else
        {
            _handlerClasses[ready.Id.Handler] = ready.HandlerNext;
        }

        if (ready.HandlerNext >= 0)
        {
            _classes[ready.HandlerNext].HandlerBefore = ready.HandlerBefore;
        }
    }

    private void ReserveOrdered()
    {
        var positions = new int[_tasks.Length];
        _taskPositions.CopyTo(positions, 0);
        _taskPositions = positions;
        foreach (var share in _shares)
        {
            foreach (var lane in share.Lanes)
            {
                lane.Ordered?.MovePositions(positions);
            }
        }
    }

    public void CheckInvariants()
    {
        var waiting = 0;
        for (var number = 0; number < _classEnd; number++)
        {
            ref var ready = ref _classes[number];
            if (!ready.IsLive)
            {
                continue;
            }

            Invariant.That(ready.Count > 0);
            Invariant.That(ready.IsBlocked == (_classPositions[number] == 0));
            waiting += ready.Count;
            var length = 0;
            for (var task = ready.Ordered is null ? ready.Head : -1; task >= 0; task = _tasks[task].Next)
            {
                Invariant.That(_tasks[task].Class == number);
                Invariant.That(_tasks[task].Next < 0 || _tasks[_tasks[task].Next].Sequence > _tasks[task].Sequence);
                length++;
            }

            Invariant.That(ready.Ordered is not null ? ready.Ordered.Count == ready.Count : length == ready.Count);
        }

        Invariant.That(waiting == Count);
        foreach (var share in _shares)
        {
            Invariant.That(share.IsWaiting == share.HasCandidate);
            Invariant.That(share.IsWaiting == (_sharePositions[share.Number] > 0));
            share.Lanes[0].Heap.CheckInvariants();
            share.Lanes[1].Heap.CheckInvariants();
        }

        foreach (var band in _bands)
        {
            band.CheckInvariants();
        }
    }
}
