// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;

namespace Muster.Transport.Http2;

/// <summary>What each kind of frame does. All of it runs on the receive loop.</summary>
internal sealed partial class Http2Connection
{
    private readonly HeaderBlockBuffer _block =
        new(Http2Limits.HeaderBlockBytesMax, Http2Limits.ContinuationsMax);

    private bool _blockEndsStream;
    private int _receiveWindow;
    private int _uncredited;

    private void OnData(FrameHeader frame, int offset)
    {
        var end = frame.Has(FrameFlags.EndStream);
        var (start, length) = FramePayload.Unpad(frame, _input.AsSpan(offset, frame.Length));
        Http2Stream? stream;
        lock (_gate)
        {
            _receiveWindow -= frame.Length;
            _uncredited += frame.Length;
            stream = Find(frame.StreamId);
            if (stream is not null)
            {
                stream.ReceiveWindow -= frame.Length;
            }

            if (_receiveWindow < 0 || stream is { ReceiveWindow: < 0 })
            {
                throw new Http2Exception(Http2ErrorCode.FlowControlError, "the server sent more than the window");
            }

            CreditConnection();
            if (stream is not null && end)
            {
                EndReceive(stream);
            }
        }

        if (stream is not null)
        {
            var creditable = stream.OnData(_input, offset + start, length, end) + frame.Length - length;
            lock (_gate)
            {
                CreditStream(stream, creditable);
            }

            Touch(stream);
        }
    }

    // Under the gate. What the streams hold back is bounded by their own windows, so the connection's never waits.
    private void CreditConnection()
    {
        if (_uncredited >= _options.ConnectionWindowBytes / 2)
        {
            _outbox.WindowUpdate(0, _uncredited);
            _receiveWindow += _uncredited;
            _uncredited = 0;
        }
    }

    private void OnHeaders(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        var block = FramePayload.HeaderBlock(frame, payload);
        _blockEndsStream = frame.Has(FrameFlags.EndStream);
        if (frame.Has(FrameFlags.EndHeaders))
        {
            OnBlock(frame.StreamId, block);
        }
        else
        {
            _block.Begin(frame.StreamId, block);
        }
    }

    private void OnContinuation(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if (_block.TryFinish(frame, payload, out var block))
        {
            OnBlock(frame.StreamId, block);
        }
    }

    private void OnBlock(int streamId, ReadOnlySpan<byte> block)
    {
        // Decoded even when nobody waits for it: the table must see every block.
        _head.Clear();
        _decoder.Decode(block, _head);
        Http2Stream? stream;
        lock (_gate)
        {
            stream = Find(streamId);
            if (stream is not null && _blockEndsStream)
            {
                EndReceive(stream);
            }
        }

        if (stream is not null)
        {
            stream.OnHeaders(_head, _blockEndsStream);
            Touch(stream);
        }
    }

    // Under the gate. Null for streams that have ended here; frames for them may still be under way.
    private Http2Stream? Find(int streamId)
    {
        if (streamId == 0 || (streamId & 1) == 0 || (uint)streamId >= (uint)_nextStreamId)
        {
            throw FramePayload.Protocol($"a frame for stream {streamId}, which was never opened");
        }

        return _streams.GetValueOrDefault(streamId);
    }

    // Under the gate. The server said its last word; if we have not, we take the rest back.
    private void EndReceive(Http2Stream stream)
    {
        if (!stream.EndSent)
        {
            _outbox.Reset(stream.Id, Http2ErrorCode.NoError);
        }

        Remove(stream);
        _roomChanged = true;
    }

    private void OnReset(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        FramePayload.CheckLength(frame, 4);
        var code = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload);
        Http2Stream? stream;
        lock (_gate)
        {
            stream = Find(frame.StreamId);
            if (stream is not null)
            {
                Remove(stream);
                _roomChanged = true;
            }
        }

        if (code == Http2ErrorCode.RefusedStream)
        {
            stream?.OnRefused("the server refused the stream");
        }
        else
        {
            stream?.OnReset(code);
        }

        if (stream is not null)
        {
            Touch(stream);
        }
    }

    private void OnPing(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        FramePayload.CheckLength(frame, 8);
        if (frame.StreamId != 0)
        {
            throw FramePayload.Protocol("a PING frame on a stream");
        }

        if (!frame.Has(FrameFlags.Ack))
        {
            lock (_gate)
            {
                _outbox.Ping(payload, true);
            }
        }
    }

    private void OnWindowUpdate(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        FramePayload.CheckLength(frame, 4);
        var increment = BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;
        if (increment == 0)
        {
            throw FramePayload.Protocol("a window update of 0 bytes");
        }

        lock (_gate)
        {
            if (frame.StreamId == 0)
            {
                _sendWindow = FramePayload.Widen(_sendWindow, increment);
                PumpBlocked();
            }
            else if (Find(frame.StreamId) is { } stream)
            {
                stream.SendWindow = FramePayload.Widen(stream.SendWindow, increment);
                PumpOne(stream);
            }
        }
    }

    private void OnGoAway(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if (frame.Length < 8 || frame.StreamId != 0)
        {
            throw FramePayload.Protocol("a damaged GOAWAY frame");
        }

        var last = BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;
        var code = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload[4..]);
        var refused = new List<Http2Stream>();
        lock (_gate)
        {
            _draining = true;
            foreach (var stream in _streams.Values)
            {
                if (stream.Id > last)
                {
                    refused.Add(stream);
                }
            }

            refused.ForEach(Remove);
            _roomChanged = true;
        }

        _owner.OnDraining(this);
        var words = Encoding.ASCII.GetString(payload[8..Math.Min(payload.Length, 8 + 200)]);
        foreach (var stream in refused)
        {
            stream.OnRefused($"the server asked to leave ({code}) {words}".TrimEnd());
            Touch(stream);
        }
    }
}
