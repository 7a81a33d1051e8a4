// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;
using Muster.Arena.Locks;
using Muster.Core;

namespace Muster.Arena.Heap;

/// <summary>
/// Sorts Ready slots by the moment they were submitted, then by index, for the repair of the task heap: a slot is one
/// 64-bit entry, its moment (36 bits, relative to a base) above its index (28 bits). A stable radix sort over the
/// moments that really differ, in one to four passes: about 20 ms for a million slots, 2 ms when they lie in order
/// already.
/// </summary>
internal static class ReadyOrder
{
    public const int SlotBits = TaskId.SlotBits;
    public const int MomentBits = 64 - SlotBits;

    /// <summary>Entries between two signs of life: well below a millisecond.</summary>
    public const int EntriesPerSign = 1 << 15;

    /// <summary>Measured: 8 and 12 bits are slower, by more passes and by more places to write at.</summary>
    private const int DigitBitsMax = 10;
    private const int PassesMax = (MomentBits + DigitBitsMax - 1) / DigitBitsMax;

    public static uint SlotOf(ulong entry) => (uint)entry & TaskId.SlotMax;

    /// <summary>The entry of a slot; false when the moment does not fit.</summary>
    public static bool TryPack(long moment, long baseMoment, int shift, uint slot, out ulong entry)
    {
        var relative = unchecked((ulong)(moment - baseMoment)) >> shift;
        entry = (relative << SlotBits) | slot;
        return relative >> MomentBits == 0;
    }

    /// <summary>
    /// Sorts entries whose slots ascend. The result is in one of the two spans; the other is overwritten.
    /// </summary>
    public static Span<ulong> Sort(Span<ulong> entries, Span<ulong> scratch, ArenaLock.Scope scope)
    {
        Invariant.That(scratch.Length >= entries.Length);
        scratch = scratch[..entries.Length];
        var shape = Look(entries, scope);
        if (shape.Descents == 0)
        {
            return entries;
        }

        if (shape.Descents == 1 && entries[^1] < entries[0])
        {
            // Slots are used in turn, so this is what tasks that end in order leave behind: two pieces to exchange.
            entries[shape.LastDescent..].CopyTo(scratch);
            entries[..shape.LastDescent].CopyTo(scratch[^shape.LastDescent..]);
            return scratch;
        }

        // Subtracting the least moment first keeps the number of passes to what the span of moments needs.
        var lowest = shape.Least >> SlotBits;
        var bits = 64 - BitOperations.LeadingZeroCount((shape.Greatest >> SlotBits) - lowest);
        var passes = (bits + DigitBitsMax - 1) / DigitBitsMax;
        var digitBits = passes == 0 ? 0 : (bits + passes - 1) / passes;
        Span<int> starts = stackalloc int[PassesMax << DigitBitsMax];
        CountDigits(entries, lowest, passes, digitBits, starts, scope);
        for (var pass = 0; pass < passes; pass++)
        {
            var places = starts.Slice(pass << digitBits, 1 << digitBits);
            Distribute(entries, scratch, lowest, pass * digitBits, places, scope);
            var sorted = scratch;
            scratch = entries;
            entries = sorted;
        }

        return entries;
    }

    private static Shape Look(ReadOnlySpan<ulong> entries, ArenaLock.Scope scope)
    {
        var shape = new Shape(ulong.MaxValue, 0, 0, 0);
        var before = 0UL;
        for (var at = 0; at < entries.Length; at++)
        {
            ShowLife(at, scope);
            var entry = entries[at];
            if (entry < before)
            {
                shape.Descents++;
                shape.LastDescent = at;
            }

            before = entry;
            shape.Least = Math.Min(shape.Least, entry);
            shape.Greatest = Math.Max(shape.Greatest, entry);
        }

        return shape;
    }

    private static void CountDigits(
        ReadOnlySpan<ulong> entries, ulong lowest, int passes, int digitBits, Span<int> starts, ArenaLock.Scope scope)
    {
        starts.Clear();
        var mask = (1UL << digitBits) - 1;
        for (var at = 0; at < entries.Length; at++)
        {
            ShowLife(at, scope);
            var moment = (entries[at] >> SlotBits) - lowest;
            for (var pass = 0; pass < passes; pass++, moment >>= digitBits)
            {
                starts[(pass << digitBits) + (int)(moment & mask)]++;
            }
        }

        for (var pass = 0; pass < passes; pass++)
        {
            var next = 0;
            foreach (ref var start in starts.Slice(pass << digitBits, 1 << digitBits))
            {
                (start, next) = (next, next + start);
            }
        }
    }

    private static void Distribute(
        ReadOnlySpan<ulong> from, Span<ulong> to, ulong lowest, int shift, Span<int> starts, ArenaLock.Scope scope)
    {
        var mask = (ulong)starts.Length - 1;
        for (var at = 0; at < from.Length; at++)
        {
            ShowLife(at, scope);
            var entry = from[at];
            to[starts[(int)((((entry >> SlotBits) - lowest) >> shift) & mask)]++] = entry;
        }
    }

    private static void ShowLife(int at, ArenaLock.Scope scope)
    {
        if (at % EntriesPerSign == 0)
        {
            scope.RepairGoesOn();
        }
    }

    private record struct Shape(ulong Least, ulong Greatest, int Descents, int LastDescent);
}
