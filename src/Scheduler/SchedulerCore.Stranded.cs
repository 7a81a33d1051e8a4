// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena.Tables;
using Muster.Core.Tasks;

namespace Muster.Scheduler;

/// <summary>
/// Workers that beat and have no Dispatch stream, for a while: whatever was assigned to them and has not been said to
/// run may never have reached them, or waits there behind something that blocks them. It goes to others. Nothing is run
/// twice by that but what started within the last beat: a worker that comes back is told to drop what is not its own.
/// Tasks that may start once only stay, because nobody can say that they did not.
/// </summary>
internal sealed partial class SchedulerCore
{
    // Rows without a stream that may hold something; each at most once.
    private readonly List<uint> _streamless = [];
    private long _strandedDueMs = long.MaxValue;

    private void NoteStreamless(uint row)
    {
        ref var worker = ref _workers[row];
        worker.StreamlessSinceMs = 0;
        if (worker.Stream == 0 && worker.MayHold && !_streamless.Contains(row))
        {
            _streamless.Add(row);
        }
    }

    private void TakeBackStranded()
    {
        _strandedDueMs = long.MaxValue;
        for (var i = _streamless.Count - 1; i >= 0; i--)
        {
            var row = _streamless[i];
            ref var worker = ref _workers[row];
            if (worker.Stream != 0 || !worker.IsListed || !worker.MayHold)
            {
                _streamless.RemoveAt(i);
                continue;
            }

            // One that is suspect may be lost soon, which settles everything that it holds.
            var isSuspect = _rows.Health(row) == WorkerHealth.Suspect;
            if (worker.StreamlessSinceMs == 0 || isSuspect)
            {
                worker.StreamlessSinceMs = _nowMs;
            }

            var dueMs = worker.StreamlessSinceMs + _options.StreamlessMs;
            if (_nowMs < dueMs)
            {
                _strandedDueMs = Math.Min(_strandedDueMs, dueMs);
                continue;
            }

            TakeBackUnstarted(row);
            _streamless.RemoveAt(i);
        }
    }

    private void TakeBackUnstarted(uint row)
    {
        var count = 0;
        var slots = _tasks.HighWater;
        for (var index = 0u; index < slots; index++)
        {
            var word = _tasks.Read(index);
            ref var slot = ref _tasks[index];
            if (word.State != TaskState.Assigned
                || slot.Worker != row + 1
                || _profiles[slot.Profile].AttemptsMax == 1
                || word.Attempt.Count >= SchedulerLimits.ReturnableCountMax)
            {
                continue;
            }

            if (count == _taken.Length)
            {
                GiveBack(_taken);
                count = 0;
            }

            _taken[count++] = new(index, word);
        }

        GiveBack(_taken.AsSpan(0, count));
    }
}
