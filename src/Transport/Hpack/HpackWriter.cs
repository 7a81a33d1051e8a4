// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Transport.Hpack;

/// <summary>
/// Writes header blocks that touch no table: indexed entries of the static one and literals that are not kept. So a
/// block may be encoded once and sent on any connection. Strings are not Huffman-coded: that saves bytes, not time.
/// </summary>
internal ref struct HpackWriter(Span<byte> bytes)
{
    private readonly Span<byte> _bytes = bytes;

    public int Length { get; private set; }

    /// <summary>Room that a literal needs at most.</summary>
    public static int LiteralLengthMax(int nameLength, int valueLength) => 1 + 5 + nameLength + 5 + valueLength;

    public void Indexed(int index) => Integer(0x80, 7, index);

    public void Literal(int nameIndex, scoped ReadOnlySpan<byte> value)
    {
        Integer(0, 4, nameIndex);
        String(value);
    }

    public void Literal(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        Integer(0, 4, 0);
        String(name);
        String(value);
    }

    /// <summary>Bytes that were encoded before.</summary>
    public void Copy(scoped ReadOnlySpan<byte> block)
    {
        block.CopyTo(_bytes[Length..]);
        Length += block.Length;
    }

    internal void Integer(byte mark, int prefixBits, int value)
    {
        var mask = (1 << prefixBits) - 1;
        if (value < mask)
        {
            _bytes[Length++] = (byte)(mark | value);
            return;
        }

        _bytes[Length++] = (byte)(mark | mask);
        value -= mask;
        while (value >= 0x80)
        {
            _bytes[Length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _bytes[Length++] = (byte)value;
    }

    private void String(scoped ReadOnlySpan<byte> text)
    {
        Integer(0, 7, text.Length);
        Copy(text);
    }
}
