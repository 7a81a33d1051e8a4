// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena.Heap;
using Muster.Core;

namespace Muster.Scheduler;

/// <summary>
/// Tasks that shall have a worker to themselves, because one died that ran them beside others. They are few, and each
/// looks at every worker once; without any, nothing here costs more than a look at the classes. They go before all
/// others: what a poison task delays is the verdict on its neighbours. Where no worker is idle, one is kept free of new
/// work until it is.
/// </summary>
internal sealed partial class SchedulerCore
{
    private int _reserved;

    private long PlaceAlone(ReadOnlySpan<ReadyClass> classes, long nowUnixUs)
    {
        var placed = 0L;
        var isWanted = false;
        foreach (ref readonly var ready in classes)
        {
            if (!ready.Class.IsAlone)
            {
                continue;
            }

            var left = ready.Count;
            while (left > 0 && TryFindIdle(ready.Class.Handler, out var row))
            {
                if (_heap.Take(ready.Id, row, _arena.Epoch, nowUnixUs, _taken.AsSpan(0, 1)) == 0)
                {
                    break;
                }

                Unreserve(row);
                _workers[row].IsAlone = true;
                Dispatch(row, _taken.AsSpan(0, 1));
                left--;
                placed++;
            }

            if (left > 0)
            {
                Reserve(ready.Class.Handler);
                isWanted = true;
            }
        }

        if (!isWanted && _reserved > 0)
        {
            UnreserveAll();
        }

        return placed;
    }

    private bool TryFindIdle(ushort handler, out uint found)
    {
        for (found = 0; found < _rows.HighWater; found++)
        {
            if (IsCandidate(found, handler) && TryCountInFlight(found, out var inFlight) && inFlight == 0)
            {
                return true;
            }
        }

        return false;
    }

    private bool IsCandidate(uint row, ushort handler) =>
        _workers[row].IsListed && _workers[row].Stream != 0 && MayTakeNew(row) && _rows.Offers(row, handler);

    // Keeps the worker with the least in hand free, unless one is kept already that offers the handler.
    private void Reserve(ushort handler)
    {
        var least = ulong.MaxValue;
        uint best = 0;
        for (var row = 0u; row < _rows.HighWater; row++)
        {
            if (!IsCandidate(row, handler) || !TryCountInFlight(row, out var inFlight))
            {
                continue;
            }

            if (_workers[row].IsReserved)
            {
                return;
            }

            if (inFlight < least && !_workers[row].IsAlone)
            {
                (least, best) = (inFlight, row);
            }
        }

        if (least != ulong.MaxValue)
        {
            _workers[best].IsReserved = true;
            _reserved++;
            SetRoom(best);
        }
    }

    private void Unreserve(uint row)
    {
        if (_workers[row].IsReserved)
        {
            _workers[row].IsReserved = false;
            _reserved--;
        }
    }

    private void UnreserveAll()
    {
        for (var row = 0u; row < _rows.HighWater; row++)
        {
            if (_workers[row].IsReserved)
            {
                Unreserve(row);
                SetRoom(row);
            }
        }

        Invariant.That(_reserved == 0);
    }
}
