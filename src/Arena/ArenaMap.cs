// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using System.Threading;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Heap;
using Muster.Arena.Locks;
using Muster.Arena.Native;
using Muster.Arena.Rings;
using Muster.Arena.Slabs;
using Muster.Arena.Spill;
using Muster.Arena.Tables;
using Muster.Core;

namespace Muster.Arena;

/// <summary>
/// An arena mapped into this process: the way to everything in it. Made by <see cref="ArenaFile"/>; belongs to the host
/// that opened it, which disposes it after its last thread has stopped. What it hands out is thread-safe as far as each
/// type says.
/// </summary>
internal sealed unsafe class ArenaMap : IDisposable
{
    private readonly ArenaMemory _memory;
    private readonly ArenaHeader* _header;
    private readonly ulong* _counters;
    private readonly RoleTable _roles;
    private readonly WakeWord[] _wakes = new WakeWord[ArenaLayout.Roles];

    // Null when no file backs the arena.
    private readonly string? _cell;
    private readonly SafeFileHandle? _file;

    private readonly Lock _leaseGate = new();
    private readonly RoleLease?[] _leases = new RoleLease?[ArenaLayout.Roles];

    /// <summary>Builds the view. Writes nothing.</summary>
    internal ArenaMap(ArenaMemory memory, ArenaLimits limits, string? cell, SafeFileHandle? file)
    {
        var layout = ArenaLayout.Of(limits);
        Invariant.That(memory.Length == layout.TotalBytes);
        _memory = memory;
        _cell = cell;
        _file = file;
        Limits = limits;
        _header = (ArenaHeader*)memory.At(layout.Header.Offset, layout.Header.Bytes);
        _counters = (ulong*)memory.At(layout.CounterWords.Offset, layout.CounterWords.Bytes);
        _roles = new(memory, layout.RoleTable.Offset);
        for (var role = 0; role < _wakes.Length; role++)
        {
            _wakes[role] = new(memory, layout.WakeWords.Offset + (role * ArenaLayout.WakeWordBytes));
        }

        HeapLock = new(memory, layout.HeapLock.Offset, _roles);
        NamesLock = new(memory, layout.NamesLock.Offset, _roles);
        Spill = new(memory, layout.SpillHeader, layout.SpillRows, layout.SpillMap, layout.SpillExtents);
        Tasks = new(memory, layout.Tasks.Offset, limits.TasksMax, Spill);
        Ready = new(memory, layout.Heap.Offset, Tasks, HeapLock);
        Workers = new(memory, layout.Workers.Offset, limits.WorkersMax, layout.ChangedBitmapBytes);
        Clients = new(memory, layout.Clients.Offset, limits.ClientsMax);
        Keys = new(memory, layout.Keys.Offset, limits.KeysMax);
        Handlers = new(memory, layout.Handlers.Offset, NamesLock);
        Profiles = new(memory, layout.Profiles.Offset);
        Progress = new(memory, layout.Progress.Offset);
        Finished = new(memory, layout.Finished.Offset, layout.RingCapacity);
        Cancels = new(memory, layout.Cancels.Offset, layout.RingCapacity);
        Freed = new(memory, layout.Freed.Offset, layout.RingCapacity);
        Payloads = new(memory, layout.Payloads.Offset, layout.Payloads.Bytes);
        Results = new(memory, layout.Results.Offset, layout.Results.Bytes);
        if (cell is not null && !memory.IsReadOnly)
        {
            // Tables, heap and rings; payloads and results are reused from the front and are touched as they grow.
            memory.PopulateInBackground(layout.Payloads.Offset);
        }
    }

    public ArenaLimits Limits { get; }

    /// <summary>Random, non-zero, made with the arena: ids of another cell's life are unknown here.</summary>
    public ulong CellId => _header->CellId;

    /// <summary>The cell's epoch, 1 to 32,767; part of attempts and task ids.</summary>
    public uint Epoch => _header->Epoch;

    /// <summary>Wall clock of the arena's making, microseconds since 1970.</summary>
    public long CreatedUnixUs => _header->CreatedUnixUs;

    /// <summary>Size of the whole arena.</summary>
    public long TotalBytes => _memory.Length;

    public bool IsReadOnly => _memory.IsReadOnly;

    public TaskTable Tasks { get; }

    /// <summary>Ids of tasks that may wait on disk.</summary>
    public SpillTable Spill { get; }

    public TaskHeap Ready { get; }

    public WorkerTable Workers { get; }

    public ClientTable Clients { get; }

    public KeyTable Keys { get; }

    public HandlerTable Handlers { get; }

    /// <summary>What tasks that were submitted alike have in common.</summary>
    public ProfileTable Profiles { get; }

    /// <summary>What running attempts said last.</summary>
    public ProgressTable Progress { get; }

    /// <summary>Payloads: allocated and freed by the PLM.</summary>
    public SlabRegion Payloads { get; }

    /// <summary>Results: allocated by the Register, returned to it through <see cref="Freed"/>.</summary>
    public SlabRegion Results { get; }

    public SpscRing<FinishedRecord> Finished { get; }

    public SpscRing<CancelRecord> Cancels { get; }

    public SpscRing<FreedRecord> Freed { get; }

    /// <summary>
    /// Eight words in the header's page that mean nothing to the cell: what proofs change under <see cref="NamesLock"/>
    /// while they are killed. They cost nothing, and so the proof runs on arenas as they are.
    /// </summary>
    internal Span<ulong> ProofWords => new(_memory.At(ArenaLayout.ProofWordsOffset, 64), 8);

