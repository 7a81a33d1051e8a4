// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Arena.Slabs;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Register;

/// <summary>
/// The result region's blocks: allocated here, returned by the PLM through the Freed ring. The PLM writes the record
/// first and then moves the slot out of the states that own the block; so a record whose slot still owns it waits here,
/// and a block is never given away while a PLM that takes over could read it again. The waiting ones are at most as
/// many as slots.
/// </summary>
internal sealed class ResultBlocks(ArenaMap arena)
{
    private readonly SlabAllocator _allocator = new(arena.Results);
    private readonly TaskTable _tasks = arena.Tasks;
    private readonly FreedRecord[] _records = new FreedRecord[RegisterLimits.RingBatch];
    private readonly HashSet<FreedRecord> _waiting = [];
    private readonly List<FreedRecord> _due = [];

    public int Waiting => _waiting.Count;

    /// <summary>The bytes of a block.</summary>
    public Span<byte> Bytes(uint block, int length) => arena.Results.Bytes(block, length);

    /// <summary>Takes over what the slots own. Before anything else.</summary>
    public void TakeOver()
    {
        var slots = _tasks.HighWater;
        for (var index = 0u; index < slots; index++)
        {
            ref var slot = ref _tasks[index];
            if (Owns(_tasks.Read(index).State, slot.Flags) && slot.ResultBlock != 0)
            {
                Invariant.That(_allocator.TryClaim(slot.ResultBlock, (int)slot.ResultBytes));
            }
        }

        // A block whose slot left before the scan was not claimed; its record was written before that and is here.
        for (var left = arena.Freed.Count; left > 0;)
        {
            var count = arena.Freed.Read(_records.AsSpan(0, Math.Min(left, _records.Length)));
            Invariant.That(count > 0);
            left -= count;
            foreach (var record in _records.AsSpan(0, count))
            {
                if (_allocator.IsUsed(record.Block, (int)record.Bytes))
                {
                    Return(record);
                }
            }
        }

        _allocator.EndClaims();
    }

    /// <summary>A block; false when the region is full even after everything returned was taken back.</summary>
    public bool TryAllocate(int bytes, out uint block)
    {
        if (_allocator.TryAllocate(bytes, out block))
        {
            return true;
        }

        TakeBack();
        return _allocator.TryAllocate(bytes, out block);
    }

    /// <summary>Frees a block that no slot ever named.</summary>
    public void Free(uint block, int bytes) => _allocator.Free(block, bytes);

    /// <summary>Takes back what the PLM returned.</summary>
    public void TakeBack()
    {
        // Those whose slot has left are noted before the ring is read: a PLM that took over may have written the same
        // record again before the slot's step, and that one must be met while the first still waits.
        _due.Clear();
        foreach (var record in _waiting)
        {
            if (!IsOwned(record))
            {
                _due.Add(record);
            }
        }

        int count;
        do
        {
            count = arena.Freed.Read(_records);
            for (var at = 0; at < count; at++)
            {
                var ahead = Math.Min(at + RegisterLimits.PrefetchAhead, count - 1);
                _tasks.Prefetch(new TaskId(_records[ahead].TaskId).Slot);
                Return(_records[at]);
            }
        }
        while (count == _records.Length);

        foreach (var record in _due)
        {
            _waiting.Remove(record);
            _allocator.Free(record.Block, (int)record.Bytes);
        }
    }

    private void Return(FreedRecord record)
    {
        if (record.Block == 0 || _waiting.Contains(record))
        {
            return;
        }

        if (IsOwned(record))
        {
            _waiting.Add(record);
        }
        else
        {
            _allocator.Free(record.Block, (int)record.Bytes);
        }
    }

    private bool IsOwned(FreedRecord record)
    {
        if (!_tasks.TryFind(new TaskId(record.TaskId), out var index, out var word))
        {
            return false;
        }

        ref var slot = ref _tasks[index];
        return Owns(word.State, slot.Flags) && slot.ResultBlock == record.Block && slot.ResultBytes == record.Bytes;
    }

    private static bool Owns(TaskState state, byte flags) =>
        state == TaskState.Reported
        || (state == TaskState.Done && (flags & TaskSlot.FlagOutcomeIsResult) != 0);
}
