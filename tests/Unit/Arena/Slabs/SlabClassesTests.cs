// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Arena.Slabs;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Arena.Slabs;

public sealed class SlabClassesTests
{
    [Fact]
    public void BlockBytes_OfSuccessiveClasses_AreTheDocumentedSizes()
    {
        var sizes = Enumerable.Range(0, SlabClasses.Count).Select(SlabClasses.BlockBytes).ToArray();
        Assert.Equal(Enumerable.Range(1, 16).Select(size => size * 16), sizes[..16]);
        Assert.Equal([320, 384, 448, 512, 640, 768, 896, 1024], sizes[16..24]);
        Assert.Equal(SlabClasses.BlockBytesMax, sizes[^1]);
        Assert.Equal(sizes.Order().Distinct(), sizes);
    }

    [Fact]
    public void Of_EveryLength_IsTheSmallestClassThatHoldsIt()
    {
        var expected = 0;
        for (var length = 1; length <= SlabClasses.BlockBytesMax; length++)
        {
            expected += length > SlabClasses.BlockBytes(expected) ? 1 : 0;
            if (SlabClasses.Of(length) != expected)
            {
                Assert.Fail($"length {length}: class {SlabClasses.Of(length)}, expected {expected}");
            }
        }
    }

    [Fact]
    public void Waste_Above256Bytes_IsAtMostAQuarter()
    {
        for (var slabClass = 16; slabClass < SlabClasses.Count; slabClass++)
        {
            var shortest = SlabClasses.BlockBytes(slabClass - 1) + 1;
            Assert.True(SlabClasses.BlockBytes(slabClass) < shortest * 1.25);
        }
    }

    [Fact]
    public void Runs_OfEveryClass_AreFilledExactlyAndFitTheirBits()
    {
        for (var slabClass = 0; slabClass < SlabClasses.Count; slabClass++)
        {
            var bytes = SlabClasses.RunPages(slabClass) * SlabClasses.PageBytes;
            Assert.Equal(bytes, SlabClasses.RunBlocks(slabClass) * SlabClasses.BlockBytes(slabClass));
            Assert.InRange(SlabClasses.RunBlocks(slabClass), 1, SlabClasses.RunBlocksMax);
            Assert.InRange(SlabClasses.RunPages(slabClass), 1, SlabClasses.RunPagesMax);
            Assert.Equal(0, SlabClasses.BlockBytes(slabClass) % SlabRegion.UnitBytes);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(SlabClasses.BlockBytesMax + 1)]
    public void Of_LengthOutOfRange_IsABrokenInvariant(int length)
    {
        Assert.Throws<InvariantException>(() => SlabClasses.Of(length));
    }
}
