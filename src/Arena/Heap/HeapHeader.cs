// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Heap;

/// <summary>
/// First page of the task heap in the arena. <see cref="ClassCount"/> is the PLM's; the other words belong to whoever
/// holds the heap's lock.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal unsafe struct HeapHeader
{
    public const int SizeBytes = 4096;
    public const int ActiveWords = 64;

    /// <summary>Linked slots of all classes. Read by anybody, without the lock.</summary>
    [FieldOffset(0)] public ulong Count;

    /// <summary>
    /// Not 0 while the lists are being changed. Found so by the next holder of the lock: the one before was stopped by
    /// a broken invariant half-way, and the lists are rebuilt as if it had died.
    /// </summary>
    [FieldOffset(8)] public uint Changing;

    /// <summary>Bit w: word w of <see cref="Active"/> is not 0.</summary>
    [FieldOffset(16)] public ulong ActiveSummary;

    /// <summary>P. Classes in use, from 0; written after the class's key.</summary>
    [FieldOffset(128)] public uint ClassCount;

    /// <summary>Bit c: class c has ready tasks.</summary>
    [FieldOffset(256)] public fixed ulong Active[ActiveWords];
}
