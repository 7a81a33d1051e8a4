// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Buffers.Binary;

namespace Muster.Transport.Http2;

/// <summary>
/// Frames that wait for the socket. Two buffers: one fills while the other is being written. Guarded by the
/// connection's lock. Bounded: DATA is only added while <see cref="DataRoom"/> is positive, so writers wait; control
/// frames that exceed it by <see cref="Http2Limits.OutboxControlBytesMax"/> end the connection.
/// </summary>
internal sealed class Outbox
{
    private const int FirstBufferBytes = 1_024;

    // A buffer that one burst has blown up is given back instead of being kept for the life of the connection.
    private const int KeptBufferBytesMax = 128 * 1_024;

    private byte[] _filling = [];
    private byte[] _writing = [];
    private int _length;
    private bool _shut;

    public bool IsEmpty => _length == 0;

    /// <summary>The peer asks for more answers than it reads: the receive loop then gives the connection up.</summary>
    public bool IsOverfull => _length > Http2Limits.OutboxDataBytesMax + Http2Limits.OutboxControlBytesMax;

    public int DataRoom => _shut ? 0 : Http2Limits.OutboxDataBytesMax - _length;

    /// <summary>Takes what was filled, to be written; the other buffer fills from here on.</summary>
    public ReadOnlyMemory<byte> Take()
    {
        var taken = _filling.AsMemory(0, _length);
        (_filling, _writing) = (_writing, _filling);
        _length = 0;
        return taken;
    }

    /// <summary>What was taken is in the kernel's hands: a large buffer is given back.</summary>
    public void Written()
    {
        if (_writing.Length > KeptBufferBytesMax)
        {
            ArrayPool<byte>.Shared.Return(_writing);
            _writing = [];
        }
    }

    public void Data(int streamId, ReadOnlySpan<byte> bytes, bool end)
    {
        var frame = Frame(bytes.Length, FrameType.Data, end ? FrameFlags.EndStream : FrameFlags.None, streamId);
        bytes.CopyTo(frame);
    }

    /// <summary>A header block in one HEADERS frame, and CONTINUATION frames where it is longer than a frame.</summary>
    public void Headers(int streamId, ReadOnlySpan<byte> block, int frameBytesMax, bool end)
    {
        var type = FrameType.Headers;
        var flags = end ? FrameFlags.EndStream : FrameFlags.None;
        do
        {
            var part = block[..Math.Min(block.Length, frameBytesMax)];
            block = block[part.Length..];
            part.CopyTo(Frame(part.Length, type, block.IsEmpty ? flags | FrameFlags.EndHeaders : flags, streamId));
            type = FrameType.Continuation;
            flags = FrameFlags.None;
        }
        while (!block.IsEmpty);
    }

    public void WindowUpdate(int streamId, int increment) => BinaryPrimitives.WriteInt32BigEndian(
        Frame(4, FrameType.WindowUpdate, FrameFlags.None, streamId), increment);

    public void Reset(int streamId, Http2ErrorCode code) => BinaryPrimitives.WriteUInt32BigEndian(
        Frame(4, FrameType.RstStream, FrameFlags.None, streamId), (uint)code);

    public void Ping(ReadOnlySpan<byte> opaque, bool ack) => opaque.CopyTo(
        Frame(8, FrameType.Ping, ack ? FrameFlags.Ack : FrameFlags.None, 0));

    /// <param name="lastStreamId">The last stream of the peer that was or will be looked at.</param>
    /// <param name="code">Why.</param>
    public void GoAway(int lastStreamId, Http2ErrorCode code)
    {
        var frame = Frame(8, FrameType.GoAway, FrameFlags.None, 0);
        BinaryPrimitives.WriteInt32BigEndian(frame, lastStreamId);
        BinaryPrimitives.WriteUInt32BigEndian(frame[4..], (uint)code);
    }

    public void SettingsAck() => Frame(0, FrameType.Settings, FrameFlags.Ack, 0);

    public void Settings(ReadOnlySpan<(SettingId Id, int Value)> settings)
    {
        var frame = Frame(settings.Length * 6, FrameType.Settings, FrameFlags.None, 0);
        for (var i = 0; i < settings.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame[(i * 6)..], (ushort)settings[i].Id);
            BinaryPrimitives.WriteInt32BigEndian(frame[((i * 6) + 2)..], settings[i].Value);
        }
    }

    public void Raw(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    /// <summary>Forgets what waits and takes nothing more.</summary>
    public void Shut()
    {
        // The buffer being written may still be in the kernel's hands, so both are left to the collector.
        _shut = true;
        _length = 0;
        _filling = [];
        _writing = [];
    }

    private Span<byte> Frame(int length, FrameType type, FrameFlags flags, int streamId)
    {
        var bytes = Reserve(FrameHeader.Size + length);
        if (bytes.IsEmpty)
        {
            // Shut: nobody will send it, so it is written to nowhere.
            return new byte[length];
        }

        new FrameHeader(length, type, flags, streamId).Write(bytes);
        return bytes[FrameHeader.Size..];
    }

    private Span<byte> Reserve(int count)
    {
        if (_shut)
        {
            return default;
        }

        var needed = _length + count;
        if (needed > _filling.Length)
        {
            Grow(needed);
        }

        var bytes = _filling.AsSpan(_length, count);
        _length = needed;
        return bytes;
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstBufferBytes, Math.Max(needed, _filling.Length * 2)));
        _filling.AsSpan(0, _length).CopyTo(larger);
        if (_filling.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_filling);
        }

        _filling = larger;
    }
}
