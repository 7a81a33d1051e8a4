// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena.Tables;
using Muster.Core;

namespace Muster.Scheduler;

/// <summary>Looks that change nothing: for people and for tests.</summary>
internal sealed partial class SchedulerCore
{
    /// <summary>Why tasks of the handler are not placed now.</summary>
    public PlacementReason Explain(ushort handler)
    {
        if (!_index.AnyOffers(handler))
        {
            return PlacementReason.NoWorkerOffers;
        }

        if (_index.Room(handler, RoomTier.Idle) > 0)
        {
            return PlacementReason.None;
        }

        for (var row = 0u; row < _rows.HighWater; row++)
        {
            if (_workers[row].Stream != 0
                && _rows.Health(row) == WorkerHealth.Alive
                && _rows.Offers(row, handler))
            {
                return PlacementReason.WorkersBusy;
            }
        }

        return PlacementReason.WorkersNotConnected;
    }

    /// <summary>Attempts in flight on a row with an open stream.</summary>
    public ulong InFlight(uint row)
    {
        ref var worker = ref _workers[row];
        var ended = Math.Max(Volatile.Read(ref _rows[row].EndedTotal), worker.EndedAtHello) - worker.EndedAtHello;
        return worker.Stream == 0 || ended > worker.Sent ? 0 : worker.Sent - ended;
    }

    /// <summary>Compares the index with what the rows say.</summary>
    public void CheckInvariants()
    {
        _index.CheckInvariants();
        for (var row = 0u; row < _rows.HighWater; row++)
        {
            ref var worker = ref _workers[row];
            Invariant.That(worker.Stream == 0 || worker.IsListed);
            Invariant.That(worker.PausedUntilMs == 0 || _paused.Contains(row));
        }
    }
}
