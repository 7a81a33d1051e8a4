// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using System.Threading;
using Muster.Arena.Spill;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Arena.Tables;

/// <summary>
/// The task slots of an arena, and the only way to change a state word. Thread-safe as far as <see cref="TaskSlot"/>'s
/// rules of writers are kept. A zeroed area is a table of free slots.
/// <para>Memory order:</para>
/// <list type="bullet">
/// <item>State word: <see cref="TryStep"/> swaps it with a full fence, so every field written before the step is seen
/// by whoever loads the word with <see cref="Read"/> or <see cref="TryFind"/> (acquire) and finds the new state.</item>
/// <item>Generation: written by the PLM while the slot is Free, so it is fixed for whoever has seen a state that is not
/// Free. <see cref="TryFind"/> loads it after the state word and compares all of it.</item>
/// <item>High water: written by the PLM (release) before the first slot beyond it leaves Free; loaded with acquire by
/// scans, which therefore miss no slot that left Free before they began.</item>
/// </list>
/// </summary>
internal sealed unsafe class TaskTable
{
    private const long HighWaterOffset = 0;

    // Never read: it keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly uint* _highWater;
    private readonly TaskSlot* _slots;
    private readonly SpillTable? _spill;

    internal TaskTable(ArenaMemory memory, long offset, uint capacity, SpillTable? spill = null)
    {
        _spill = spill;
        Invariant.That(capacity is > 0 and <= TaskId.SlotMax);
        Invariant.That(sizeof(TaskSlot) == ArenaLayout.TaskSlotBytes);
        _memory = memory;
        _highWater = (uint*)memory.At(offset + HighWaterOffset, sizeof(uint));
        _slots = (TaskSlot*)memory.At(
            offset + ArenaLayout.TaskTableHeaderBytes, (long)capacity * ArenaLayout.TaskSlotBytes);
        Capacity = capacity;
    }

    /// <summary>Number of slots; indices run from 0.</summary>
    public uint Capacity { get; }

    /// <summary>One past the highest slot ever used: scans stop here. Written by the PLM.</summary>
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

    /// <summary>The slot itself, in shared memory. The index is checked.</summary>
    public ref TaskSlot this[uint index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            Invariant.That(index < Capacity);
            return ref _slots[index];
        }
    }

    /// <summary>
    /// Has the processor fetch a slot that will be used soon: a slot was last touched by another process on another
    /// core, and waiting for it is most of what a step costs in a batch. Any index is allowed.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(uint index)
    {
        if (Sse.IsSupported && index < Capacity)
        {
            Sse.Prefetch0(_slots + index);
            Sse.Prefetch0((byte*)(_slots + index) + (ArenaLayout.TaskSlotBytes / 2));
        }
    }

    /// <summary>The state word, loaded with acquire.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public StateWord Read(uint index) => new(Volatile.Read(ref this[index].State));

    /// <summary>
    /// One fenced step: swaps the state word if it still is <paramref name="expected"/>. A step that the table of
    /// transitions does not allow is a broken invariant, and so is one that changes the generation outside Free, or the
    /// attempt other than by raising it when the task is assigned.
    /// </summary>
    /// <returns>Whether this call made the step.</returns>
    public bool TryStep(Role role, uint index, StateWord expected, StateWord next)
    {
        Invariant.That(Transitions.IsAllowed(role, expected.State, next.State));
        if (next.State == TaskState.Assigned)
        {
            Invariant.That(next.GenerationLow == expected.GenerationLow);
            Invariant.That(next.Attempt.Value > expected.Attempt.Value || !Safeguard.NewAttempt);
        }
        else if (expected.State != TaskState.Free && next.State != TaskState.Free)
        {
            Invariant.That(next.GenerationLow == expected.GenerationLow && next.Attempt == expected.Attempt);
        }

        Seam.Pass();
        if (Interlocked.CompareExchange(ref this[index].State, next.Value, expected.Value) != expected.Value)
        {
            return false;
        }

        Seam.Stepped(role, index, expected, next);
        return true;
    }

    /// <summary>
    /// The slot of a live task: false when the index is out of range, the slot is Free, or the generation is another.
    /// </summary>
    public bool TryFind(TaskId id, out uint index, out StateWord word)
    {
        index = id.Slot;
        word = default;
        if (index >= Capacity)
        {
            return TryFindMoved(id, out index, out word);
        }

        word = Read(index);
        return word.State != TaskState.Free
            && word.GenerationLow == (uint)id.Generation
            && Volatile.Read(ref _slots[index].Generation) == id.Generation;
    }

    /// <summary>The id of the task that the slot holds now.</summary>
    public TaskId IdOf(uint index)
    {
        var generation = Volatile.Read(ref this[index].Generation);
        var moved = TaskSlot.MovedSlotOf(generation);
        return moved == 0 ? new(index, generation) : new(moved, _spill![SpillTable.ExtentOf(moved)].Generation);
    }

    // Of an id that names no slot of its own: see SpillTable.
    private bool TryFindMoved(TaskId id, out uint index, out StateWord word)
    {
        index = id.Slot;
        word = default;
        if (_spill is null || !_spill.TryLocate(id, out var at) || at >= Capacity)
        {
            return false;
        }

        index = at;
        word = Read(at);
        var generation = Volatile.Read(ref _slots[at].Generation);

        // The slot says the place only; whose place that is was read before, and may be over since.
        return word.State != TaskState.Free
            && word.GenerationLow == (uint)generation
            && TaskSlot.MovedSlotOf(generation) == id.Slot
            && _spill.TryFindExtent(id, out _);
    }
}
