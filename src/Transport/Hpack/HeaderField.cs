// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Transport.Hpack;

/// <summary>One header as an indexed table holds it. Immutable but for <see cref="Cached"/>.</summary>
internal sealed class HeaderField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
{
    /// <summary>What RFC 7541 section 4.1 adds to the lengths of name and value.</summary>
    public const int Overhead = 32;

    private readonly byte[] _name = name.ToArray();
    private readonly byte[] _value = value.ToArray();

    public ReadOnlySpan<byte> Name => _name;

    public ReadOnlySpan<byte> Value => _value;

    public int Size => _name.Length + _value.Length + Overhead;

    /// <summary>
    /// What the reader made of this header, so that one which comes with every answer is made only once. Any thread may
    /// set it: all make the same.
    /// </summary>
    public object? Cached { get; set; }
}
