// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena.Heap;
using Muster.Arena.Locks;
using Muster.Arena.Rings;
using Muster.Arena.Slabs;
using Muster.Arena.Tables;
using Muster.Core;

namespace Muster.Arena;

/// <summary>
/// An arena mapped into this process: the way to everything in it. Made by <see cref="ArenaFile"/>; belongs to the host
/// that opened it, which disposes it after its last thread has stopped.
/// </summary>
internal sealed class ArenaMap : IDisposable
{
    public ArenaLimits Limits => throw new NotImplementedException();

    /// <summary>Random, non-zero, made with the arena: ids of another cell's life are unknown here.</summary>
    public ulong CellId => throw new NotImplementedException();

    /// <summary>The cell's epoch, 1 to 32,767; part of attempts and task ids.</summary>
    public uint Epoch => throw new NotImplementedException();

    public bool IsReadOnly => throw new NotImplementedException();

    public TaskTable Tasks => throw new NotImplementedException();

    public TaskHeap Ready => throw new NotImplementedException();

    public WorkerTable Workers => throw new NotImplementedException();

    public ClientTable Clients => throw new NotImplementedException();

    public HandlerTable Handlers => throw new NotImplementedException();

    /// <summary>Payloads: allocated and freed by the PLM.</summary>
    public SlabRegion Payloads => throw new NotImplementedException();

    /// <summary>Results: allocated by the Register, returned to it through <see cref="Freed"/>.</summary>
    public SlabRegion Results => throw new NotImplementedException();

    public SpscRing<FinishedRecord> Finished => throw new NotImplementedException();

    public SpscRing<CancelRecord> Cancels => throw new NotImplementedException();

    public SpscRing<FreedRecord> Freed => throw new NotImplementedException();

    /// <summary>What the role sleeps on.</summary>
    public WakeWord Wake(Role role) => throw new NotImplementedException();

    /// <summary>The counter's value.</summary>
    public ulong Counter(CellCounter counter) => throw new NotImplementedException();

    /// <summary>Adds to a counter; only its role calls this.</summary>
    public void Add(CellCounter counter, long amount) => throw new NotImplementedException();

    /// <summary>
    /// Makes this process the holder of the role, which it then is until it disposes the lease or dies. Refused with
    /// <see cref="FaultCode.RoleTaken"/> while another live process holds it.
    /// </summary>
    /// <param name="role">The role.</param>
    /// <param name="addresses">Where it listens, best first, for others to find; at most 240 bytes joined by commas.</param>
    /// <param name="lease">Holds the role; null when refused.</param>
    public Fault TryTakeRole(Role role, string addresses, out RoleLease? lease) => throw new NotImplementedException();

    /// <summary>Who holds or last held a role.</summary>
    public RoleHolder Holder(Role role) => throw new NotImplementedException();

    /// <summary>Whether the arena's file is still there under its name; false once somebody removed it.</summary>
    public bool IsStillLinked() => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
