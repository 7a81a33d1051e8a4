// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Arena.Tables;

/// <summary>The task slots of an arena. Thread-safe as far as <see cref="TaskSlot"/>'s rules of writers are kept.</summary>
internal sealed class TaskTable
{
    /// <summary>Number of slots; indices run from 0.</summary>
    public uint Capacity => throw new NotImplementedException();

    /// <summary>One past the highest slot ever used: scans stop here. Written by the PLM.</summary>
    public uint HighWater { get => throw new NotImplementedException(); set => throw new NotImplementedException(); }

    /// <summary>The slot itself, in shared memory. The index is checked.</summary>
    public ref TaskSlot this[uint index] => throw new NotImplementedException();

    /// <summary>The state word, loaded with acquire.</summary>
    public StateWord Read(uint index) => throw new NotImplementedException();

    /// <summary>
    /// One fenced step: swaps the state word if it still is <paramref name="expected"/>. A step that the table of
    /// transitions does not allow is a broken invariant.
    /// </summary>
    /// <returns>Whether this call made the step.</returns>
    public bool TryStep(Role role, uint index, StateWord expected, StateWord next) => throw new NotImplementedException();

    /// <summary>
    /// The slot of a live task: false when the index is out of range, the slot is Free, or the generation is another.
    /// </summary>
    public bool TryFind(TaskId id, out uint index, out StateWord word) => throw new NotImplementedException();

    /// <summary>The id of the task that the slot holds now.</summary>
    public TaskId IdOf(uint index) => throw new NotImplementedException();
}
