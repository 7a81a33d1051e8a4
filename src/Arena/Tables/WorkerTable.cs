// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Threading;
using Muster.Core;

namespace Muster.Arena.Tables;

/// <summary>
/// The worker registrations of an arena, written by the Register. The Scheduler learns of changes through
/// <see cref="MarkChanged"/> and <see cref="TakeChanged"/>: one bit per row, set after the row was written (release),
/// fetched and cleared before the row is read (acquire), so that no change is missed. A zeroed area is an empty table.
/// <para>Memory order:</para>
/// <list type="bullet">
/// <item>Changed words: the Register sets bits with an atomic or, the Scheduler fetches and clears them
/// with an atomic and; both are full fences and pair with each other. A bit that is set between the fetch and the
/// reading of the row costs one needless second look.</item>
/// <item>High water: the Register writes it (release) before it marks the new row; TakeChanged loads it
/// (acquire).</item>
/// <item>Handler bits: the Register replaces them word by word, then marks the row. A reader in between sees a mixture
/// of the old and the new set, and looks again because of the mark.</item>
/// <item>Health: loaded with acquire, so that the texts and sizes written before it left Free are seen.</item>
/// </list>
/// </summary>
internal sealed unsafe class WorkerTable
{
    private const long HighWaterOffset = 0;
    private const int BitsPerWord = 64;

    // Never read: it keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly uint* _highWater;
    private readonly ulong* _changed;
    private readonly WorkerRow* _rows;

    // The row at which the Scheduler's next look begins, so that busy rows cannot hide the others from a short span.
    private uint _nextChangedRow;

    internal WorkerTable(ArenaMemory memory, long offset, uint capacity, long changedBitmapBytes)
    {
        Invariant.That(capacity > 0 && changedBitmapBytes * 8 >= capacity && changedBitmapBytes % sizeof(ulong) == 0);
        Invariant.That(sizeof(WorkerRow) == ArenaLayout.WorkerRowBytes);
        _memory = memory;
        _highWater = (uint*)memory.At(offset + HighWaterOffset, sizeof(uint));
        _changed = (ulong*)memory.At(offset + ArenaLayout.WorkerTableHeaderBytes, changedBitmapBytes);
        _rows = (WorkerRow*)memory.At(
            offset + ArenaLayout.WorkerTableHeaderBytes + changedBitmapBytes,
            (long)capacity * ArenaLayout.WorkerRowBytes);
        Capacity = capacity;
    }

    /// <summary>Number of rows.</summary>
    public uint Capacity { get; }

