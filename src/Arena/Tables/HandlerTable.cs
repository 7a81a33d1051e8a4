// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using Muster.Arena.Locks;
using Muster.Core;

namespace Muster.Arena.Tables;

/// <summary>
/// Names of handlers, each stored once for the arena's life: 1,024 rows of 128 bytes. PLM (submissions) and Register
/// (registrations) add rows under the names lock; readers need none, because a row is written before the count.
/// Index 0 is always <see cref="TaskLimits.CommandHandler"/> and has no row, so a zeroed area is a table that holds
/// just this name. Each process keeps its own copy and hash index of the names and reads on where it stopped when it
/// misses one. Thread-safe; a lookup allocates nothing and takes no lock.
/// <para>Memory order:</para>
/// <list type="bullet">
/// <item>Count: written under the names lock, with release, after the row; loaded with acquire before the row is read.
/// A row never changes afterwards. A writer that dies before the count leaves a row that the next writer overwrites, so
/// the lock's repair has nothing to do.</item>
/// <item>Durations: one word for each name behind the rows, the Scheduler's alone, and the PLM's before it says that
/// the arena is up to date. Whoever else reads one gets some value that it had.</item>
/// <item>Index of this process: entry and copied name are written under <c>_ownGate</c>, the entry last and with
/// release; lookups load it with acquire.</item>
/// </list>
/// </summary>
internal sealed unsafe class HandlerTable
{
    private const long CountOffset = 0;

    /// <summary>At most half full, so that runs of occupied entries stay short.</summary>
    private const int IndexEntries = 2 * ArenaLayout.HandlersMax;

    // Never read: it keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly ArenaLock _namesLock;
    private readonly uint* _countBeyondFirst;
    private readonly byte* _rows;
    private readonly float* _meansUs;

    private readonly Lock _ownGate = new();
    private readonly byte[][] _names = new byte[ArenaLayout.HandlersMax][];
    private readonly string[] _texts = new string[ArenaLayout.HandlersMax];
    private readonly int[] _entries = new int[IndexEntries];
    private int _known;

    internal HandlerTable(ArenaMemory memory, long offset, ArenaLock namesLock)
    {
        Invariant.That(ArenaLayout.HandlerRowBytes == TaskLimits.HandlerNameBytesMax);
        Invariant.That(ArenaLayout.HandlersMax <= WorkerRow.HandlerBitsBytes * 8);
        _memory = memory;
        _namesLock = namesLock;
        _countBeyondFirst = (uint*)memory.At(offset + CountOffset, sizeof(uint));
        _rows = memory.At(
            offset + ArenaLayout.HandlerTableHeaderBytes, ArenaLayout.HandlersMax * ArenaLayout.HandlerRowBytes);
        _meansUs = (float*)memory.At(
            offset + ArenaLayout.HandlerTableHeaderBytes + (ArenaLayout.HandlersMax * ArenaLayout.HandlerRowBytes),
            ArenaLayout.HandlersMax * sizeof(float));
        Remember(Encoding.UTF8.GetBytes(TaskLimits.CommandHandler));
    }

    /// <summary>How long attempts of the handler run, decayed mean in microseconds; 0: not known.</summary>
    public ref float MeanUs(ushort index)
    {
        Invariant.That(index < ArenaLayout.HandlersMax);
        return ref _meansUs[index];
    }

    /// <summary>Names in the table, the first one counted.</summary>
    public int Count
    {
        get
        {
            var beyond = Volatile.Read(ref *_countBeyondFirst);
            Invariant.That(beyond < ArenaLayout.HandlersMax);
            return (int)beyond + 1;
        }
    }

    /// <summary>
    /// The index of a UTF-8 name, added when new; false when the table is full. The name was validated before.
    /// </summary>
    public bool TryIntern(ReadOnlySpan<byte> name, out ushort index)
    {
        Invariant.That(name.Length is > 0 and <= TaskLimits.HandlerNameBytesMax && !name.Contains((byte)0));
        while (true)
        {
            // Read before the look: a name that another thread of this process learns after it must not be added again.
            var known = Volatile.Read(ref _known);
            if (TryFind(name, out index))
            {
                return true;
            }

            if (known == ArenaLayout.HandlersMax)
            {
                return false;
            }

            AppendUnlessOthersDid(name, known);
        }
    }

    /// <summary>The index of a name that is there.</summary>
    public bool TryFind(ReadOnlySpan<byte> name, out ushort index)
    {
        if (TryFindKnown(name, out index))
        {
            return true;
        }

        if (Volatile.Read(ref _known) == Count)
        {
            return false;
        }

        CatchUp();
        return TryFindKnown(name, out index);
    }

    public string Name(ushort index)
    {
        CatchUpTo(index);
        return _texts[index];
    }

    /// <summary>The name as it goes on the wire.</summary>
    public ReadOnlySpan<byte> NameUtf8(ushort index)
    {
        CatchUpTo(index);
        return _names[index];
    }

    private void AppendUnlessOthersDid(ReadOnlySpan<byte> name, int known)
    {
        using var scope = _namesLock.Enter();
        if (scope.NeedsRepair)
        {
            scope.MarkRepaired();
        }

        if (Count != known)
        {
            return;
        }

        var row = new Span<byte>(_rows + (known * ArenaLayout.HandlerRowBytes), ArenaLayout.HandlerRowBytes);
        row.Clear();
        name.CopyTo(row);
        Volatile.Write(ref *_countBeyondFirst, (uint)known);
    }

    private void CatchUpTo(ushort index)
    {
        if (index >= Volatile.Read(ref _known))
        {
            Invariant.That(index < Count);
            CatchUp();
        }
    }

    private void CatchUp()
    {
        lock (_ownGate)
        {
            for (var row = _known; row < Count; row++)
            {
                var bytes = new ReadOnlySpan<byte>(
                    _rows + (row * ArenaLayout.HandlerRowBytes), ArenaLayout.HandlerRowBytes);
                var length = bytes.IndexOf((byte)0);
                Remember((length < 0 ? bytes : bytes[..length]).ToArray());
            }
        }
    }

    private void Remember(byte[] name)
    {
        var index = _known;
        _names[index] = name;
        _texts[index] = Encoding.UTF8.GetString(name);
        var entry = (int)(Hash(name) % IndexEntries);
        while (_entries[entry] != 0)
        {
            entry = (entry + 1) % IndexEntries;
        }

        Volatile.Write(ref _entries[entry], index + 1);
        Volatile.Write(ref _known, index + 1);
    }

    private bool TryFindKnown(ReadOnlySpan<byte> name, out ushort index)
    {
        var entry = (int)(Hash(name) % IndexEntries);
        int found;
        while ((found = Volatile.Read(ref _entries[entry])) != 0)
        {
            if (name.SequenceEqual(_names[found - 1]))
            {
                index = (ushort)(found - 1);
                return true;
            }

            entry = (entry + 1) % IndexEntries;
        }

        index = 0;
        return false;
    }

    // Eight bytes a step; no defence against chosen collisions, because a table this small bounds what they cost.
    private static uint Hash(ReadOnlySpan<byte> name)
    {
        const ulong Factor = 0x9E3779B97F4A7C15;
        var hash = (ulong)name.Length;
        while (name.Length >= sizeof(ulong))
        {
            hash = (hash ^ MemoryMarshal.Read<ulong>(name)) * Factor;
            hash ^= hash >> 32;
            name = name[sizeof(ulong)..];
        }

        foreach (var letter in name)
        {
            hash = (hash ^ letter) * Factor;
        }

        return (uint)(hash >> 40);
    }
}
