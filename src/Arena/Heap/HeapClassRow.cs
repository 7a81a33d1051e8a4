// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Heap;

/// <summary>
/// One class of the task heap, 64 bytes in the arena. <see cref="Key"/> is written once, by the PLM; the other words
/// belong to whoever holds the heap's lock.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal struct HeapClassRow
{
    public const int SizeBytes = 64;

    /// <summary>Alone (bit 24), priority (from bit 16) and handler (16 bits).</summary>
    [FieldOffset(0)] public uint Key;

    /// <summary>Linked slots.</summary>
    [FieldOffset(4)] public uint Count;

    /// <summary>Slot index + 1 of the task that goes next; 0 when there is none.</summary>
    [FieldOffset(8)] public uint Head;

    /// <summary>Slot index + 1 of the task that goes last; 0 when there is none.</summary>
    [FieldOffset(12)] public uint Tail;

    /// <summary>Wall clock us at which the head became ready; meaningless without a head.</summary>
    [FieldOffset(16)] public ulong HeadOrder;
}
