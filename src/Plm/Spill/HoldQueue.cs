// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm.Spill;

/// <summary>
/// The extents of one class that wait behind its ready tasks, oldest first; a list threaded through
/// <see cref="ExtentLinks"/>. Extent plus one; 0: none. Owned by the PLM's core.
/// </summary>
internal sealed class HoldQueue(ushort classId, byte priority)
{
    public ushort Class { get; } = classId;

    public byte Priority { get; } = priority;

    public uint Head { get; set; }

    public uint Tail { get; set; }

    /// <summary>The last one, while it takes more tasks.</summary>
    public uint Open { get; set; }

    /// <summary>Payload bytes in it.</summary>
    public long OpenBytes { get; set; }

    /// <summary>In the core's list of queues that are not empty.</summary>
    public bool IsListed { get; set; }
}
