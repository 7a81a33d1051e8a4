// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Muster.Core;

namespace Muster.Arena.Slabs;

/// <summary>
/// The bytes of payloads or results in the arena. A block is named by its offset in 16-byte units, from 4; 0 is no
/// block, because the first 64 bytes hold the region's own words. Reading a block is safe while the slot that names it
/// is in a state that owns it. A zeroed area is a region without used blocks.
/// <para>Memory order: the bytes of a block are plain; the step of the slot that names it publishes them. Used bytes
/// are written by the region's one allocator with release and are for people.</para>
/// </summary>
internal sealed unsafe class SlabRegion
{
    public const int UnitBytes = 16;

    /// <summary>A cache line, so that blocks of whole lines lie on lines.</summary>
    public const int HeaderBytes = 64;

    /// <summary>The first that a block can be.</summary>
    public const uint FirstUnit = HeaderBytes / UnitBytes;

    /// <summary>Blocks are named by 32 bits of units.</summary>
    public const long RegionBytesMax = 64L << 30;

    private const long UsedBytesOffset = 0;

    // Never read: it keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly byte* _base;
    private readonly long _bytes;

    internal SlabRegion(ArenaMemory memory, long offset, long bytes)
    {
        Invariant.That(bytes is > HeaderBytes and <= RegionBytesMax);
        _memory = memory;
        _base = memory.At(offset, bytes);
        _bytes = bytes;
    }

    /// <summary>Bytes that blocks can lie in.</summary>
    public long CapacityBytes => _bytes - HeaderBytes;

    /// <summary>Bytes in use, as the allocator last published it.</summary>
    public long UsedBytes
    {
        get => Volatile.Read(ref *(long*)(_base + UsedBytesOffset));
        set => Volatile.Write(ref *(long*)(_base + UsedBytesOffset), value);
    }

    /// <summary>Whether a block can be there; for those who read its name while others may change it.</summary>
    public bool Covers(uint block, int length) =>
        length == 0 || (block >= FirstUnit && length > 0 && (long)block * UnitBytes <= _bytes - length);

    /// <summary>The bytes of a block. Index and length are checked against the region.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Bytes(uint block, int length)
    {
        if (length == 0)
        {
            return default;
        }

        var start = (long)block * UnitBytes;
        Invariant.That(block >= FirstUnit && length > 0 && start <= _bytes - length);
        return new Span<byte>(_base + start, length);
    }
}
