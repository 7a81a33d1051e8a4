// SPDX-License-Identifier: Apache-2.0
using System.Buffers;

namespace Grpc.Core;

/// <summary>Where a serializer puts its message. Valid only during the call of the serializer.</summary>
internal abstract class SerializationContext
{
    /// <summary>Gives the whole message at once. The array belongs to the transport from here on.</summary>
    public abstract void Complete(byte[] payload);

    /// <summary>Ends a message that was written to <see cref="GetBufferWriter"/>.</summary>
    public abstract void Complete();

    /// <summary>The writer for the message.</summary>
    public abstract IBufferWriter<byte> GetBufferWriter();

    /// <summary>Tells the exact size in bytes before <see cref="GetBufferWriter"/>, which saves copies.</summary>
    public abstract void SetPayloadLength(int payloadLength);
}
