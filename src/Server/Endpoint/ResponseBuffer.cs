// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;
using Muster.Core;

namespace Muster.Server.Endpoint;

/// <summary>
/// Where a serializer puts responses, each behind its prefix, until they are written. Grows as needed, up to what the
/// limit of a message allows. Reused within a call; one writer at a time.
/// </summary>
internal sealed class ResponseBuffer(int messageBytesMax) : SerializationContext, IBufferWriter<byte>
{
    public const int PrefixBytes = 5;

    private const int FirstBufferBytes = 256;
    private const int KeptBufferBytesMax = 64 * 1_024;

    private byte[] _bytes = [];
    private int _length;
    private int _begin;
    private bool _isComplete;

    /// <summary>Everything that was serialized since the last <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    public static void WritePrefix(Span<byte> place, int length)
    {
        place[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(place[1..], (uint)length);
    }

    public void Begin()
    {
        _isComplete = false;
        _begin = _length;
        Reserve(PrefixBytes);
        _length += PrefixBytes;
    }

    /// <summary>Checks that the serializer did its part.</summary>
    public void End() => Invariant.That(_isComplete);

    /// <summary>Forgets the message that was begun and could not be serialized.</summary>
    public void TakeBack() => _length = _begin;

    /// <summary>What was serialized has been sent.</summary>
    public void Clear()
    {
        _length = 0;
        if (_bytes.Length > KeptBufferBytesMax)
        {
            GiveBack();
        }
    }

    /// <summary>Hands the rented buffer over with everything that is in it; null: there is none.</summary>
    public byte[]? Detach(out int length)
    {
        length = _length;
        var bytes = _bytes;
        _bytes = [];
        _length = 0;
        return bytes.Length > 0 ? bytes : null;
    }

    public override void SetPayloadLength(int payloadLength)
    {
        RefuseOverLimit(payloadLength);
        Reserve(payloadLength);
    }

    public override IBufferWriter<byte> GetBufferWriter() => this;

    public override void Complete()
    {
        Invariant.That(!_isComplete);
        var length = _length - _begin - PrefixBytes;
        RefuseOverLimit(length);
        WritePrefix(_bytes.AsSpan(_begin), length);
        _isComplete = true;
    }

    public override void Complete(byte[] payload)
    {
        RefuseOverLimit(payload.Length);
        this.Write(payload);
        Complete();
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _bytes.Length - _length);
        _length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    private void Reserve(int count)
    {
        if (_bytes.Length - _length >= count)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(
            Math.Max(FirstBufferBytes, Math.Max(_length + count, _bytes.Length * 2)));
        _bytes.AsSpan(0, _length).CopyTo(larger);
        GiveBack();
        _bytes = larger;
    }

    private void GiveBack()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = [];
    }

    private void RefuseOverLimit(int length)
    {
        if (length > messageBytesMax)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted, $"A response of {length} bytes is over the limit of {messageBytesMax}."));
        }
    }
}
