// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Arena.Slabs;

namespace Muster.Unit.Arena;

/// <summary>A slab region over anonymous memory.</summary>
internal sealed class PrivateRegion : IDisposable
{
    private readonly ArenaMemory _memory;

    public PrivateRegion(long bytes)
    {
        _memory = ArenaMemory.CreatePrivate(bytes);
        Region = new SlabRegion(_memory, 0, bytes);
    }

    public SlabRegion Region { get; }

    /// <summary>An allocator that is past its claims.</summary>
    public SlabAllocator NewAllocator()
    {
        var allocator = new SlabAllocator(Region);
        allocator.EndClaims();
        return allocator;
    }

    public void Dispose() => _memory.Dispose();
}
