// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Transport.Http2;

/// <summary>
/// Puts a header block together that comes in several frames. Bounded in bytes and in frames, so that neither large nor
/// empty CONTINUATION frames can go on for ever: beyond either the connection is given up. Used by the receive loop
/// alone.
/// </summary>
internal sealed class HeaderBlockBuffer(int bytesMax, int continuationsMax)
{
    private byte[] _block = [];
    private int _length;
    private int _continuations;

    /// <summary>The stream whose block is unfinished; 0: none.</summary>
    public int StreamId { get; private set; }

    /// <summary>Starts with what the HEADERS frame brought.</summary>
    public void Begin(int streamId, ReadOnlySpan<byte> part)
    {
        StreamId = streamId;
        _length = 0;
        _continuations = 0;
        Add(part);
    }

    /// <summary>Takes a CONTINUATION frame; true when the block is whole, and it is shown until the next.</summary>
    public bool TryFinish(FrameHeader frame, ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> block)
    {
        block = default;
        if (StreamId == 0)
        {
            throw FramePayload.Protocol("a CONTINUATION frame without HEADERS");
        }

        if (++_continuations > continuationsMax)
        {
            throw new Http2Exception(Http2ErrorCode.EnhanceYourCalm, "a header block has too many frames");
        }

        Add(payload);
        if (!frame.Has(FrameFlags.EndHeaders))
        {
            return false;
        }

        StreamId = 0;
        block = _block.AsSpan(0, _length);
        return true;
    }

    private void Add(ReadOnlySpan<byte> part)
    {
        var length = _length + part.Length;
        if (length > bytesMax)
        {
            throw new Http2Exception(Http2ErrorCode.EnhanceYourCalm, "a header block is too large");
        }

        if (_block.Length < length)
        {
            Array.Resize(ref _block, Math.Max(length, _block.Length * 2));
        }

        part.CopyTo(_block.AsSpan(_length));
        _length = length;
    }
}
