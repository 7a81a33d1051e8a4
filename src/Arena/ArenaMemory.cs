// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Arena;

/// <summary>
/// The bytes of one mapped arena. Everything in the arena is built over it as <c>(memory, offset, sizes)</c>: such a
/// constructor only looks (the memory may be mapped read-only, and other processes may be at work in it); what must be
/// written once into a new arena is written by that type's <c>Initialise</c>, which only the creator calls, on memory
/// that is all zero, before any other process can see it.
/// Owner: <see cref="ArenaMap"/>, which disposes it when no thread can touch the arena any more.
/// </summary>
internal sealed unsafe class ArenaMemory : IDisposable
{
    private readonly MappedPages _pages;
    private readonly byte* _base;

    public ArenaMemory(MappedPages pages, bool isReadOnly)
    {
        _pages = pages;
        _base = pages.Base;
        Length = pages.Length;
        IsReadOnly = isReadOnly;
    }

    public long Length { get; }

    /// <summary>What is mapped; null: anonymous memory.</summary>
    public SafeFileHandle? File { get; init; }

    /// <summary>Writing raises SIGSEGV, which ends the process.</summary>
    public bool IsReadOnly { get; }

    /// <summary>Zeroed anonymous pages of this process and its forks alone.</summary>
    public static ArenaMemory CreatePrivate(long bytes) => new(MappedPages.MapPrivate(bytes), isReadOnly: false);

    /// <summary>
    /// The address of <paramref name="bytes"/> bytes at <paramref name="offset"/>, checked against the arena. Valid
    /// until the arena is disposed. Take it once at construction and keep it; the pages never move.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* At(long offset, long bytes)
    {
        Invariant.That(offset >= 0 && bytes >= 0 && offset <= Length - bytes);
        return _base + offset;
    }

    /// <summary>
    /// Spares the first users of these first bytes the page faults; returns at once. Not for read-only maps.
    /// </summary>
    public void PopulateInBackground(long bytes) => _pages.PopulateInBackground(bytes);

    /// <summary>
    /// Reserves pages of the file that were left out when it was made; a page that is not there ends whoever touches it
    /// when memory has run out. Anonymous memory has no such pages. False: there is no memory.
    /// </summary>
    public bool TryReserve(long offset, long bytes)
    {
        Invariant.That(!IsReadOnly && offset >= 0 && bytes > 0 && offset <= Length - bytes);
        return File is null || Fallocate.Reserve(File, offset, bytes) == 0;
    }

    public void Dispose() => _pages.Dispose();
}
