// SPDX-License-Identifier: Apache-2.0
using System.Buffers;
using Grpc.Core;

namespace Muster.Server.Endpoint;

/// <summary>Shows one received message, still in the pipe's own memory, to a deserializer. Reused within a
/// call.</summary>
internal sealed class ReceivedMessage : DeserializationContext
{
    private ReadOnlySequence<byte> _payload;

    public override int PayloadLength => (int)_payload.Length;

    public void Show(in ReadOnlySequence<byte> payload) => _payload = payload;

    public override byte[] PayloadAsNewBuffer() => _payload.ToArray();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => _payload;
}
