// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Arena.Slabs;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Arena.Slabs;

public sealed class SlabAllocatorTests : IDisposable
{
    private const uint First = SlabRegion.FirstUnit;
    private const int Megabyte = 1 << 20;
    private readonly PrivateRegion _private = new(8 * Megabyte);

    private SlabRegion Region => _private.Region;

    public void Dispose() => _private.Dispose();

    [Fact]
    public void TryAllocate_EverySizeClass_GivesBytesOfItsOwn()
    {
        var slabs = _private.NewAllocator();
        var blocks = new List<(uint Block, int Length)>();
        for (var slabClass = 0; SlabClasses.BlockBytes(slabClass) <= 512 * 1024; slabClass++)
        {
            var length = SlabClasses.BlockBytes(slabClass);
            Assert.True(slabs.TryAllocate(length, out var block));
            Region.Bytes(block, length).Fill((byte)(slabClass + 1));
            blocks.Add((block, length));
        }

        Assert.Equal(blocks.Sum(one => (long)one.Length), Region.UsedBytes);
        for (var slabClass = 0; slabClass < blocks.Count; slabClass++)
        {
            var (block, length) = blocks[slabClass];
            Assert.Equal(-1, Region.Bytes(block, length).IndexOfAnyExcept((byte)(slabClass + 1)));
            slabs.Free(block, length);
        }

        Assert.Equal(0, Region.UsedBytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(320)]
    [InlineData(5_000)]
    [InlineData(16_384)]
    [InlineData(57_344)]
    [InlineData(1_000_000)]
    public void TryAllocate_UntilFull_UsesNearlyTheWholeRegionAndThenRefuses(int length)
    {
        var slabs = _private.NewAllocator();
        var blocks = Fill(slabs, length);
        var size = SlabClasses.BlockBytes(SlabClasses.Of(length));
        var runBytes = SlabClasses.RunPages(SlabClasses.Of(length)) * SlabClasses.PageBytes;
        Assert.True(blocks.Count * (long)size > Region.CapacityBytes - SlabClasses.PageBytes - runBytes);
        Assert.Equal(blocks.Count, blocks.Distinct().Count());
        slabs.Free(blocks[3], length);
        Assert.True(slabs.TryAllocate(length, out var again));
        Assert.Equal(blocks[3], again);
    }

    [Fact]
    public void TryAllocate_AfterAnotherWorkload_GetsItsMemory()
    {
        // A region full of small blocks, freed in random order, must serve the largest block, and the other way round.
        var slabs = _private.NewAllocator();
        var random = new Random(7);
        foreach (var length in new[] { 64, 4 * Megabyte, 320, 3_000, 40_000, 4 * Megabyte, 1_792, 200_000 })
        {
            var blocks = Fill(slabs, length).ToArray();
            Assert.NotEmpty(blocks);
            random.Shuffle(blocks);
            Array.ForEach(blocks, block => slabs.Free(block, length));
            Assert.Equal(0, Region.UsedBytes);
        }
    }

    [Fact]
    public void ZeroLength_IsBlockZero_AndCostsNothing()
    {
        var slabs = new SlabAllocator(Region);
        Assert.True(slabs.TryClaim(0, 0));
        Assert.False(slabs.TryClaim(0, 1));
        slabs.EndClaims();
        Assert.True(slabs.TryAllocate(0, out var block));
        Assert.Equal(0u, block);
        Assert.False(slabs.IsUsed(0, 0));
        slabs.Free(0, 0);
        Assert.True(Region.Bytes(0, 0).IsEmpty);
        Assert.Equal(0, Region.UsedBytes);
    }

    [Fact]
    public void Free_TwiceOrWithAnotherLength_IsABrokenInvariant()
    {
        var slabs = _private.NewAllocator();
        Assert.True(slabs.TryAllocate(100, out var block));
        Assert.True(slabs.TryAllocate(100, out var other));
        Assert.Throws<InvariantException>(() => slabs.Free(block, 300));
        Assert.Throws<InvariantException>(() => slabs.Free(block + 1, 100));
        slabs.Free(block, 97);
        Assert.Throws<InvariantException>(() => slabs.Free(block, 100));
        Assert.True(slabs.IsUsed(other, 112));
        Assert.Throws<InvariantException>(() => slabs.Free(uint.MaxValue, 100));
    }

    [Fact]
    public void IsUsed_OtherBlockLengthClassOrPlace_IsFalse()
    {
        var slabs = _private.NewAllocator();
        Assert.True(slabs.TryAllocate(640, out var block));
        Assert.True(slabs.IsUsed(block, 513));
        Assert.False(slabs.IsUsed(block, 512));
        Assert.False(slabs.IsUsed(block, 641));
        Assert.False(slabs.IsUsed(block + 1, 640));
        Assert.False(slabs.IsUsed(block + 10, 640));
        Assert.False(slabs.IsUsed(uint.MaxValue, 640));
        Assert.False(slabs.IsUsed(block, -1));
        Assert.False(slabs.IsUsed(block, int.MaxValue));
    }

    [Fact]
    public void TryClaim_BlocksOfAnEarlierAllocatorInAnyOrder_TakesOverExactly()
    {
        var random = new Random(11);
        var before = _private.NewAllocator();
        var blocks = new List<(uint Block, int Length)>();
        int length;
        while (before.TryAllocate(length = 1 + RandomLength(random), out var block))
        {
            blocks.Add((block, length));
        }

        var kept = blocks.Where(_ => random.Next(3) > 0).ToArray();
        random.Shuffle(kept);
        var after = new SlabAllocator(Region);
        Assert.All(kept, one => Assert.True(after.TryClaim(one.Block, one.Length)));
        Assert.All(kept, one => Assert.False(after.TryClaim(one.Block, one.Length)));
        after.EndClaims();
        Assert.Equal(
            kept.Sum(one => (long)SlabClasses.BlockBytes(SlabClasses.Of(one.Length))), Region.UsedBytes);
        Assert.Equal(kept.Length, blocks.Count(one => after.IsUsed(one.Block, one.Length)));
        Array.ForEach(kept, one => after.Free(one.Block, one.Length));
        Assert.Equal(0, Region.UsedBytes);
        Assert.True(after.TryAllocate(4 * Megabyte, out _));
    }

    [Fact]
    public void TryClaim_OverlapsOrOutOfTheRegion_IsFalseAndChangesNothing()
    {
        var slabs = new SlabAllocator(Region);
        Assert.True(slabs.TryClaim(First, 320));
        Assert.False(slabs.TryClaim(First, 64));
        Assert.False(slabs.TryClaim(First + 1, 320));
        Assert.False(slabs.TryClaim(First + 256, 20_000));
        Assert.True(slabs.TryClaim(First + (5 * 256), 20_000));
        Assert.False(slabs.TryClaim(First, 4 * Megabyte));
        Assert.False(slabs.TryClaim(First + 2_047 * 256, 64));
        Assert.False(slabs.TryClaim(First + 2_046 * 256, 20_000));
        Assert.False(slabs.TryClaim(uint.MaxValue, 64));
        Assert.False(slabs.TryClaim(First + 100 * 256, 0));
        Assert.False(slabs.TryClaim(First + 100 * 256, -5));
        Assert.False(slabs.TryClaim(First + 100 * 256, int.MaxValue));
        slabs.EndClaims();
        Assert.Equal(320 + 20_480, Region.UsedBytes);
    }

    [Fact]
    public void Free_DuringClaims_MakesRoomForOtherClaims()
    {
        // The Register drains the ring of freed blocks between its claims and its first allocation.
        var slabs = new SlabAllocator(Region);
        Assert.True(slabs.TryClaim(First, 320));
        Assert.True(slabs.TryClaim(First + 20, 320));
        slabs.Free(First, 320);
        Assert.False(slabs.IsUsed(First, 320));
        Assert.False(slabs.TryClaim(First, 64));
        slabs.Free(First + 20, 320);
        Assert.True(slabs.TryClaim(First, 64));
        slabs.EndClaims();
        Assert.Equal(64, Region.UsedBytes);
    }

    [Fact]
    public void ClaimsAndAllocations_OutOfTheirTime_AreBrokenInvariants()
    {
        var slabs = new SlabAllocator(Region);
        Assert.Throws<InvariantException>(() => slabs.TryAllocate(1, out _));
        slabs.EndClaims();
        Assert.Throws<InvariantException>(() => slabs.TryClaim(First, 1));
        Assert.Throws<InvariantException>(slabs.EndClaims);
    }

    [Fact]
    public void AllocateAndFree_InSteadyState_AllocateNothing()
    {
        var slabs = _private.NewAllocator();
        var random = new Random(5);
        var held = new (uint Block, int Length)[64];
        var before = 0L;
        for (var step = 0; step < 40_000; step++)
        {
            before = step == 20_000 ? GC.GetAllocatedBytesForCurrentThread() : before;
            ref var one = ref held[random.Next(held.Length)];
            slabs.Free(one.Block, one.Length);
            one.Length = RandomLength(random);
            if (!slabs.TryAllocate(one.Length, out one.Block))
            {
                one = default;
            }
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Region_BytesOutOfIt_AreABrokenInvariant()
    {
        Assert.Equal((8 * Megabyte) - 64, Region.CapacityBytes);
        Assert.Equal(64, Region.Bytes((8 * Megabyte / 16) - 4, 64).Length);
        Assert.Throws<InvariantException>(() => Region.Bytes((8 * Megabyte / 16) - 4, 65).Length);
        Assert.Throws<InvariantException>(() => Region.Bytes(First - 1, 1).Length);
        Assert.Throws<InvariantException>(() => Region.Bytes(uint.MaxValue, 1).Length);
        Assert.Throws<InvariantException>(() => Region.Bytes(First, -1).Length);
    }

    private static int RandomLength(Random random) => random.Next(0, 2 << random.Next(17));

    private static List<uint> Fill(SlabAllocator slabs, int length)
    {
        var blocks = new List<uint>();
        while (slabs.TryAllocate(length, out var block))
        {
            blocks.Add(block);
        }

        return blocks;
    }
}
