// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;

namespace Grpc.Core;

/// <summary>
/// Collects one message in an array of its own: the slow way, for <see cref="Marshaller{T}.Serializer"/>.
/// </summary>
internal sealed class ArraySerializationContext : SerializationContext
{
    private readonly ArrayBufferWriter<byte> _writer = new();
    private byte[]? _payload;

    public byte[] Payload => _payload ?? throw new InvalidOperationException("The serializer did not call Complete.");

    public override void Complete(byte[] payload) => _payload = payload;

    public override void Complete() => _payload = _writer.WrittenSpan.ToArray();

    public override IBufferWriter<byte> GetBufferWriter() => _writer;

    public override void SetPayloadLength(int payloadLength)
    {
        // The array grows as it is written, so the length is no news.
    }
}
