// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;
using Muster.Core;

namespace Muster.Arena.Slabs;

/// <summary>
/// The pages of a region as runs, used and free. Free runs are listed by length (all of 256 pages and more together)
/// under a bitmap, and join with free neighbours when they are returned, so taking and returning cost O(1) beside
/// marking the pages themselves, and memory of one size class serves another as soon as a run is empty.
/// Owned by <see cref="SlabAllocator"/>; not thread-safe.
/// </summary>
internal sealed class PageRuns
{
    private const int LengthMax = SlabClasses.RunPagesMax;
    private const int BitsPerWord = 64;

    private readonly SlabPage[] _pages;
    private readonly int[] _freeByLength = new int[LengthMax + 1];
    private readonly ulong[] _freeLengths = new ulong[(LengthMax / BitsPerWord) + 1];

    public PageRuns(int count)
    {
        Invariant.That(count > 0);
        _pages = new SlabPage[count];
        Array.Fill(_freeByLength, SlabPage.None);
    }

    public int Count => _pages.Length;

    public ref SlabPage this[int page] => ref _pages[page];

    /// <summary>Lists the free pages, once, after the used ones were marked.</summary>
    public void ListFree()
    {
        var start = 0;
        for (var page = 0; page <= _pages.Length; page++)
        {
            if (page < _pages.Length && _pages[page].Kind == SlabPage.PageKind.Free)
            {
                continue;
            }

            if (page > start)
            {
                AddFree(start, page - start);
            }

            start = page + 1;
        }
    }

    /// <summary>The first page of a run of that many pages, marked as used; None when there is no such run.</summary>
    public int Take(int pages)
    {
        var length = ShortestFrom(pages);
        if (length == SlabPage.None)
        {
            return SlabPage.None;
        }

        var start = _freeByLength[length];
        var extent = _pages[start].Extent;
        Invariant.That(extent >= pages && _pages[start].Kind == SlabPage.PageKind.Free);
        RemoveFree(start);
        if (extent > pages)
        {
            AddFree(start + pages, extent - pages);
        }

        MarkUsed(start, pages);
        return start;
    }

    /// <summary>Whether these pages exist and none of them is used.</summary>
    public bool AreFree(int start, int pages)
    {
        if (start < 0 || start > _pages.Length - pages)
        {
            return false;
        }

        for (var page = start; page < start + pages; page++)
        {
            if (_pages[page].Kind != SlabPage.PageKind.Free)
            {
                return false;
            }
        }

        return true;
    }

    public void MarkUsed(int start, int pages)
    {
        for (var back = 0; back < pages; back++)
        {
            ref var page = ref _pages[start + back];
            page.Kind = back == 0 ? SlabPage.PageKind.RunStart : SlabPage.PageKind.RunRest;
            page.Extent = back;
        }
    }

    public void MarkFree(int start, int pages)
    {
        for (var page = start; page < start + pages; page++)
        {
            _pages[page].Kind = SlabPage.PageKind.Free;
        }
    }

    /// <summary>Gives a used run back.</summary>
    public void Return(int start, int pages)
    {
        MarkFree(start, pages);
        if (start > 0 && _pages[start - 1].Kind == SlabPage.PageKind.Free)
        {
            var before = _pages[start - 1].Extent;
            start -= before;
            pages += before;
            RemoveFree(start);
        }

        var end = start + pages;
        if (end < _pages.Length && _pages[end].Kind == SlabPage.PageKind.Free)
        {
            pages += _pages[end].Extent;
            RemoveFree(end);
        }

        AddFree(start, pages);
    }

    /// <summary>Puts a run at the front of a list.</summary>
    public void PushFront(ref int head, int start)
    {
        ref var page = ref _pages[start];
        page.Previous = SlabPage.None;
        page.Next = head;
        if (head != SlabPage.None)
        {
            _pages[head].Previous = start;
        }

        head = start;
    }

    /// <summary>Takes a run out of a list.</summary>
    public void Unlink(ref int head, int start)
    {
        ref var page = ref _pages[start];
        if (page.Previous == SlabPage.None)
        {
            Invariant.That(head == start);
            head = page.Next;
        }
        else
        {
            _pages[page.Previous].Next = page.Next;
        }

        if (page.Next != SlabPage.None)
        {
            _pages[page.Next].Previous = page.Previous;
        }
    }

    private int ShortestFrom(int pages)
    {
        Invariant.That(pages is > 0 and <= LengthMax);
        var word = pages / BitsPerWord;
        var bits = _freeLengths[word] & (ulong.MaxValue << (pages % BitsPerWord));
        while (bits == 0)
        {
            if (++word == _freeLengths.Length)
            {
                return SlabPage.None;
            }

            bits = _freeLengths[word];
        }

        return (word * BitsPerWord) + BitOperations.TrailingZeroCount(bits);
    }

    private void AddFree(int start, int pages)
    {
        _pages[start].Extent = pages;
        _pages[start + pages - 1].Extent = pages;
        var length = Math.Min(pages, LengthMax);
        PushFront(ref _freeByLength[length], start);
        _freeLengths[length / BitsPerWord] |= 1UL << (length % BitsPerWord);
    }

    private void RemoveFree(int start)
    {
        var length = Math.Min(_pages[start].Extent, LengthMax);
        Unlink(ref _freeByLength[length], start);
        if (_freeByLength[length] == SlabPage.None)
        {
            _freeLengths[length / BitsPerWord] &= ~(1UL << (length % BitsPerWord));
        }
    }
}