    /// <summary>The lock of <see cref="Ready"/>.</summary>
    internal ArenaLock HeapLock { get; }

    /// <summary>The lock of <see cref="Handlers"/>.</summary>
    internal ArenaLock NamesLock { get; }

    /// <summary>What the role sleeps on.</summary>
    public WakeWord Wake(Role role) => _wakes[(int)role];

    /// <summary>The counter's value.</summary>
    public ulong Counter(CellCounter counter) => Volatile.Read(ref _counters[CounterIndex(counter)]);

    /// <summary>Adds to a counter; only its role calls this, from any of its threads.</summary>
    public void Add(CellCounter counter, long amount)
    {
        Invariant.That(!IsReadOnly);
        Interlocked.Add(ref _counters[CounterIndex(counter)], (ulong)amount);
    }

    /// <summary>Writes a word among the counters; only its role calls this, from one thread at a time.</summary>
    public void Set(CellCounter word, ulong value)
    {
        Invariant.That(!IsReadOnly);
        Volatile.Write(ref _counters[CounterIndex(word)], value);
    }

    /// <summary>
    /// Makes this process the holder of the role, which it then is until it disposes the lease or dies. Refused with
    /// <see cref="FaultCode.RoleTaken"/> while a live process holds it, this one included.
    /// </summary>
    /// <param name="role">The role.</param>
    /// <param name="addresses">Where it listens, best first, for others to find; at most 240 bytes joined by
    /// commas.</param>
    /// <param name="lease">Holds the role; null when refused.</param>
    public Fault TryTakeRole(Role role, string addresses, out RoleLease? lease)
    {
        Invariant.That(!IsReadOnly);
        lease = null;
        var bytes = Encoding.UTF8.GetBytes(addresses);
        if (bytes.Length > RoleRow.AddressBytesMax)
        {
            return new(
                FaultCode.AddressInvalid,
                $"the addresses '{addresses}' have {bytes.Length} bytes, {RoleRow.AddressBytesMax} fit; use a shorter "
                + "runtime folder or fewer addresses");
        }

        lock (_leaseGate)
        {
            var fault = TryTakeLock(role, out var taken);
            if (!fault.IsNone)
            {
                return fault;
            }

            var epoch = _roles.Take(role, ArenaFile.NowUnixUs(), bytes);
            lease = new(epoch, () => GiveUp(role, taken));
            _leases[(int)role] = lease;
            return Fault.None;
        }
    }

    /// <summary>Who holds or last held a role.</summary>
    public RoleHolder Holder(Role role) => _roles.Read(role);

    /// <summary>
    /// Whether the arena's file is still there under its name; false once somebody removed or replaced it. A system
    /// call: ask once a second.
    /// </summary>
    public bool IsStillLinked()
    {
        if (_cell is null || _file is null)
        {
            return true;
        }

        return Volatile.Read(ref _header->State) == ArenaHeader.StateReady
            && Statx.TryOf(_file, out var own) && own.Links > 0
            && Statx.TryOf(ArenaFolder.Arena(_cell), out var named) && named.IsSameFile(own);
    }

    /// <summary>Gives up the roles held through this map, then unmaps.</summary>
    public void Dispose()
    {
        for (var role = 0; role < _leases.Length; role++)
        {
            _leases[role]?.Dispose();
        }

        _memory.Dispose();
        _file?.Dispose();
    }

    /// <summary>Writes what a new arena needs, all but its header.</summary>
    internal void Initialise()
    {
        HeapLock.Initialise();
        NamesLock.Initialise();
    }

    /// <summary>Writes a new arena's header and, last, that it is ready.</summary>
    internal void Publish(in ArenaHeader header)
    {
        *_header = header;
        Volatile.Write(ref _header->State, ArenaHeader.StateReady);
    }

    /// <summary>Says that the arena's file is being removed.</summary>
    internal void Retire() => Volatile.Write(ref _header->State, ArenaHeader.StateRetired);

    private static int CounterIndex(CellCounter counter)
    {
        Invariant.That((uint)counter < ArenaLayout.Counters);
        return (int)counter;
    }

    private Fault TryTakeLock(Role role, out LockFile? taken)
    {
        taken = null;
        if (_leases[(int)role] is not null)
        {
            return Taken(role);
        }

        if (_cell is null)
        {
            return Fault.None;
        }

        var fault = LockFile.TryTake(ArenaFolder.RoleLock(_cell, role), out taken);
        if (!fault.IsNone)
        {
            return fault;
        }

        if (taken is null)
        {
            return Taken(role);
        }

        // Whoever removes or replaces an arena first makes sure that no role is held, so from here on it stays.
        if (IsStillLinked())
        {
            return Fault.None;
        }

        taken.Dispose();
        taken = null;
        return new(FaultCode.ArenaMissing, $"the arena of cell {_cell} was removed a moment ago; start again");
    }

    private Fault Taken(Role role)
    {
        var holder = Holder(role);
        var who = holder.IsAlive ? $"process {holder.Pid}" : "a process that is just starting or ending";
        return new(
            FaultCode.RoleTaken,
            $"the cell has a {ArenaFolder.RoleName(role)} already: {who}; stop that one first, or start a cell of "
            + "another name");
    }

    private void GiveUp(Role role, LockFile? taken)
    {
        lock (_leaseGate)
        {
            _roles.GiveUp(role);
            taken?.Dispose();
            _leases[(int)role] = null;
        }
    }
}
