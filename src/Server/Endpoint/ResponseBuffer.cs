// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Grpc.Core;
using Muster.Core;

namespace Muster.Server.Endpoint;

/// <summary>
/// Where a serializer puts one response: with its length known, prefix and bytes go straight into the pipe; without,
/// the message is gathered first. Reused within a call; one writer at a time.
/// </summary>
internal sealed class ResponseBuffer(PipeWriter pipe, int messageBytesMax) : SerializationContext
{
    public const int PrefixBytes = 5;

    private ArrayBufferWriter<byte>? _gathered;
    private int _length = -1;
    private bool _completed;

    public static void WritePrefix(Span<byte> place, int length)
    {
        place[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(place[1..], (uint)length);
    }

    public void Begin()
    {
        _length = -1;
        _completed = false;
        _gathered?.ResetWrittenCount();
    }

    /// <summary>Checks that the serializer did its part.</summary>
    public void End() => Invariant.That(_completed);

    public override void SetPayloadLength(int payloadLength)
    {
        RefuseOverLimit(payloadLength);
        _length = payloadLength;
    }

    public override IBufferWriter<byte> GetBufferWriter()
    {
        if (_length < 0)
        {
            return _gathered ??= new ArrayBufferWriter<byte>();
        }

        PutPrefix(_length);
        return pipe;
    }

    public override void Complete()
    {
        Invariant.That(!_completed);
        if (_length < 0)
        {
            var bytes = _gathered is null ? [] : _gathered.WrittenSpan;
            RefuseOverLimit(bytes.Length);
            PutPrefix(bytes.Length);
            pipe.Write(bytes);
        }

        _completed = true;
    }

    public override void Complete(byte[] payload)
    {
        Invariant.That(!_completed);
        RefuseOverLimit(payload.Length);
        PutPrefix(payload.Length);
        pipe.Write(payload);
        _completed = true;
    }

    private void PutPrefix(int length)
    {
        WritePrefix(pipe.GetSpan(PrefixBytes), length);
        pipe.Advance(PrefixBytes);
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
