// SPDX-License-Identifier: Apache-2.0
using System.Numerics;
using Muster.Core;

namespace Muster.Arena.Slabs;

/// <summary>
/// The sizes of blocks: multiples of 16 up to 256 bytes, then four steps to each power of two (320, 384, 448, 512, 640
/// ...) up to 4 MiB. A block is at most 15 bytes, and above 256 bytes at most a quarter, longer than what was asked
/// for. Blocks of one size fill a run of 1, 3, 5 ... or 15 pages exactly, because each size is one of these odd numbers
/// times a power of two; sizes that are whole pages have a run each. So no run has a wasted rest. Pages are small
/// enough that the largest run of small blocks has 256 of them, which is what one <see cref="SlabPage"/> has bits for.
/// </summary>
internal static class SlabClasses
{
    public const int Count = 72;
    public const int PageBytes = 4 * 1024;
    public const int BlockBytesMax = 4 * 1024 * 1024;
    public const int RunPagesMax = BlockBytesMax / PageBytes;
    public const int RunBlocksMax = 256;

    private const int LinearClasses = 16;
    private const int LinearBytes = 16;
    private const int LinearBytesMax = LinearClasses * LinearBytes;
    private const int FirstPower = 8;

    private static readonly int[] s_blockBytes = BuildBlockBytes();
    private static readonly int[] s_runPages = BuildRunPages();

    /// <summary>The class of the smallest blocks that hold <paramref name="length"/> bytes, 1 to 4 MiB.</summary>
    public static int Of(int length)
    {
        Invariant.That(length is > 0 and <= BlockBytesMax);
        if (length <= LinearBytesMax)
        {
            return (length - 1) / LinearBytes;
        }

        var last = (uint)length - 1;
        var power = BitOperations.Log2(last);
        var quarter = (int)(last >> (power - 2)) & 3;
        return LinearClasses + ((power - FirstPower) * 4) + quarter;
    }

    public static int BlockBytes(int slabClass) => s_blockBytes[slabClass];

    /// <summary>Pages of one run.</summary>
    public static int RunPages(int slabClass) => s_runPages[slabClass];

    /// <summary>Blocks that one run holds, 1 to 256.</summary>
    public static int RunBlocks(int slabClass) => s_runPages[slabClass] * PageBytes / s_blockBytes[slabClass];

    private static int[] BuildBlockBytes()
    {
        var sizes = new int[Count];
        for (var index = 0; index < Count; index++)
        {
            var step = index - LinearClasses;
            sizes[index] = step < 0
                ? (index + 1) * LinearBytes
                : (5 + (step % 4)) << (FirstPower - 2 + (step / 4));
        }

        return sizes;
    }

    private static int[] BuildRunPages()
    {
        var pages = new int[Count];
        for (var index = 0; index < Count; index++)
        {
            var size = s_blockBytes[index];
            pages[index] = size % PageBytes == 0 ? size / PageBytes : size >> BitOperations.TrailingZeroCount(size);
        }

        return pages;
    }
}
