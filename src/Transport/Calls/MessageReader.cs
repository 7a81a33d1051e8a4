// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using Grpc.Core;

namespace Muster.Transport.Calls;

/// <summary>Shows received bytes to a deserializer, where they are. One object per thread, reused.</summary>
internal sealed class MessageReader : DeserializationContext
{
    [ThreadStatic]
    private static MessageReader? t_cached;

    private byte[] _buffer = [];
    private int _offset;
    private int _length;

    public override int PayloadLength => _length;

    public static T Deserialize<T>(Marshaller<T> marshaller, byte[] buffer, int offset, int length)
    {
        var reader = t_cached ?? new MessageReader();
        t_cached = null;
        (reader._buffer, reader._offset, reader._length) = (buffer, offset, length);
        try
        {
            return marshaller.ContextualDeserializer(reader);
        }
        finally
        {
            reader._buffer = [];
            t_cached = reader;
        }
    }

    public override byte[] PayloadAsNewBuffer() => _buffer.AsSpan(_offset, _length).ToArray();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(_buffer, _offset, _length);
}
