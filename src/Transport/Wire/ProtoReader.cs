// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Muster.Transport.Wire;

/// <summary>
/// Reads protobuf fields straight from a span: the codec of the few hot messages, which makes no garbage. Damaged input
/// throws <see cref="WireFormatException"/>, never anything else, and never reads outside the span.
/// </summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;

    /// <summary>Field number of the field that <see cref="NextField"/> found.</summary>
    public int Field { get; private set; }

    /// <summary>Wire type of that field: 0 varint, 1 fixed64, 2 length-delimited, 5 fixed32.</summary>
    public int WireType { get; private set; }

    public readonly int Position => _position;

    /// <summary>Moves to the next field; false at the end.</summary>
    public bool NextField()
    {
        if (_position >= _bytes.Length)
        {
            return false;
        }

        var tag = ReadVarint();
        Field = (int)(tag >> 3);
        WireType = (int)(tag & 7);
        if (Field == 0 || tag > uint.MaxValue)
        {
            throw new WireFormatException("a field has number 0 or an impossible tag");
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong ReadVarint()
    {
        if (_position < _bytes.Length && _bytes[_position] < 0x80)
        {
            return _bytes[_position++];
        }

        return ReadVarintSlow();
    }

    public uint ReadUInt32() => (uint)ReadVarint();

    public ulong ReadFixed64()
    {
        Need(8);
        var value = BinaryPrimitives.ReadUInt64LittleEndian(_bytes[_position..]);
        _position += 8;
        return value;
    }

    public bool ReadBool() => ReadVarint() != 0;

    /// <summary>The bytes of a length-delimited field: string, bytes, message or packed numbers.</summary>
    public ReadOnlySpan<byte> ReadBytes()
    {
        if (WireType != 2)
        {
            throw new WireFormatException($"field {Field} has wire type {WireType} instead of 2");
        }

        var length = ReadVarint();
        if (length > (ulong)(_bytes.Length - _position))
        {
            throw new WireFormatException($"field {Field} is longer than its message");
        }

        var span = _bytes.Slice(_position, (int)length);
        _position += (int)length;
        return span;
    }

    /// <summary>Passes over a field that this version does not know.</summary>
    public void Skip()
    {
        switch (WireType)
        {
            case 0:
                ReadVarint();
                break;
            case 1:
                Need(8);
                _position += 8;
                break;
            case 2:
                ReadBytes();
                break;
            case 5:
                Need(4);
                _position += 4;
                break;
            default:
                throw new WireFormatException($"field {Field} has unknown wire type {WireType}");
        }
    }

    private ulong ReadVarintSlow()
    {
        // Up to eight bytes at once: the lengths of nested messages take four (see ProtoWriter).
        if (_bytes.Length - _position >= sizeof(ulong))
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(_bytes[_position..]);
            var ends = ~word & 0x8080_8080_8080_8080;
            if (ends != 0)
            {
                var bits = BitOperations.TrailingZeroCount(ends) + 1;
                _position += bits / 8;
                return Compact(word & (ulong.MaxValue >> (64 - bits)));
            }
        }

        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            Need(1);
            var part = _bytes[_position++];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }

        throw new WireFormatException("a varint is longer than 10 bytes");
    }

    // Eight groups of seven bits, each with a bit of its own above it, to one number.
    private static ulong Compact(ulong word)
    {
        word = ((word & 0x7f00_7f00_7f00_7f00) >> 1) | (word & 0x007f_007f_007f_007f);
        word = ((word & 0x3fff_0000_3fff_0000) >> 2) | (word & 0x0000_3fff_0000_3fff);
        return ((word & 0x0fff_ffff_0000_0000) >> 4) | (word & 0x0000_0000_0fff_ffff);
    }

    private readonly void Need(int count)
    {
        if (_bytes.Length - _position < count)
        {
            throw new WireFormatException("the message ends inside a field");
        }
    }
}
