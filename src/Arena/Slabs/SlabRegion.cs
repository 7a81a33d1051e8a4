// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Arena.Slabs;

/// <summary>
/// The bytes of payloads or results in the arena. A block is named by its offset in 64-byte units, from 1; 0 is no
/// block. Reading a block is safe while the slot that names it is in a state that owns it.
/// </summary>
internal sealed class SlabRegion
{
    public const int UnitBytes = 64;

    public long CapacityBytes => throw new NotImplementedException();

    /// <summary>Bytes in use, as the allocator last published it.</summary>
    public long UsedBytes { get => throw new NotImplementedException(); set => throw new NotImplementedException(); }

    /// <summary>The bytes of a block. Index and length are checked against the region.</summary>
    public Span<byte> Bytes(uint block, int length) => throw new NotImplementedException();
}
