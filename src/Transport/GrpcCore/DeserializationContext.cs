// SPDX-License-Identifier: Apache-2.0
using System.Buffers;

namespace Grpc.Core;

/// <summary>One message as received. Valid only during the call of the deserializer.</summary>
internal abstract class DeserializationContext
{
    /// <summary>Size of the message in bytes.</summary>
    public abstract int PayloadLength { get; }

    /// <summary>A copy that the caller may keep.</summary>
    public abstract byte[] PayloadAsNewBuffer();

    /// <summary>The received bytes themselves, not to be kept.</summary>
    public abstract ReadOnlySequence<byte> PayloadAsReadOnlySequence();
}
