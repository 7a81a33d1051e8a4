// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;
using Muster.Core;

namespace Muster.Arena.Slabs;

/// <summary>
/// Hands out blocks of a region: size classes in steps of 16 bytes, then of quarter powers of two, up to 4 MiB. It
/// belongs to one role (PLM for payloads, Register for results) and lives in that process's own memory: a role that
/// takes over makes a new one and claims every block that a slot names, so nothing can leak and no lock is needed. Not
/// thread-safe. The block's length is not stored: free and claim are given the same length as allocate.
/// Allocating and freeing cost O(1) and allocate nothing; when the region is full, <see cref="TryAllocate"/> says so.
/// A new one is in its claims until <see cref="EndClaims"/>, also over a new region: until then blocks may be claimed
/// and freed, afterwards allocated and freed.
/// </summary>
internal sealed class SlabAllocator
{
    private const int UnitsPerPage = SlabClasses.PageBytes / SlabRegion.UnitBytes;
    private const int BitsPerWord = 64;

    private readonly PageRuns _pages;

    // The runs of each class that have a used and a free block.
    private readonly int[] _partial = new int[SlabClasses.Count];
    private long _usedBytes;
    private bool _claiming = true;

    public SlabAllocator(SlabRegion region)
    {
        Region = region;
        _pages = new(checked((int)(region.CapacityBytes / SlabClasses.PageBytes)));
        Array.Fill(_partial, SlabPage.None);
    }

    public SlabRegion Region { get; }

    /// <summary>
    /// A block of at least <paramref name="length"/> bytes; false when the region is full. 0 bytes: block 0.
    /// </summary>
    public bool TryAllocate(int length, out uint block)
    {
        Invariant.That(!_claiming);
        block = 0;
        if (length == 0)
        {
            return true;
        }

        var slabClass = SlabClasses.Of(length);
        ref var partial = ref _partial[slabClass];
        if (partial == SlabPage.None)
        {
            var start = _pages.Take(SlabClasses.RunPages(slabClass));
            if (start == SlabPage.None)
            {
                return false;
            }

            MakeRun(start, slabClass);
            _pages.PushFront(ref partial, start);
        }

        var run = partial;
        ref var page = ref _pages[run];
        var bit = TakeFreeBit(ref page);
        if (page.FreeBlocks == 0)
        {
            _pages.Unlink(ref partial, run);
        }

        Publish(_usedBytes + SlabClasses.BlockBytes(slabClass));
        block = BlockAt(run, bit, slabClass);
        return true;
    }

    /// <summary>Gives a block back. Block 0 is ignored; one that is not in use is a broken invariant.</summary>
    public void Free(uint block, int length)
    {
        if (block == 0)
        {
            return;
        }

        var slabClass = SlabClasses.Of(length);
        Invariant.That(TryFindUsed(block, slabClass, out var run, out var bit));
        ref var page = ref _pages[run];
        page.Used[bit / BitsPerWord] &= ~(1UL << (bit % BitsPerWord));
        page.FreeBlocks++;
        var isEmpty = page.FreeBlocks == SlabClasses.RunBlocks(slabClass);
        if (_claiming)
        {
            _usedBytes -= SlabClasses.BlockBytes(slabClass);
            if (isEmpty)
            {
                _pages.MarkFree(run, SlabClasses.RunPages(slabClass));
            }

            return;
        }

        // A run is listed while it has both used and free blocks; one that was full is not in the list yet.
        var wasFull = page.FreeBlocks == 1;
        if (isEmpty && !wasFull)
        {
            _pages.Unlink(ref _partial[slabClass], run);
        }
        else if (!isEmpty && wasFull)
        {
            _pages.PushFront(ref _partial[slabClass], run);
        }

        if (isEmpty)
        {
            _pages.Return(run, SlabClasses.RunPages(slabClass));
        }

        Publish(_usedBytes - SlabClasses.BlockBytes(slabClass));
    }

    /// <summary>
    /// Marks a block as used, before the first allocation of a takeover. False when it overlaps another or the region's
    /// end: then the slot that names it is damaged.
    /// </summary>
    public bool TryClaim(uint block, int length)
    {
        Invariant.That(_claiming);
        if (block == 0 || length is <= 0 or > SlabClasses.BlockBytesMax)
        {
            return block == 0 && length == 0;
        }

        var slabClass = SlabClasses.Of(length);
        if (!TryFindRun(block, slabClass, out var run, out var bit))
        {
            return false;
        }

        if (_pages.AreFree(run, SlabClasses.RunPages(slabClass)))
        {
            _pages.MarkUsed(run, SlabClasses.RunPages(slabClass));
            MakeRun(run, slabClass);
        }

        ref var page = ref _pages[run];
        if (page.Kind != SlabPage.PageKind.RunStart || page.Class != slabClass || IsBitSet(ref page, bit))
        {
            return false;
        }

        page.Used[bit / BitsPerWord] |= 1UL << (bit % BitsPerWord);
        page.FreeBlocks--;
        _usedBytes += SlabClasses.BlockBytes(slabClass);
        return true;
    }

