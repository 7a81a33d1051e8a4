// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using Grpc.Core;
using Muster.Transport.Wire;

namespace Muster.Server.Endpoint;

/// <summary>
/// Shows one received message to a deserializer. The bytes are in a rented buffer: a reader of raw messages takes it
/// over, any other reads from it and it goes back. Reused within a call.
/// </summary>
internal sealed class ReceivedMessage : DeserializationContext, IRawSource
{
    private byte[] _bytes = [];
    private int _length;
    private RawMessage? _spare;

    public override int PayloadLength => _length;

    /// <summary>Shows what was rented, until <see cref="Release"/>.</summary>
    public void Show(byte[] rented, int length) => (_bytes, _length) = (rented, length);

    public override byte[] PayloadAsNewBuffer() => _bytes.AsSpan(0, _length).ToArray();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(_bytes, 0, _length);

    RawMessage IRawSource.Take()
    {
        // The object of the last message serves again once that was disposed, so that a stream makes no garbage.
        if (_spare is null || !_spare.TryReuse(_bytes, _length))
        {
            _spare = RawMessage.Own(_bytes, _length);
        }

        _bytes = [];
        return _spare;
    }

    public void Release()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }
    }
}
