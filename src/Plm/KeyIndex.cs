// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Numerics;
using Muster.Arena.Tables;
using Muster.Core;

namespace Muster.Plm;

/// <summary>
/// Finds the rows of the <see cref="KeyTable"/>: open addressing over numbers of rows, in this process's own memory,
/// and the rows that are free. Rebuilt by a successor from the rows. Grows with their number, at most half full, and
/// allocates nothing once it has reached its size.
/// </summary>
internal sealed class KeyIndex(KeyTable table)
{
    private const int BucketsMin = 64;

    // Row plus one; 0: nothing.
    private uint[] _buckets = new uint[BucketsMin];
    private readonly Stack<uint> _free = new();

    /// <summary>Rows in use.</summary>
    public int Count { get; private set; }

    /// <summary>Whether a row could be taken now.</summary>
    public bool HasRoom => _free.Count > 0 || table.HighWater < table.Capacity;

    /// <summary>Reads all rows once: the first call.</summary>
    public void Rebuild()
    {
        Invariant.That(Count == 0 && _free.Count == 0);
        for (var row = table.HighWater; row-- > 0;)
        {
            if (!table.IsUsed(row))
            {
                _free.Push(row);
                continue;
            }

            ref var found = ref table[row];
            var isNew = !TryFind(found.HashHigh, found.HashLow, out _);
            Invariant.That(isNew && found.TaskId != 0);
            Insert(row);
        }
    }

    /// <summary>The row of a key, expired or not.</summary>
    public bool TryFind(ulong high, ulong low, out uint row)
    {
        var mask = _buckets.Length - 1;
        for (var at = (int)(low & (uint)mask); _buckets[at] != 0; at = (at + 1) & mask)
        {
            row = _buckets[at] - 1;
            if (table[row].HashLow == low && table[row].HashHigh == high)
            {
                return true;
            }
        }

        row = 0;
        return false;
    }

    /// <summary>Writes a key that is not there into a free row. There must be room.</summary>
    public uint Add(in KeyRow content)
    {
        Invariant.That(HasRoom);
        if (!_free.TryPop(out var row))
        {
            // Successors scan up to the mark, so it is raised before the row can hold anything.
            row = table.HighWater;
            table.HighWater = row + 1;
        }

        table.Take(row, content);
        Insert(row);
        return row;
    }

    /// <summary>Forgets the key of a row.</summary>
    public void Remove(uint row)
    {
        RemoveBucket(row);
        table.Free(row);
        _free.Push(row);
        Count--;
    }

    /// <summary>Every row in use is found, and no other.</summary>
    public void CheckInvariants()
    {
        var used = 0;
        for (uint row = 0; row < table.HighWater; row++)
        {
            if (table.IsUsed(row))
            {
                used++;
                Invariant.That(TryFind(table[row].HashHigh, table[row].HashLow, out var found) && found == row);
            }
        }

        Invariant.That(used == Count && used + _free.Count == table.HighWater && 2 * Count <= _buckets.Length);
    }

    private void Insert(uint row)
    {
        if (2 * (Count + 1) > _buckets.Length)
        {
            Grow();
        }

        Count++;
        Place(row);
    }

    private void Place(uint row)
    {
        var mask = _buckets.Length - 1;
        var at = Home(row);
        while (_buckets[at] != 0)
        {
            at = (at + 1) & mask;
        }

        _buckets[at] = row + 1;
    }

    // Closes the gap by moving up those behind it that may stand there, so that no run is ever cut.
    private void RemoveBucket(uint row)
    {
        var mask = _buckets.Length - 1;
        var gap = Home(row);
        while (_buckets[gap] != row + 1)
        {
            Invariant.That(_buckets[gap] != 0);
            gap = (gap + 1) & mask;
        }

        for (var at = (gap + 1) & mask; _buckets[at] != 0; at = (at + 1) & mask)
        {
            var home = Home(_buckets[at] - 1);
            if (((at - home) & mask) >= ((at - gap) & mask))
            {
                _buckets[gap] = _buckets[at];
                gap = at;
            }
        }

        _buckets[gap] = 0;
    }

    private int Home(uint row) => (int)(table[row].HashLow & (uint)(_buckets.Length - 1));

    private void Grow()
    {
        var old = _buckets;
        _buckets = new uint[BitOperations.RoundUpToPowerOf2((uint)old.Length * 2)];
        foreach (var entry in old)
        {
            if (entry != 0)
            {
                Place(entry - 1);
            }
        }
    }
}