    /// <summary>Ends the claims; allocation starts.</summary>
    public void EndClaims()
    {
        Invariant.That(_claiming);
        _claiming = false;
        _pages.ListFree();
        for (var run = 0; run < _pages.Count; run++)
        {
            ref var page = ref _pages[run];
            if (page.Kind == SlabPage.PageKind.RunStart && page.FreeBlocks > 0)
            {
                _pages.PushFront(ref _partial[page.Class], run);
            }
        }

        Publish(_usedBytes);
    }

    /// <summary>
    /// Whether the block is in use with this length; makes a repeated free harmless during a takeover.
    /// </summary>
    public bool IsUsed(uint block, int length) =>
        block != 0
        && length is > 0 and <= SlabClasses.BlockBytesMax
        && TryFindUsed(block, SlabClasses.Of(length), out _, out _);

    private bool TryFindUsed(uint block, int slabClass, out int run, out int bit)
    {
        if (!TryFindRun(block, slabClass, out run, out bit))
        {
            return false;
        }

        ref var page = ref _pages[run];
        return page.Kind == SlabPage.PageKind.RunStart && page.Class == slabClass && IsBitSet(ref page, bit);
    }

    /// <summary>
    /// Where the run of a block of this class must start, whether it does or not. There is just one possibility: the
    /// sizes of blocks that share a run are an odd number of pages over a power of two, so of that many successive
    /// pages one alone lies a whole number of blocks below.
    /// </summary>
    private bool TryFindRun(uint block, int slabClass, out int run, out int bit)
    {
        if (block < SlabRegion.FirstUnit)
        {
            run = SlabPage.None;
            bit = 0;
            return false;
        }

        var unit = block - SlabRegion.FirstUnit;
        var units = (uint)SlabClasses.BlockBytes(slabClass) / SlabRegion.UnitBytes;
        var page = (int)(unit / UnitsPerPage);
        for (var back = 0; back < SlabClasses.RunPages(slabClass) && back <= page; back++)
        {
            run = page - back;
            var distance = unit - ((uint)run * UnitsPerPage);
            if (distance % units == 0)
            {
                bit = (int)(distance / units);
                return bit < SlabClasses.RunBlocks(slabClass) && run <= _pages.Count - SlabClasses.RunPages(slabClass);
            }
        }

        run = SlabPage.None;
        bit = 0;
        return false;
    }

    private void MakeRun(int start, int slabClass)
    {
        ref var page = ref _pages[start];
        var blocks = SlabClasses.RunBlocks(slabClass);
        page.Class = (byte)slabClass;
        page.FreeBlocks = (ushort)blocks;
        for (var word = 0; word < SlabClasses.RunBlocksMax / BitsPerWord; word++)
        {
            var inWord = Math.Clamp(blocks - (word * BitsPerWord), 0, BitsPerWord);
            page.Used[word] = inWord == BitsPerWord ? 0 : ulong.MaxValue << inWord;
        }
    }

    private void Publish(long usedBytes)
    {
        Invariant.That(usedBytes >= 0 && usedBytes <= Region.CapacityBytes);
        _usedBytes = usedBytes;
        Region.UsedBytes = usedBytes;
    }

    private static int TakeFreeBit(ref SlabPage page)
    {
        Invariant.That(page.FreeBlocks > 0);
        var word = 0;
        while (page.Used[word] == ulong.MaxValue)
        {
            word++;
        }

        var bit = BitOperations.TrailingZeroCount(~page.Used[word]);
        page.Used[word] |= 1UL << bit;
        page.FreeBlocks--;
        return (word * BitsPerWord) + bit;
    }

    private static bool IsBitSet(ref SlabPage page, int bit) =>
        (page.Used[bit / BitsPerWord] & (1UL << (bit % BitsPerWord))) != 0;

    private static uint BlockAt(int run, int bit, int slabClass) =>
        SlabRegion.FirstUnit
        + ((uint)run * UnitsPerPage)
        + ((uint)bit * (uint)(SlabClasses.BlockBytes(slabClass) / SlabRegion.UnitBytes));
}
