// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;

namespace Muster.Arena.Spill;

/// <summary>
/// One extent of ids for tasks that may leave the arena, 320 bytes in it; all words are the PLM's.
/// <see cref="State"/> is the one word that says where the extent's tasks are, so a death between any two writes
/// leaves them in one place: see <see cref="SpillState"/>.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal unsafe struct SpillRow
{
    public const int SizeBytes = 320;
    public const int Words = SpillTable.ExtentTasksMax / 64;

    /// <summary>A <see cref="SpillState"/>; written with release after what it vouches for.</summary>
    [FieldOffset(0)] public uint State;

    /// <summary>Class in the task heap of all its tasks.</summary>
    [FieldOffset(4)] public ushort Class;

    /// <summary>Places given out, from 0. A place is never given out twice under one generation.</summary>
    [FieldOffset(6)] public ushort Count;

    /// <summary>Of the ids of all its tasks.</summary>
    [FieldOffset(8)] public ulong Generation;

    /// <summary>Grows from one extent of a class to the next: the order in which their tasks run.</summary>
    [FieldOffset(16)] public ulong Order;

    /// <summary>Bytes of the body on disk.</summary>
    [FieldOffset(24)] public uint BodyBytes;

    /// <summary>The first of them, which say whose sessions' tasks are among those on disk.</summary>
    [FieldOffset(28)] public uint RunBytes;

    /// <summary>Wall clock ms since 1970 at which the first of those on disk expires unstarted; 0: none.</summary>
    [FieldOffset(32)] public ulong DueUnixMs;

    /// <summary>Bit p: the task at place p exists, in the arena or on disk.</summary>
    [FieldOffset(64)] public fixed ulong Live[Words];

    /// <summary>Bit p: the task at place p was cancelled while it was on disk and has not heard of it.</summary>
    [FieldOffset(192)] public fixed ulong Cancelled[Words];

    public static bool IsSet(ReadOnlySpan<ulong> bits, int place) => (bits[place / 64] & (1UL << (place % 64))) != 0;

    public static void Set(Span<ulong> bits, int place) => bits[place / 64] |= 1UL << (place % 64);

    public static void Clear(Span<ulong> bits, int place) => bits[place / 64] &= ~(1UL << (place % 64));
}
