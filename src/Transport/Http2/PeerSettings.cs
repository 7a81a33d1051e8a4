// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;

namespace Muster.Transport.Http2;

/// <summary>
/// What the other side of a connection asks of this one by SETTINGS, RFC 9113 section 6.5.2. Guarded by the
/// connection's lock.
/// </summary>
/// <param name="isServer">The peer is a server, which may not switch push on.</param>
internal sealed class PeerSettings(bool isServer)
{
    private const int EntryBytes = 6;
    private const int LargestFrameBytes = 0xff_ffff;

    /// <summary>The window with which a stream begins.</summary>
    public int WindowBytes { get; private set; } = Http2Limits.DefaultWindowBytes;

    public int FrameBytesMax { get; private set; } = Http2Limits.DefaultFrameBytesMax;

    public uint StreamsMax { get; private set; } = uint.MaxValue;

    /// <summary>
    /// The peer made its header table smaller: RFC 7541 section 4.2 wants that confirmed before the next block.
    /// </summary>
    public bool MustEmptyTable { get; set; }

    /// <summary>Checks what holds for every SETTINGS frame. False: it is an answer to ours and asks nothing.</summary>
    public static bool IsRequest(FrameHeader frame)
    {
        if (frame.StreamId != 0)
        {
            throw FramePayload.Protocol("a SETTINGS frame on a stream");
        }

        if (frame.Has(FrameFlags.Ack))
        {
            FramePayload.CheckLength(frame, 0);
            return false;
        }

        return frame.Length % EntryBytes == 0
            ? true
            : throw new Http2Exception(Http2ErrorCode.FrameSizeError, "a damaged SETTINGS frame");
    }

    /// <summary>Applies the whole frame and gives by how much the windows of running streams change.</summary>
    public long Apply(ReadOnlySpan<byte> payload)
    {
        long before = WindowBytes;
        for (; !payload.IsEmpty; payload = payload[EntryBytes..])
        {
            Apply(
                (SettingId)BinaryPrimitives.ReadUInt16BigEndian(payload),
                BinaryPrimitives.ReadUInt32BigEndian(payload[2..]));
        }

        return WindowBytes - before;
    }

    /// <summary>A running stream's window after such a change; it may become negative.</summary>
    public static int Resize(int window, long change) => window + change is <= Http2Limits.WindowBytesMax
        and >= int.MinValue and var resized
            ? (int)resized
            : throw new Http2Exception(Http2ErrorCode.FlowControlError, "a window became too large");

    private void Apply(SettingId id, uint value)
    {
        switch (id)
        {
            case SettingId.HeaderTableSize:
                MustEmptyTable |= value < Http2Limits.HeaderTableBytes;
                break;
            case SettingId.EnablePush:
                if (value > (isServer ? 0u : 1u))
                {
                    throw FramePayload.Protocol($"push is set to {value}");
                }

                break;
            case SettingId.MaxConcurrentStreams:
                StreamsMax = value;
                break;
            case SettingId.InitialWindowSize:
                WindowBytes = value <= Http2Limits.WindowBytesMax
                    ? (int)value
                    : throw new Http2Exception(Http2ErrorCode.FlowControlError, $"a window of {value} bytes");
                break;
            case SettingId.MaxFrameSize:
                FrameBytesMax = value is >= Http2Limits.DefaultFrameBytesMax and <= LargestFrameBytes
                    ? (int)value
                    : throw FramePayload.Protocol($"a largest frame of {value} bytes");
                break;
            default:
                // The largest header list is advice; ours are bounded far below any peer's. Others are unknown.
                break;
        }
    }
}
