// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>
/// Bits of <see cref="Arena.Tables.TaskSlot.Flags"/> above those that other roles know. Both are set only in Done and
/// tell a successor how far the freeing of an ended task had come.
/// </summary>
internal static class SlotFlags
{
    /// <summary>The client has the result for good, or its retention ended: never deliver it again.</summary>
    public const byte Released = 4;

    /// <summary>The record that gives the result block back may be in the ring already: never write it again.</summary>
    public const byte Returned = 8;
}
