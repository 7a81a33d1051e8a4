// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions;

/// <summary>Amounts of what a worker has or a task needs. A task needs at least one slot.</summary>
internal readonly record struct Resources(int Slots, int MemoryMiB = 0, int Third = 0, int Fourth = 0)
{
    /// <summary>How many kinds there are.</summary>
    public const int Kinds = 4;

    public int this[int kind] => kind switch
    {
        0 => Slots,
        1 => MemoryMiB,
        2 => Third,
        _ => Fourth,
    };

    /// <summary>Whether it asks for nothing but slots.</summary>
    public bool IsSlotsOnly => (MemoryMiB | Third | Fourth) == 0;
}
