// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Arena.Slabs;

/// <summary>
/// Hands out blocks of a region: size classes in quarter-power-of-two steps up to 4 MiB. It belongs to one role (PLM for payloads,
/// Register for results) and lives in that process's own memory: a role that takes over makes a new one and claims every
/// block that a slot names, so nothing can leak and no lock is needed. Not thread-safe. The block's length is not stored:
/// free and claim are given the same length as allocate.
/// </summary>
internal sealed class SlabAllocator
{
    public SlabAllocator(SlabRegion region) => throw new NotImplementedException();

    public SlabRegion Region => throw new NotImplementedException();

    /// <summary>A block of at least <paramref name="length"/> bytes; false when the region is full. 0 bytes: block 0.</summary>
    public bool TryAllocate(int length, out uint block) => throw new NotImplementedException();

    /// <summary>Gives a block back. Block 0 is ignored.</summary>
    public void Free(uint block, int length) => throw new NotImplementedException();

    /// <summary>
    /// Marks a block as used, before the first allocation of a takeover. False when it overlaps another or the region's
    /// end: then the slot that names it is damaged.
    /// </summary>
    public bool TryClaim(uint block, int length) => throw new NotImplementedException();

    /// <summary>Ends the claims; allocation starts.</summary>
    public void EndClaims() => throw new NotImplementedException();

    /// <summary>Whether the block is in use with this length; makes a repeated free harmless during a takeover.</summary>
    public bool IsUsed(uint block, int length) => throw new NotImplementedException();
}
