// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler.Decisions;

/// <summary>Where the members of running gangs are: lists of places in one array. Grows by doubling.</summary>
internal sealed class GangTable
{
    private Place[] _places = new Place[64];
    private int[] _next = new int[64];
    private int _end;
    private int _free = -1;

    public Place this[int at] => _places[at];

    /// <summary>The place after this one; -1 after the last.</summary>
    public int Next(int at) => _next[at];

    /// <summary>Puts a place before a list (-1: an empty one) and returns the list.</summary>
    public int Add(Place place, int list)
    {
        var at = _free;
        if (at >= 0)
        {
            _free = _next[at];
        }
        else
        {
            at = _end++;
            if (at == _places.Length)
            {
                Array.Resize(ref _places, at * 2);
                Array.Resize(ref _next, at * 2);
            }
        }

        _places[at] = place;
        _next[at] = list;
        return at;
    }

    /// <summary>Frees the first place of a list and returns the rest of it.</summary>
    public int RemoveFirst(int list)
    {
        var rest = _next[list];
        _next[list] = _free;
        _free = list;
        return rest;
    }

    public int Copy(int list, Span<Place> places)
    {
        var count = 0;
        for (var at = list; at >= 0 && count < places.Length; at = _next[at])
        {
            places[count++] = _places[at];
        }

        return count;
    }
}
