// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.IO;

namespace Muster.Plm.Facts;

/// <summary>
/// Reads what <see cref="FactWriter"/> wrote. The journal has checked the bytes, so what does not fit was written by
/// another version or by a bug: every method throws <see cref="InvalidDataException"/> then.
/// </summary>
internal ref struct FactReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsEmpty => _rest.IsEmpty;

    /// <summary>Of a record of kind Turn: the next fact; false at its end.</summary>
    public bool TryNext(out FactKind kind, out FactReader fact)
    {
        kind = FactKind.None;
        fact = default;
        if (_rest.IsEmpty)
        {
            return false;
        }

        kind = (FactKind)Byte();
        fact = new FactReader(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)))));
        return true;
    }

    public byte Byte() => Take(1)[0];

    public ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("a number in a fact has more than 64 bits");
    }

    public uint UInt32()
    {
        var value = Varint();
        return value <= uint.MaxValue
            ? (uint)value
            : throw new InvalidDataException("a number in a fact has more than 32 bits");
    }

    /// <summary>What was not read yet; refers to the record's own bytes.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public ulong Fixed64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    public float Single() => BinaryPrimitives.ReadSingleLittleEndian(Take(sizeof(float)));

    /// <summary>Refers to the record's own bytes.</summary>
    public ReadOnlySpan<byte> Bytes() => Take(Varint());

    /// <summary>As <see cref="Bytes"/>, of at most so many.</summary>
    public ReadOnlySpan<byte> BytesUpTo(int max)
    {
        var bytes = Bytes();
        return bytes.Length <= max
            ? bytes
            : throw new InvalidDataException($"a field of a fact has {bytes.Length} bytes and {max} fit");
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)_rest.Length)
        {
            throw new InvalidDataException("a fact ends before its last field");
        }

        var taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }
}
