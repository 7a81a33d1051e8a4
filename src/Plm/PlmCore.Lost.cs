// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <content>
/// Attempts on workers that were given up go back to the heap. The Register fences the worker's row before it writes
/// the record, so no result of such an attempt is taken any more. The Scheduler may place a task there for a moment
/// longer, until it sees the fence; it gives that back itself, and the sweep here is for one that died in between.
/// </content>
internal sealed partial class PlmCore
{
    private bool[] _lostRows = [];
    private bool _anyLostRow;
    private long _orphanSweepAtMs = long.MaxValue;
    private long _orphanWatchEndMs;

    private void NoteLostWorker(uint row, ulong epoch)
    {
        // The fence raised the epoch by one. Beyond that another registration has the row: the loss was seen to before
        // that, by whoever read this record first, and the attempts there now are a living worker's.
        if (row < _arena.Workers.Capacity && Volatile.Read(ref _arena.Workers[row].Epoch) <= epoch + 1)
        {
            MarkLostRow(row);
        }
    }

    private void MarkLostRow(uint row)
    {
        if (_lostRows.Length == 0)
        {
            _lostRows = new bool[_arena.Workers.Capacity];
        }

        _lostRows[row] = true;
        _anyLostRow = true;
        _orphanSweepAtMs = _now.Ms + PlmLimits.OrphanSweepMs;
        _orphanWatchEndMs = _now.Ms + PlmLimits.OrphanWatchMs;
    }

    // One pass over the slots for all workers lost together.
    private void ReturnLostAttempts()
    {
        if (!_anyLostRow)
        {
            return;
        }

        _anyLostRow = false;
        var end = _tasks.HighWater;
        for (uint index = 0; index < end; index++)
        {
            var word = _tasks.Read(index);
            if (word.State is TaskState.Assigned or TaskState.Running
                && IsOnLostRow(_tasks[index].Worker)
                && !TryNoteCrashed(index, word))
            {
                ReturnAttempt(index, word);
            }
        }

        ChargeCrashed();
        Array.Clear(_lostRows);
    }

    private bool IsOnLostRow(uint worker) => worker - 1 < (uint)_lostRows.Length && _lostRows[worker - 1];

    private void ReturnAttempt(uint index, StateWord word)
    {
        ref var slot = ref _tasks[index];
        Count(CellCounter.LostAttempts);
        if (ProfileOf(in slot).AttemptsMax == 1 || slot.AttemptsLost >= TaskLimits.LostAttemptsMax || IsUsedUp(word))
        {
            // False: the Scheduler gave it back at this moment, and it is Ready.
            TryEnd(index, word, FaultCode.WorkerLost);
            return;
        }

        RememberLoss(ref slot, word.Attempt, isCrash: false);
        slot.AttemptsLost++;
        NoteFailedAttempt(index, in slot, word.Attempt, slot.AttemptsFailed);
        QueuePush(index, word);
    }

    // Looks for attempts placed on rows that are lost without having been told of the loss.
    private void SweepOrphans()
    {
        var workers = _arena.Workers;
        for (uint row = 0; row < workers.HighWater; row++)
        {
            if (workers.Health(row) is WorkerHealth.Lost or WorkerHealth.Gone)
            {
                var watchEndMs = _orphanWatchEndMs;
                MarkLostRow(row);
                _orphanWatchEndMs = watchEndMs;
            }
        }

        ReturnLostAttempts();
        _orphanSweepAtMs = _now.Ms < _orphanWatchEndMs ? _now.Ms + PlmLimits.OrphanSweepMs : long.MaxValue;
    }
}