    /// <summary>One past the highest row ever used. Written by the Register.</summary>
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
    public ref WorkerRow this[uint row]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            Invariant.That(row < Capacity);
            return ref _rows[row];
        }
    }

    public WorkerHealth Health(uint row) => (WorkerHealth)Volatile.Read(ref this[row].Health);

    /// <summary>
    /// The wire id of the row's present worker: row + (epoch &lt;&lt; 32); never 0, because the epoch of a row that was
    /// ever used is at least 1.
    /// </summary>
    public ulong IdOf(uint row) => row | ((ulong)Volatile.Read(ref this[row].Epoch) << 32);

    /// <summary>Whether the row's worker offers the handler.</summary>
    public bool Offers(uint row, ushort handler)
    {
        Invariant.That(handler < ArenaLayout.HandlersMax);
        var word = Volatile.Read(ref ((ulong*)Row(row)->HandlerBits)[handler / BitsPerWord]);
        return (word & (1UL << (handler % BitsPerWord))) != 0;
    }

    /// <summary>
    /// Tells the Scheduler that the row changed. Called by the Register, which then signals the wake word.
    /// </summary>
    public void MarkChanged(uint row)
    {
        Invariant.That(row < HighWater);
        Interlocked.Or(ref _changed[row / BitsPerWord], 1UL << (int)(row % BitsPerWord));
    }

    /// <summary>
    /// Fetches and clears up to rows.Length changed rows; the rest stays marked for the next call. Called by the
    /// Scheduler, from one thread at a time.
    /// </summary>
    public int TakeChanged(Span<uint> rows)
    {
        var words = (HighWater + BitsPerWord - 1) / BitsPerWord;
        if (words == 0)
        {
            return 0;
        }

        // Once around: from the row after the last one told, to the end, and from row 0 back to it.
        var first = _nextChangedRow / BitsPerWord % words;
        var fromFirst = ulong.MaxValue << (int)(_nextChangedRow % BitsPerWord);
        var count = TakeWord(first, fromFirst, rows);
        for (var step = 1u; step < words && count < rows.Length; step++)
        {
            count += TakeWord((first + step) % words, ulong.MaxValue, rows[count..]);
        }

        return count + TakeWord(first, ~fromFirst, rows[count..]);
    }

    public string Name(uint row) => RowText.Read(Field(Row(row)->Name, WorkerRow.NameBytes));

    public string Host(uint row) => RowText.Read(Field(Row(row)->Host, WorkerRow.HostBytes));

    public string Version(uint row) => RowText.Read(Field(Row(row)->Version, WorkerRow.VersionBytes));

    /// <summary>
    /// Writes a text field of a row, cut at a character's border to what fits. Called by the Register.
    /// </summary>
    public void SetTexts(uint row, string name, string host, string version)
    {
        RowText.Write(Field(Row(row)->Name, WorkerRow.NameBytes), name);
        RowText.Write(Field(Row(row)->Host, WorkerRow.HostBytes), host);
        RowText.Write(Field(Row(row)->Version, WorkerRow.VersionBytes), version);
    }

    /// <summary>Replaces the set of handlers. Called by the Register.</summary>
    public void SetHandlers(uint row, ReadOnlySpan<ushort> handlers)
    {
        Span<ulong> bits = stackalloc ulong[WorkerRow.HandlerBitsBytes / sizeof(ulong)];
        bits.Clear();
        foreach (var handler in handlers)
        {
            Invariant.That(handler < ArenaLayout.HandlersMax);
            bits[handler / BitsPerWord] |= 1UL << (handler % BitsPerWord);
        }

        var words = (ulong*)Row(row)->HandlerBits;
        for (var index = 0; index < bits.Length; index++)
        {
            Volatile.Write(ref words[index], bits[index]);
        }
    }

    /// <summary>
    /// Copies the set of handlers, one bit per index; it may be a mixture while the row is marked changed.
    /// </summary>
    public void CopyHandlers(uint row, Span<ulong> bits)
    {
        Invariant.That(bits.Length == WorkerRow.HandlerBitsBytes / sizeof(ulong));
        var words = (ulong*)Row(row)->HandlerBits;
        for (var index = 0; index < bits.Length; index++)
        {
            bits[index] = Volatile.Read(ref words[index]);
        }
    }

    // A look without a write first: an untouched word costs no ownership of its cache line.
    private int TakeWord(uint word, ulong mask, Span<uint> rows)
    {
        if (rows.IsEmpty || (Volatile.Read(ref _changed[word]) & mask) == 0)
        {
            return 0;
        }

        var bits = Interlocked.And(ref _changed[word], ~mask) & mask;
        var count = 0;
        while (bits != 0 && count < rows.Length)
        {
            var row = (word * BitsPerWord) + (uint)BitOperations.TrailingZeroCount(bits);
            Invariant.That(row < Capacity);
            rows[count++] = row;
            _nextChangedRow = row + 1;
            bits &= bits - 1;
        }

        if (bits != 0)
        {
            Interlocked.Or(ref _changed[word], bits);
        }

        return count;
    }

    private WorkerRow* Row(uint row)
    {
        Invariant.That(row < Capacity);
        return &_rows[row];
    }

    private static Span<byte> Field(byte* first, int bytes) => new(first, bytes);
}
