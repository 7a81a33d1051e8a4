// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Muster.Core;

namespace Muster.Arena.Spill;

/// <summary>
/// Ids of tasks that may leave the arena. Such an id has the highest of its slot bits set; the others are an extent and
/// a place in it, and a map says in which slot the task is while it is in one. So a task keeps its id on disk, and
/// comes back into whatever slots are free. Ids of tasks that never may leave name their slot, and cost nothing here.
///
/// <para>Writer: the PLM alone. Readers: any role. Order: the map's word is written before the slot leaves Free, and
/// the slot before the extent's state says Held (release); readers load the state first (acquire) and then check that
/// the slot names the id back, so that a word of an earlier use says nothing. Generations only grow, and are written
/// before the first slot leaves Free under them; so readers check that last again, as a later use has the same places.
/// </para>
///
/// <para>Rows and map lie at the arena's end and are not reserved with it: <see cref="TryReserve"/> does that for an
/// extent before its first use, and nobody touches others. They are not given back: 4 bytes for each task of the
/// deepest backlog so far.</para>
/// </summary>
internal sealed unsafe class SpillTable
{
    /// <summary>Ids of one extent: one page of the map.</summary>
    public const int ExtentTasksMax = 1_024;

    public const int ExtentBits = 10;

    /// <summary>In the slot number of every id in here, and in no other's.</summary>
    public const uint SlotFlag = 1u << (TaskId.SlotBits - 1);

    /// <summary>One page: one past the highest extent ever used.</summary>
    public const int HeaderBytes = ArenaLayout.PageBytes;

    public const long MapBytesPerExtent = ExtentTasksMax * sizeof(uint);

    private readonly ArenaMemory _memory;
    private readonly uint* _highWater;
    private readonly SpillRow* _rows;
    private readonly uint* _map;
    private readonly long _rowsOffset;
    private readonly long _mapOffset;

    internal SpillTable(ArenaMemory memory, ArenaPart header, ArenaPart rows, ArenaPart map, uint extents)
    {
        Invariant.That(sizeof(SpillRow) == SpillRow.SizeBytes);
        Invariant.That(rows.Bytes >= (long)extents * SpillRow.SizeBytes && map.Bytes >= extents * MapBytesPerExtent);
        _memory = memory;
        _highWater = (uint*)memory.At(header.Offset, sizeof(uint));
        _rows = (SpillRow*)memory.At(rows.Offset, rows.Bytes);
        _map = (uint*)memory.At(map.Offset, map.Bytes);
        _rowsOffset = rows.Offset;
        _mapOffset = map.Offset;
        Capacity = extents;
    }

    /// <summary>Number of extents; 0 when the cell spills nothing.</summary>
    public uint Capacity { get; }

    /// <summary>One past the highest extent ever used: only those below may be touched.</summary>
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

    /// <summary>The row itself, in shared memory, of an extent below the high-water mark.</summary>
    public ref SpillRow this[uint extent]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            Invariant.That(extent < Capacity);
            return ref _rows[extent];
        }
    }

    public SpillState State(uint extent) => (SpillState)Volatile.Read(ref this[extent].State);

    public void SetState(uint extent, SpillState state) => Volatile.Write(ref this[extent].State, (uint)state);

    public Span<ulong> Live(uint extent)
    {
        fixed (ulong* bits = this[extent].Live)
        {
            return new Span<ulong>(bits, SpillRow.Words);
        }
    }

    public Span<ulong> Cancelled(uint extent)
    {
        fixed (ulong* bits = this[extent].Cancelled)
        {
            return new Span<ulong>(bits, SpillRow.Words);
        }
    }

    /// <summary>Whether this is the slot number of an id in here.</summary>
    public static bool Covers(uint slot) => (slot & SlotFlag) != 0;

    public static uint ExtentOf(uint slot) => (slot & ~SlotFlag) >> ExtentBits;

    public static int PlaceOf(uint slot) => (int)(slot & (ExtentTasksMax - 1));

    public static uint SlotOf(uint extent, int place) => SlotFlag | (extent << ExtentBits) | (uint)place;

    /// <summary>Makes an extent safe to touch, before its first use. False: there is no memory for it.</summary>
    public bool TryReserve(uint extent) =>
        _memory.TryReserve(_rowsOffset + ((long)extent * SpillRow.SizeBytes), SpillRow.SizeBytes)
        && _memory.TryReserve(_mapOffset + (extent * MapBytesPerExtent), MapBytesPerExtent);

    /// <summary>Says in which slot of the task table the task is from now on.</summary>
    public void Map(uint slot, uint index)
    {
        Invariant.That(Covers(slot) && ExtentOf(slot) < Capacity);
        Volatile.Write(ref _map[slot & ~SlotFlag], index);
    }

    /// <summary>What <see cref="Map"/> said last.</summary>
    public uint IndexOf(uint slot)
    {
        Invariant.That(Covers(slot) && ExtentOf(slot) < Capacity);
        return Volatile.Read(ref _map[slot & ~SlotFlag]);
    }

    /// <summary>The row of an id's extent, if there is one and it is of the id's generation.</summary>
    public bool TryFindExtent(TaskId id, out uint extent)
    {
        extent = ExtentOf(id.Slot);
        return Covers(id.Slot) && extent < HighWater && Volatile.Read(ref _rows[extent].Generation) == id.Generation;
    }

    /// <summary>The slot of the task table that the id's task may be in; the caller checks that it is.</summary>
    public bool TryLocate(TaskId id, out uint index)
    {
        index = 0;
        if (!TryFindExtent(id, out var extent) || State(extent) is not (SpillState.Held or SpillState.Released))
        {
            return false;
        }

        index = Volatile.Read(ref _map[id.Slot & ~SlotFlag]);
        return true;
    }

    /// <summary>Whether the id's task waits on disk.</summary>
    public bool IsSpilled(TaskId id) =>
        TryFindExtent(id, out var extent)
        && State(extent) == SpillState.Spilled
        && SpillRow.IsSet(Live(extent), PlaceOf(id.Slot));
}
