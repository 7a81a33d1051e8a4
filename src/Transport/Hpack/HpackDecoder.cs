// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Transport.Http2;

namespace Muster.Transport.Hpack;

/// <summary>
/// Decodes header blocks, RFC 7541. One per connection and direction, as the table lives on from block to block; used
/// by the receive loop alone. Damage throws <see cref="Http2Exception"/>, as the table is then lost.
/// </summary>
internal sealed class HpackDecoder(int tableBytes)
{
    private readonly DynamicTable _table = new(tableBytes);
    private byte[] _name = new byte[256];
    private byte[] _value = new byte[1024];

    public void Decode(ReadOnlySpan<byte> block, IHeaderSink sink)
    {
        var position = 0;
        var resizable = true;
        while (position < block.Length)
        {
            var first = block[position];
            if ((first & 0xe0) == 0x20)
            {
                Resize(block, ref position, resizable);
                continue;
            }

            resizable = false;
            if ((first & 0x80) != 0)
            {
                var field = Get(ReadInteger(block, ref position, 7));
                sink.OnHeader(field.Name, field.Value, field);
            }
            else
            {
                // 01: kept in the table; 0000 and 0001: not kept.
                Literal(block, ref position, (first & 0x40) != 0, sink);
            }
        }
    }

    /// <summary>Reads a number whose first bits share a byte with a mark, RFC 7541 section 5.1.</summary>
    internal static int ReadInteger(ReadOnlySpan<byte> block, ref int position, int prefixBits)
    {
        var mask = (1 << prefixBits) - 1;
        long value = Next(block, ref position) & mask;
        if (value < mask)
        {
            return (int)value;
        }

        for (var shift = 0; shift <= 28; shift += 7)
        {
            var part = Next(block, ref position);
            value += (long)(part & 0x7f) << shift;
            if (value > int.MaxValue)
            {
                break;
            }

            if (part < 0x80)
            {
                return (int)value;
            }
        }

        throw Damaged("an integer is too large");
    }

    private static byte Next(ReadOnlySpan<byte> block, ref int position) =>
        position < block.Length ? block[position++] : throw Damaged("the header block ends inside a field");

    private static Http2Exception Damaged(string what) => new(Http2ErrorCode.CompressionError, what);

    private static ReadOnlySpan<byte> ReadString(ReadOnlySpan<byte> block, ref int position, ref byte[] plain)
    {
        var coded = position < block.Length && (block[position] & 0x80) != 0;
        var length = ReadInteger(block, ref position, 7);
        if (length > block.Length - position)
        {
            throw Damaged("a string is longer than its header block");
        }

        var bytes = block.Slice(position, length);
        position += length;
        if (!coded)
        {
            return bytes;
        }

        var lengthMax = HuffmanCoding.DecodedLengthMax(length);
        if (plain.Length < lengthMax)
        {
            plain = new byte[lengthMax];
        }

        var written = HuffmanCoding.Decode(bytes, plain);
        return written < 0 ? throw Damaged("a Huffman code is damaged") : plain.AsSpan(0, written);
    }

    private void Literal(ReadOnlySpan<byte> block, ref int position, bool keep, IHeaderSink sink)
    {
        var index = ReadInteger(block, ref position, keep ? 6 : 4);
        var name = index == 0 ? ReadString(block, ref position, ref _name) : Get(index).Name;
        var value = ReadString(block, ref position, ref _value);
        if (name.IsEmpty)
        {
            throw new Http2Exception(Http2ErrorCode.ProtocolError, "a header has no name");
        }

        HeaderField? field = null;
        if (keep)
        {
            // Made before the table evicts, since the name may come from the entry that has to go.
            field = new HeaderField(name, value);
            _table.Add(field);
            name = field.Name;
        }

        sink.OnHeader(name, value, field);
    }

    private void Resize(ReadOnlySpan<byte> block, ref int position, bool allowed)
    {
        var size = ReadInteger(block, ref position, 5);
        if (!allowed || !_table.TryResize(size))
        {
            throw Damaged("the header table may not change its size so");
        }
    }

    private HeaderField Get(int index)
    {
        if (index >= 1 && index <= StaticTable.Count)
        {
            return StaticTable.Get(index);
        }

        var age = index - StaticTable.Count - 1;
        return age >= 0 && age < _table.Count ? _table.Get(age) : throw Damaged($"there is no header {index}");
    }
}
