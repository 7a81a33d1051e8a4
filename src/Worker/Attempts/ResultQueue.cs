// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core;

namespace Muster.Worker.Attempts;

/// <summary>
/// The results that the Register has not confirmed, in the order of their numbers, with a mark behind the last one that
/// was sent on the present stream. Guarded by the lock of the <see cref="AttemptBook"/>, which starts nothing while
/// there are more than <see cref="WorkerLimits.UnconfirmedMax"/>; what runs then still adds its results.
/// </summary>
internal sealed class ResultQueue
{
    private HeldAttempt[] _items = new HeldAttempt[64];
    private int _head;
    private int _sent;

    public int Count { get; private set; }

    public int Unsent => Count - _sent;

    /// <summary>Memory that the kept results take.</summary>
    public long Bytes { get; private set; }

    /// <summary>The number of the newest result; numbers start at 1 and have no gaps.</summary>
    public ulong LastNumber { get; private set; }

    /// <summary>Gives the attempt's result the next number and keeps it.</summary>
    public void Add(HeldAttempt attempt)
    {
        Invariant.That(!attempt.IsReported);
        if (Count == _items.Length)
        {
            Grow();
        }

        attempt.ResultNumber = ++LastNumber;
        _items[(_head + Count) & (_items.Length - 1)] = attempt;
        Count++;
        Bytes += attempt.ResultBytes;
    }

    /// <summary>Moves the mark over as many results as fit one message and lists them.</summary>
    /// <param name="taken">Takes them, at most <see cref="WorkerLimits.ResultsPerMessageMax"/>.</param>
    /// <returns>Their bytes; over <see cref="WorkerLimits.MessageBytesSoftMax"/> only for a single one.</returns>
    public long TakeUnsent(List<HeldAttempt> taken)
    {
        long bytes = 0;
        while (Unsent > 0 && taken.Count < WorkerLimits.ResultsPerMessageMax)
        {
            var attempt = At(_sent);
            if (taken.Count > 0 && bytes + attempt.ResultBytes > WorkerLimits.MessageBytesSoftMax)
            {
                break;
            }

            bytes += attempt.ResultBytes;
            taken.Add(attempt);
            _sent++;
        }

        return bytes;
    }

    /// <summary>A new stream: everything unconfirmed is to be sent again.</summary>
    public void Rewind() => _sent = 0;

    /// <summary>Takes the oldest result away when its number is at most the confirmed one.</summary>
    public bool TryRemove(ulong confirmedNumber, out HeldAttempt? attempt)
    {
        attempt = null;
        if (Count == 0 || At(0).ResultNumber > confirmedNumber)
        {
            return false;
        }

        attempt = At(0);
        _items[_head] = null!;
        _head = (_head + 1) & (_items.Length - 1);
        Count--;
        _sent = Math.Max(0, _sent - 1);
        Bytes -= attempt.ResultBytes;
        return true;
    }

    public HeldAttempt At(int index) => _items[(_head + index) & (_items.Length - 1)];

    private void Grow()
    {
        var larger = new HeldAttempt[_items.Length * 2];
        for (var index = 0; index < Count; index++)
        {
            larger[index] = At(index);
        }

        _items = larger;
        _head = 0;
    }
}
