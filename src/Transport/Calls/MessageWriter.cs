// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;

namespace Muster.Transport.Calls;

/// <summary>
/// Serializes one message behind its five-byte prefix into a rented buffer. One object per thread, reused for every
/// message; the buffer goes to the caller, who gives it back to the pool.
/// </summary>
internal sealed class MessageWriter : SerializationContext, IBufferWriter<byte>
{
    /// <summary>The flag for compression and the length, before every message.</summary>
    public const int PrefixBytes = 5;

    [ThreadStatic]
    private static MessageWriter? t_cached;

    private byte[] _buffer = [];
    private int _length;
    private int _bytesMax;
    private bool _complete;

    /// <summary>
    /// Throws <see cref="RpcException"/> with RESOURCE_EXHAUSTED when the message is larger than allowed.
    /// </summary>
    public static (byte[] Buffer, int Length) Serialize<T>(T message, Marshaller<T> marshaller, int bytesMax)
    {
        // Taken out while in use: a serializer may itself lead to another call on this thread.
        var writer = t_cached ?? new MessageWriter();
        t_cached = null;
        try
        {
            return writer.Run(message, marshaller, bytesMax);
        }
        finally
        {
            writer.Reset();
            t_cached = writer;
        }
    }

    public override void Complete(byte[] payload)
    {
        SetPayloadLength(payload.Length);
        payload.CopyTo(GetSpan(payload.Length));
        Advance(payload.Length);
        Complete();
    }

    public override void Complete() => _complete = true;

    public override IBufferWriter<byte> GetBufferWriter() => this;

    public override void SetPayloadLength(int payloadLength)
    {
        Check(payloadLength);
        Reserve(payloadLength);
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _length);
        _length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _buffer.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _buffer.AsSpan(_length);
    }

    private (byte[] Buffer, int Length) Run<T>(T message, Marshaller<T> marshaller, int bytesMax)
    {
        _bytesMax = bytesMax;
        _length = PrefixBytes;
        _complete = false;
        marshaller.ContextualSerializer(message, this);
        if (!_complete)
        {
            throw new InvalidOperationException("The serializer did not call Complete.");
        }

        Reserve(0);
        Check(_length - PrefixBytes);
        _buffer[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(1), _length - PrefixBytes);
        var result = (_buffer, _length);
        _buffer = [];
        return result;
    }

    private void Check(int payloadLength)
    {
        if (payloadLength > _bytesMax)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted,
                $"The message has {payloadLength} bytes; at most {_bytesMax} are sent."));
        }
    }

    private void Reserve(int count)
    {
        if (_buffer.Length - _length >= count && _buffer.Length > 0)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + Math.Max(count, 64), _buffer.Length * 2));
        _buffer.AsSpan(0, Math.Min(_length, _buffer.Length)).CopyTo(larger);
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = larger;
    }

    private void Reset()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }
}
