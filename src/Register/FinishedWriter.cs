// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Core;

namespace Muster.Register;

/// <summary>
/// Tells the PLM what is over. Records that the ring has no room for wait here, in order, and are written by a later
/// turn; there are at most as many as reported slots and lost rows, because the slots are the truth and each is told
/// once. The PLM is woken once per flush, not per record.
/// </summary>
internal sealed class FinishedWriter(ArenaMap arena)
{
    private readonly FinishedRecord[] _batch = new FinishedRecord[RegisterLimits.RingBatch];
    private readonly Queue<FinishedRecord> _waiting = new();
    private int _count;
    private bool _wake;

    /// <summary>Nothing waits for room in the ring.</summary>
    public bool IsEmpty => _count == 0 && _waiting.Count == 0;

    /// <summary>Records ever told, those that wait for room included: their positions in the ring lie below.</summary>
    public ulong Total => arena.Finished.WrittenTotal + (ulong)_count + (ulong)_waiting.Count;

    public void Reported(uint slot, ulong generation) => Add(new(FinishedRecord.Reported, slot, generation));

    public void WorkerLost(uint row, uint epoch) => Add(new(FinishedRecord.WorkerLost, row, epoch));

    public void WorkerLived(uint row, uint epoch) => Add(new(FinishedRecord.WorkerLived, row, epoch));

    /// <summary>Writes what fits and wakes the PLM. Ends every turn.</summary>
    public void Flush()
    {
        WriteBatch();
        if (_wake)
        {
            _wake = false;
            arena.Wake(Role.Plm).Signal();
        }
    }

    private void Add(FinishedRecord record)
    {
        if (_count == _batch.Length)
        {
            WriteBatch();
        }

        _batch[_count++] = record;
    }

    private void WriteBatch()
    {
        while (_waiting.Count > 0 && arena.Finished.TryWrite([_waiting.Peek()]) == 1)
        {
            _waiting.Dequeue();
            _wake = true;
        }

        var written = _waiting.Count == 0 ? arena.Finished.TryWrite(_batch.AsSpan(0, _count)) : 0;
        CrashPoint.Hit("register.ring.written");
        _wake |= written > 0;
        for (; written < _count; written++)
        {
            // The PLM is gone or far behind: it shall look when it is back.
            _wake = true;
            _waiting.Enqueue(_batch[written]);
        }

        _count = 0;
    }
}
