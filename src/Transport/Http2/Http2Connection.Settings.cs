// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;

namespace Muster.Transport.Http2;

/// <summary>What the server asks of us. Every SETTINGS frame is applied as a whole and then confirmed.</summary>
internal sealed partial class Http2Connection
{
    private void OnSettings(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if (frame.StreamId != 0)
        {
            throw Protocol("a SETTINGS frame on a stream");
        }

        if (frame.Has(FrameFlags.Ack))
        {
            CheckLength(frame, 0);
            return;
        }

        if (payload.Length % 6 != 0)
        {
            throw new Http2Exception(Http2ErrorCode.FrameSizeError, "a damaged SETTINGS frame");
        }

        lock (_gate)
        {
            for (; !payload.IsEmpty; payload = payload[6..])
            {
                var id = (SettingId)BinaryPrimitives.ReadUInt16BigEndian(payload);
                Apply(id, BinaryPrimitives.ReadUInt32BigEndian(payload[2..]));
            }

            _outbox.SettingsAck();
            PumpBlocked();
        }

        _roomChanged = true;
        if (!_settingsSeen)
        {
            _settingsSeen = true;
            _settled.TrySetResult();
        }
    }

    // Under the gate.
    private void Apply(SettingId id, uint value)
    {
        switch (id)
        {
            case SettingId.HeaderTableSize:
                _emptyPeerTable |= value < Http2Limits.HeaderTableBytes;
                break;
            case SettingId.EnablePush:
                if (value != 0)
                {
                    throw Protocol("a server cannot switch push on");
                }

                break;
            case SettingId.MaxConcurrentStreams:
                _peerStreamsMax = value;
                break;
            case SettingId.InitialWindowSize:
                ResizeWindows(value);
                break;
            case SettingId.MaxFrameSize:
                _peerFrameBytesMax = value is >= Http2Limits.DefaultFrameBytesMax and <= 0xff_ffff
                    ? (int)value
                    : throw Protocol($"a largest frame of {value} bytes");
                break;
            default:
                // The largest header list is advice; ours are bounded far below any server's. Others are unknown.
                break;
        }
    }

    // Under the gate. The change holds for running streams too, whose windows may become negative.
    private void ResizeWindows(uint value)
    {
        if (value > Http2Limits.WindowBytesMax)
        {
            throw new Http2Exception(Http2ErrorCode.FlowControlError, $"a window of {value} bytes");
        }

        var change = (long)value - _peerWindow;
        _peerWindow = (int)value;
        foreach (var stream in _streams.Values)
        {
            var window = stream.SendWindow + change;
            stream.SendWindow = window is <= Http2Limits.WindowBytesMax and >= int.MinValue
                ? (int)window
                : throw new Http2Exception(Http2ErrorCode.FlowControlError, "a window became too large");
        }
    }
}
