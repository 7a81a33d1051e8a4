// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;

namespace Muster.Transport.Wire;

/// <summary>
/// One gRPC message as bytes in a rented buffer, for the hot streams whose codec is hand-written. Whoever receives one
/// disposes it; one that is written is disposed by the transport after its bytes were copied out.
/// </summary>
internal sealed class RawMessage : IDisposable
{
    private byte[] _buffer;

    private RawMessage(byte[] buffer, int length)
    {
        _buffer = buffer;
        Length = length;
    }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => _buffer.AsSpan(0, Length);

    /// <summary>The same bytes, for who makes the message.</summary>
    public Span<byte> Place => _buffer.AsSpan(0, Length);

    /// <summary>A message of this length, whose bytes are still to be written.</summary>
    public static RawMessage Rent(int length) => new(ArrayPool<byte>.Shared.Rent(Math.Max(length, 1)), length);

    public static RawMessage Copy(ReadOnlySpan<byte> bytes)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(bytes.Length, 1));
        bytes.CopyTo(buffer);
        return new(buffer, bytes.Length);
    }

    public static RawMessage Copy(in ReadOnlySequence<byte> bytes)
    {
        var length = checked((int)bytes.Length);
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(length, 1));
        bytes.CopyTo(buffer);
        return new(buffer, length);
    }

    /// <summary>Takes over a buffer of the shared pool.</summary>
    public static RawMessage Own(byte[] rented, int length) => new(rented, length);

    /// <summary>As <see cref="Own"/>, with this object, when it was disposed.</summary>
    public bool TryReuse(byte[] rented, int length)
    {
        if (_buffer.Length > 0)
        {
            return false;
        }

        (_buffer, Length) = (rented, length);
        return true;
    }

    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = [];
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
