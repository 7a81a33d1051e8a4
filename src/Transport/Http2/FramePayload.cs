// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Transport.Http2;

/// <summary>What both halves of a connection check alike in the payload of a frame.</summary>
internal static class FramePayload
{
    private const int PriorityBytes = 5;

    public static Http2Exception Protocol(string message) => new(Http2ErrorCode.ProtocolError, message);

    public static void CheckLength(FrameHeader frame, int length)
    {
        if (frame.Length != length)
        {
            throw new Http2Exception(Http2ErrorCode.FrameSizeError, $"a {frame.Type} frame of {frame.Length} bytes");
        }
    }

    /// <summary>What stands between the padding: RFC 9113 section 6.1.</summary>
    public static (int Start, int Length) Unpad(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if (!frame.Has(FrameFlags.Padded))
        {
            return (0, payload.Length);
        }

        if (payload.IsEmpty || payload[0] >= payload.Length)
        {
            throw Protocol("a frame has more padding than bytes");
        }

        return (1, payload.Length - 1 - payload[0]);
    }

    /// <summary>The part of a HEADERS frame that is header block: RFC 9113 section 6.2.</summary>
    public static ReadOnlySpan<byte> HeaderBlock(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        var (start, length) = Unpad(frame, payload);
        var block = payload.Slice(start, length);
        if (!frame.Has(FrameFlags.Priority))
        {
            return block;
        }

        return block.Length >= PriorityBytes
            ? block[PriorityBytes..]
            : throw new Http2Exception(
                Http2ErrorCode.FrameSizeError, "a HEADERS frame ends inside its priority");
    }

    /// <summary>A window after an update; beyond 2^31 - 1 bytes the peer has broken the protocol.</summary>
    public static int Widen(int window, int increment) => (long)window + increment <= Http2Limits.WindowBytesMax
        ? window + increment
        : throw new Http2Exception(Http2ErrorCode.FlowControlError, "a window became too large");
}
