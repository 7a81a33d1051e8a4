// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Muster.Transport.Wire;

/// <summary>
/// Writes protobuf fields into one growing rented buffer: the codec of the few hot messages. Not thread-safe. Nested
/// messages are opened with <see cref="Begin"/> and closed with <see cref="End"/>; their length takes four bytes, so
/// that nothing is measured or moved. Zero values are skipped, as proto3 does.
/// </summary>
internal sealed class ProtoWriter : IDisposable
{
    private byte[] _buffer;
    private int _length;

    public ProtoWriter(int capacity = 4096) => _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    public int Length => _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Clear() => _length = 0;

    /// <summary>Cuts back to an earlier length: takes back what did not fit.</summary>
    public void Truncate(int length) => _length = length;

    public void WriteUInt64(int field, ulong value)
    {
        if (value != 0)
        {
            Reserve(15);
            Varint((ulong)field << 3);
            Varint(value);
        }
    }

    public void WriteUInt32(int field, uint value) => WriteUInt64(field, value);

    public void WriteBool(int field, bool value) => WriteUInt64(field, value ? 1u : 0u);

    public void WriteFixed64(int field, ulong value)
    {
        if (value != 0)
        {
            Reserve(13);
            Varint(((ulong)field << 3) | 1);
            Fixed64(value);
        }
    }

    public void WriteBytes(int field, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            WriteBytesAlways(field, value);
        }
    }

    /// <summary>Writes the field also when it is empty: an element of a repeated field.</summary>
    public void WriteBytesAlways(int field, ReadOnlySpan<byte> value)
    {
        Reserve(10 + value.Length);
        Varint(((ulong)field << 3) | 2);
        Varint((uint)value.Length);
        value.CopyTo(_buffer.AsSpan(_length));
        _length += value.Length;
    }

    public void WriteString(int field, string value)
    {
        if (value.Length > 0)
        {
            var count = Encoding.UTF8.GetByteCount(value);
            Reserve(10 + count);
            Varint(((ulong)field << 3) | 2);
            Varint((uint)count);
            _length += Encoding.UTF8.GetBytes(value, _buffer.AsSpan(_length));
        }
    }

    /// <summary>A packed repeated fixed64 field.</summary>
    public void WritePackedFixed64(int field, ReadOnlySpan<ulong> values)
    {
        if (!values.IsEmpty)
        {
            Reserve(10 + (values.Length * 8));
            Varint(((ulong)field << 3) | 2);
            Varint((uint)values.Length * 8);
            foreach (var value in values)
            {
                Fixed64(value);
            }
        }
    }

    /// <summary>A packed repeated uint32 field, of numbers that are not negative.</summary>
    public void WritePackedUInt32(int field, ReadOnlySpan<int> values)
    {
        var begin = Begin(field);
        foreach (var value in values)
        {
            Reserve(5);
            Varint((uint)value);
        }

        End(begin);
    }

    /// <summary>Opens a nested message; the result closes it.</summary>
    public int Begin(int field)
    {
        Reserve(9);
        Varint(((ulong)field << 3) | 2);
        _length += 4;
        return _length;
    }

    /// <summary>
    /// Closes a nested message. Its length stands in four bytes: a varint with padding, which is valid.
    /// </summary>
    public void End(int begin)
    {
        var count = (uint)(_length - begin);
        var place = _buffer.AsSpan(begin - 4);
        place[0] = (byte)(count | 0x80);
        place[1] = (byte)((count >> 7) | 0x80);
        place[2] = (byte)((count >> 14) | 0x80);
        place[3] = (byte)((count >> 21) & 0x7f);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _length = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Reserve(int count)
    {
        if (_buffer.Length - _length < count)
        {
            Grow(count);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int count)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _length + count));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private void Varint(ulong value)
    {
        while (value >= 0x80)
        {
            _buffer[_length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _buffer[_length++] = (byte)value;
    }

    private void Fixed64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(_length), value);
        _length += 8;
    }
}
