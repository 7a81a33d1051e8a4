// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Muster;

/// <summary>
/// Names one task of a cell, for ever: 28 bits of slot under 36 bits of generation. The generation is 15 bits of the
/// cell's epoch above a 21-bit count of the slot's uses in that epoch, so ids never repeat: the count only grows within
/// an epoch, a slot whose count is used up waits for the next epoch, and an epoch is recorded before its first use.
/// </summary>
/// <param name="Value">The number on the wire. 0 is no task.</param>
public readonly record struct TaskId(ulong Value) : IComparable<TaskId>
{
    internal const int SlotBits = 28;
    internal const int CountBits = 21;
    internal const uint SlotMax = (1u << SlotBits) - 1;
    internal const uint CountMax = (1u << CountBits) - 1;

    internal TaskId(uint slot, ulong generation)
        : this((generation << SlotBits) | slot)
    {
    }

    /// <summary>No task.</summary>
    public static TaskId None => default;

    internal uint Slot => (uint)Value & SlotMax;

    internal ulong Generation => Value >> SlotBits;

    internal uint Epoch => (uint)(Generation >> CountBits);

    /// <summary>The generation of a slot's first use in <paramref name="epoch"/>.</summary>
    internal static ulong FirstGeneration(uint epoch) => ((ulong)epoch << CountBits) | 1;

    /// <summary>
    /// The generation after <paramref name="generation"/> in <paramref name="epoch"/>, or 0 when the slot has none
    /// left.
    /// </summary>
    internal static ulong NextGeneration(ulong generation, uint epoch)
    {
        if (generation >> CountBits < epoch)
        {
            return FirstGeneration(epoch);
        }

        return (generation & CountMax) == CountMax ? 0 : generation + 1;
    }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <param name="text">1 to 16 hexadecimal digits.</param>
    /// <param name="id">The id, or <see cref="None"/>.</param>
    /// <returns>Whether <paramref name="text"/> was an id.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out TaskId id)
    {
        var value = 0UL;
        var ok = text is { Length: <= 16 }
            && ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            && value != 0;
        id = ok ? new TaskId(value) : None;
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(TaskId other) => Value.CompareTo(other.Value);

    /// <summary>16 hexadecimal digits.</summary>
    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Orders ids by number.</summary>
    public static bool operator <(TaskId left, TaskId right) => left.Value < right.Value;

    /// <summary>Orders ids by number.</summary>
    public static bool operator >(TaskId left, TaskId right) => left.Value > right.Value;

    /// <summary>Orders ids by number.</summary>
    public static bool operator <=(TaskId left, TaskId right) => left.Value <= right.Value;

    /// <summary>Orders ids by number.</summary>
    public static bool operator >=(TaskId left, TaskId right) => left.Value >= right.Value;
}
