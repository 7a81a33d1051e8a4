// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using Muster.Core;

namespace Muster.Plm.Facts;

/// <summary>
/// Builds the body of a record: facts one after the other, in a buffer that is used again and grows to the largest turn
/// seen. Numbers are little endian; counts and lengths are varints. Used inside turns only.
/// </summary>
internal sealed class FactWriter
{
    private const int HeadBytes = 5;

    private byte[] _bytes = new byte[64 << 10];
    private int _length;
    private int _start = -1;

    /// <summary>The facts so far.</summary>
    public ReadOnlySpan<byte> Written
    {
        get
        {
            Invariant.That(_start < 0);
            return _bytes.AsSpan(0, _length);
        }
    }

    /// <summary>Bytes so far.</summary>
    public int Length => _length;

    /// <summary>Whether a fact was begun and not ended.</summary>
    public bool IsOpen => _start >= 0;

    public void Clear()
    {
        Invariant.That(_start < 0);
        _length = 0;
    }

    /// <summary>Begins a fact; one at a time.</summary>
    public void Begin(FactKind kind)
    {
        Invariant.That(_start < 0);
        _start = _length;
        Grow(HeadBytes);
        _bytes[_length] = (byte)kind;
        _length += HeadBytes;
    }

    public void End()
    {
        Invariant.That(_start >= 0);
        var bytes = (uint)(_length - _start - HeadBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(_start + 1), bytes);
        _start = -1;
    }

    public void Byte(byte value)
    {
        Grow(1);
        _bytes[_length++] = value;
    }

    public void Varint(ulong value)
    {
        Grow(10);
        while (value >= 0x80)
        {
            _bytes[_length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _bytes[_length++] = (byte)value;
    }

    public void Fixed64(ulong value)
    {
        Grow(sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(_length), value);
        _length += sizeof(ulong);
    }

    public void Single(float value)
    {
        Grow(sizeof(float));
        BinaryPrimitives.WriteSingleLittleEndian(_bytes.AsSpan(_length), value);
        _length += sizeof(float);
    }

    /// <summary>Bytes without their length: the last of a fact.</summary>
    public void Raw(ReadOnlySpan<byte> value)
    {
        Grow(value.Length);
        value.CopyTo(_bytes.AsSpan(_length));
        _length += value.Length;
    }

    /// <summary>Length and bytes.</summary>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        Varint((ulong)value.Length);
        Grow(value.Length);
        value.CopyTo(_bytes.AsSpan(_length));
        _length += value.Length;
    }

    private void Grow(int bytes)
    {
        if (_bytes.Length - _length < bytes)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + bytes));
        }
    }
}
