// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Threading;
using Muster.Core;

namespace Muster.Arena.Tables;

/// <summary>
/// The idempotency keys of an arena. The PLM is the only writer, and finds rows by an index in its own memory: rows
/// never move, so whoever dies at any line leaves each of them free or whole. A zeroed area is an empty table. When it
/// is full the PLM refuses what would need another row.
/// <para>Memory order:</para>
/// <list type="bullet">
/// <item>State: written with release after the row's other words, and before they are written again; the successor
/// loads it with acquire.</item>
/// <item>High water: written with release before the first row beyond it is used; scans stop there.</item>
/// </list>
/// </summary>
internal sealed unsafe class KeyTable
{
    private const long HighWaterOffset = 0;

    // Never read: it keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly uint* _highWater;
    private readonly KeyRow* _rows;

    internal KeyTable(ArenaMemory memory, long offset, uint capacity)
    {
        Invariant.That(capacity > 0);
        Invariant.That(sizeof(KeyRow) == ArenaLayout.KeyRowBytes);
        _memory = memory;
        _highWater = (uint*)memory.At(offset + HighWaterOffset, sizeof(uint));
        _rows = (KeyRow*)memory.At(
            offset + ArenaLayout.KeyTableHeaderBytes, (long)capacity * ArenaLayout.KeyRowBytes);
        Capacity = capacity;
    }

    /// <summary>Number of rows.</summary>
    public uint Capacity { get; }

    /// <summary>One past the highest row ever used.</summary>
    public uint HighWater
    {
        get
        {
            var value = Volatile.Read(ref *_highWater);
            Invariant.That(value <= Capacity);
            return value;
        }

        set
        {
            Invariant.That(value <= Capacity && value >= *_highWater);
            Volatile.Write(ref *_highWater, value);
        }
    }

    /// <summary>The row itself, in shared memory. The index is checked.</summary>
    public ref KeyRow this[uint row]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            Invariant.That(row < Capacity);
            return ref _rows[row];
        }
    }

    /// <summary>Whether the row holds a key.</summary>
    public bool IsUsed(uint row)
    {
        var state = Volatile.Read(ref this[row].State);
        Invariant.That(state is KeyRow.StateFree or KeyRow.StateUsed);
        return state == KeyRow.StateUsed;
    }

    /// <summary>Makes a free row count.</summary>
    public void Take(uint row, in KeyRow content)
    {
        Invariant.That(!IsUsed(row) && row < HighWater);
        ref var place = ref this[row];
        place = content with { State = KeyRow.StateFree };
        Volatile.Write(ref place.State, KeyRow.StateUsed);
    }

    /// <summary>Makes a used row free.</summary>
    public void Free(uint row)
    {
        Invariant.That(IsUsed(row));
        Volatile.Write(ref this[row].State, KeyRow.StateFree);
    }
}
