// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Arena.Rings;

/// <summary>
/// Single-producer single-consumer ring of 16-byte records in the arena. Producer and consumer may be in different
/// processes, each may die at any instruction and be replaced: a record counts once its tail is published.
/// </summary>
/// <typeparam name="T">An unmanaged 16-byte struct.</typeparam>
internal sealed class SpscRing<T>
    where T : unmanaged
{
    public int Capacity => throw new NotImplementedException();

    public int Count => throw new NotImplementedException();

    /// <summary>Producer: appends as many as fit and returns how many.</summary>
    public int TryWrite(ReadOnlySpan<T> items) => throw new NotImplementedException();

    /// <summary>Consumer: takes up to items.Length and returns how many.</summary>
    public int Read(Span<T> items) => throw new NotImplementedException();
}
