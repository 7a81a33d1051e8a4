// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;
using Muster.Arena.Locks;
using Muster.Core;

namespace Muster.Arena.Heap;

/// <summary>
/// Sorts Ready slots by the moment they were submitted, then by index, for the repair of the task heap: a slot is one
/// 64-bit entry, its moment (36 bits, relative to a base) above its index (28 bits). A stable radix sort over the moments
/// that really differ, 11 bits a pass: about 10 ms for a million slots, nothing at all when they lie in order already.
/// </summary>
internal static class ReadyOrder
{
    public const int SlotBits = TaskId.SlotBits;
    public const int MomentBits = 64 - SlotBits;

    /// <summary>Entries between two signs of life: well below a millisecond.</summary>
    public const int EntriesPerSign = 1 << 15;

    private const int DigitBits = 11;
    private const int Digits = 1 << DigitBits;
    private const int PassesMax = (MomentBits + DigitBits - 1) / DigitBits;

    public static uint SlotOf(ulong entry) => (uint)entry & TaskId.SlotMax;

    /// <summary>The entry of a slot; false when the moment does not fit.</summary>
    public static bool TryPack(long moment, long baseMoment, int shift, uint slot, out ulong entry)
    {
        var relative = unchecked((ulong)(moment - baseMoment)) >> shift;
        entry = (relative << SlotBits) | slot;
        return relative >> MomentBits == 0;
    }

    /// <summary>Sorts entries whose slots ascend. The result is in one of the two spans; the other is overwritten.</summary>
    public static Span<ulong> Sort(Span<ulong> entries, Span<ulong> scratch, ArenaLock.Scope scope)
    {
        Invariant.That(scratch.Length >= entries.Length);
        if (entries.IsEmpty || IsSorted(entries, out var least, out var greatest, scope))
        {
            return entries;
        }

        // Subtracting the least moment first keeps the number of passes to what the span of moments needs.
        var lowest = least >> SlotBits;
        var bits = MomentBits - (BitOperations.LeadingZeroCount((greatest >> SlotBits) - lowest) - SlotBits);
        Span<int> starts = stackalloc int[Digits];
        for (var pass = 0; pass * DigitBits < bits; pass++)
        {
            Invariant.That(pass < PassesMax);
            CountDigits(entries, lowest, pass * DigitBits, starts, scope);
            Distribute(entries, scratch, lowest, pass * DigitBits, starts, scope);
            var sorted = scratch[..entries.Length];
            scratch = entries;
            entries = sorted;
        }

        return entries;
    }

    private static bool IsSorted(ReadOnlySpan<ulong> entries, out ulong least, out ulong greatest, ArenaLock.Scope scope)
    {
        least = ulong.MaxValue;
        greatest = 0;
        var sorted = true;
        var before = 0UL;
        for (var at = 0; at < entries.Length; at++)
        {
            ShowLife(at, scope);
            var entry = entries[at];
            sorted &= entry >= before;
            before = entry;
            least = Math.Min(least, entry);
            greatest = Math.Max(greatest, entry);
        }

        return sorted;
    }

    private static void CountDigits(
        ReadOnlySpan<ulong> entries, ulong lowest, int shift, Span<int> starts, ArenaLock.Scope scope)
    {
        starts.Clear();
        for (var at = 0; at < entries.Length; at++)
        {
            ShowLife(at, scope);
            starts[Digit(entries[at], lowest, shift)]++;
        }

        var next = 0;
        foreach (ref var start in starts)
        {
            (start, next) = (next, next + start);
        }
    }

    private static void Distribute(
        ReadOnlySpan<ulong> from, Span<ulong> to, ulong lowest, int shift, Span<int> starts, ArenaLock.Scope scope)
    {
        for (var at = 0; at < from.Length; at++)
        {
            ShowLife(at, scope);
            to[starts[Digit(from[at], lowest, shift)]++] = from[at];
        }
    }

    private static int Digit(ulong entry, ulong lowest, int shift) =>
        (int)(((entry >> SlotBits) - lowest) >> shift) & (Digits - 1);

    private static void ShowLife(int at, ArenaLock.Scope scope)
    {
        if (at % EntriesPerSign == 0)
        {
            scope.RepairGoesOn();
        }
    }
}
