// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Threading;
using Muster.Transport.Hpack;
using Muster.Transport.Http2;

namespace Muster.Server.Http2;

/// <content>What each kind of frame does. All of it runs on the receive loop.</content>
internal sealed partial class ServerConnection
{
    private readonly HpackDecoder _decoder = new(Http2Limits.HeaderTableBytes);
    private readonly RequestHead _head = new();
    private readonly HeaderBlockBuffer _block =
        new(ServerLimits.HeaderBlockBytesMax, ServerLimits.ContinuationsMax);

    private bool _blockEndsStream;
    private int _receiveWindow = ServerLimits.ConnectionWindowBytes;
    private int _uncredited;

    private void Spend(int frames) => _budget.Spend(frames, Volatile.Read(ref _receivedAt));

    private void OnData(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        CheckNotIdle(frame);
        var (start, length) = FramePayload.Unpad(frame, payload);
        var isEnd = frame.Has(FrameFlags.EndStream);
        ServerStream? stream;
        lock (_gate)
        {
            _receiveWindow -= frame.Length;
            if (_receiveWindow < 0)
            {
                throw new Http2Exception(Http2ErrorCode.FlowControlError, "the peer sent more than the window");
            }

            stream = FindForData(frame);
            if (stream is not null)
            {
                stream.IsPeerEnded = isEnd;
            }
        }

        // An end brings something forward once; of a stream that has ended here it brings nothing.
        if (length == 0 && (!isEnd || stream is null))
        {
            Spend(1);
        }
        else if (stream is not null)
        {
            _budget.Earn(1);
        }

        if (stream is null)
        {
            return;
        }

        if (Volatile.Read(ref _held) + length > _options.RequestBytes.ShareBytes)
        {
            // All that this server may hold of requests is held; whoever has more than a little of it must wait.
            RefuseData(stream, frame, Http2ErrorCode.EnhanceYourCalm);
        }
        else if (!stream.OnData(payload.Slice(start, length), frame.Length - length, isEnd))
        {
            RefuseData(stream, frame, Http2ErrorCode.ProtocolError);
        }
    }

    private void RefuseData(ServerStream stream, FrameHeader frame, Http2ErrorCode code)
    {
        lock (_gate)
        {
            _uncredited += frame.Length;
            RefuseLocked(stream, code);
        }
    }

    // Under the gate. Null when nobody wants the bytes: then the window takes them back at once.
    private ServerStream? FindForData(FrameHeader frame)
    {
        if (_streams.TryGetValue(frame.StreamId, out var stream) && !stream.IsPeerEnded)
        {
            stream.ReceiveWindow -= frame.Length;
            if (stream.ReceiveWindow >= 0)
            {
                return stream;
            }

            RefuseLocked(stream, Http2ErrorCode.FlowControlError);
        }
        else if (stream is not null)
        {
            RefuseLocked(stream, Http2ErrorCode.StreamClosed);
        }
        else if (frame.StreamId <= _lastStreamId && _ended.Find(frame.StreamId) != StreamEnd.ByUs)
        {
            Spend(FrameBudget.OfReset);
            _outbox.Reset(frame.StreamId, Http2ErrorCode.StreamClosed);
        }

        _uncredited += frame.Length;
        return null;
    }

    private void OnHeaders(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if (frame.StreamId == 0 || (frame.StreamId & 1) == 0)
        {
            throw FramePayload.Protocol($"a HEADERS frame on stream {frame.StreamId}");
        }

        var block = FramePayload.HeaderBlock(frame, payload);
        _blockEndsStream = frame.Has(FrameFlags.EndStream);
        if (frame.Has(FrameFlags.EndHeaders))
        {
            OnBlock(frame.StreamId, block);
            return;
        }

        _block.Begin(frame.StreamId, block);
        _blockAt = Volatile.Read(ref _receivedAt);
    }

    private void OnContinuation(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if (frame.Length == 0)
        {
            Spend(1);
        }

        if (_block.TryFinish(frame, payload, out var block))
        {
            _blockAt = 0;
            OnBlock(frame.StreamId, block);
        }
    }

    private void OnBlock(int id, ReadOnlySpan<byte> block)
    {
        ServerStream? stream;
        StreamEnd end;
        lock (_gate)
        {
            _streams.TryGetValue(id, out stream);
            end = stream is null && id <= _lastStreamId ? _ended.Find(id) : StreamEnd.Unknown;
        }

        // Decoded even when nobody waits for it: the table must see every block.
        _head.Clear(isTrailers: id <= _lastStreamId);
        _decoder.Decode(block, _head);
        _head.Finish();
        if (stream is not null)
        {
            OnTrailers(stream);
        }
        else if (id > _lastStreamId)
        {
            OnRequest(id);
        }
        else if (end == StreamEnd.ByPeer)
        {
            throw new Http2Exception(Http2ErrorCode.StreamClosed, $"headers for stream {id}, which has ended");
        }
        else if (end == StreamEnd.Unknown)
        {
            throw FramePayload.Protocol($"headers for stream {id} after one with a higher number");
        }
        else
        {
            // Passed over, as it may have been under way; but not for ever.
            Spend(FrameBudget.OfReset);
        }
    }

    private void OnTrailers(ServerStream stream)
    {
        if (stream.IsPeerEnded)
        {
            Refuse(stream, Http2ErrorCode.StreamClosed);
        }
        else if (!_blockEndsStream || _head.Malformed is not null)
        {
            Refuse(stream, Http2ErrorCode.ProtocolError);
        }
        else
        {
            lock (_gate)
            {
                stream.IsPeerEnded = true;
            }

            if (!stream.OnData(default, 0, isEnd: true))
            {
                Refuse(stream, Http2ErrorCode.ProtocolError);
            }
        }
    }

    private void OnRequest(int id)
    {
        ServerStream stream;
        lock (_gate)
        {
            if (_isDraining || _isClosed)
            {
                Spend(1);

                // It was told the last stream that is looked at, and tries the call elsewhere.
                return;
            }

            _lastStreamId = id;
            var refusal = WhyNot();
            if (refusal != Http2ErrorCode.NoError)
            {
                Spend(FrameBudget.OfReset);
                _outbox.Reset(id, refusal);
                _ended.Add(id, _blockEndsStream ? StreamEnd.ByPeer : StreamEnd.ByUs);
                return;
            }

            stream = new ServerStream(
                this, id, _peer.WindowBytes, _head.ContentLength, Volatile.Read(ref _receivedAt));
            _streams.Add(id, stream);
            _callsRunning++;
            stream.IsPeerEnded = _blockEndsStream;
        }

        if (_blockEndsStream)
        {
            stream.OnData(default, 0, isEnd: true);
        }

        _calls.Start(stream, _head);
    }

    // Under the gate.
    private Http2ErrorCode WhyNot()
    {
        if (_head.Malformed is not null || (_blockEndsStream && _head.ContentLength > 0))
        {
            return Http2ErrorCode.ProtocolError;
        }

        return _streams.Count >= _options.StreamsMax
            || _callsRunning >= ServerLimits.CallsPerStream * _options.StreamsMax
            || _account?.TryBeginCall(Volatile.Read(ref _receivedAt)) == false
                ? Http2ErrorCode.RefusedStream
                : Http2ErrorCode.NoError;
    }

    private void OnReset(FrameHeader frame)
    {
        CheckNotIdle(frame);
        FramePayload.CheckLength(frame, 4);
        var cost = FrameBudget.OfCancel;
        lock (_gate)
        {
            if (_streams.TryGetValue(frame.StreamId, out var stream))
            {
                cost = IsOver(stream.BegunAt, Volatile.Read(ref _receivedAt), ServerLimits.CancelGrace) ? 0 : cost;
                Remove(stream, StreamEnd.ByPeer, isPeerGone: true);
            }
        }

        Spend(cost);
    }

    private void OnSettings(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        Spend(1);
        if (!PeerSettings.IsRequest(frame))
        {
            return;
        }

        _isSettled = true;
        lock (_gate)
        {
            var change = _peer.Apply(payload);
            if (change != 0)
            {
                foreach (var stream in _streams.Values)
                {
                    stream.SendWindow = PeerSettings.Resize(stream.SendWindow, change);
                }
            }

            _outbox.SettingsAck();
            PumpBlocked();
        }
    }

    private void OnPing(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        Spend(1);
        if (frame.StreamId != 0)
        {
            throw FramePayload.Protocol("a PING frame on a stream");
        }

        FramePayload.CheckLength(frame, 8);
        if (!frame.Has(FrameFlags.Ack))
        {
            lock (_gate)
            {
                _outbox.Ping(payload, true);
            }
        }
    }

    private void OnGoAway(FrameHeader frame)
    {
        Spend(1);
        if (frame.StreamId != 0)
        {
            throw FramePayload.Protocol("a GOAWAY frame on a stream");
        }

        if (frame.Length < 8)
        {
            throw new Http2Exception(Http2ErrorCode.FrameSizeError, "a damaged GOAWAY frame");
        }

        // A client that leaves needs nothing from us but that its calls go on; it begins no others.
    }

    private void OnPriority(FrameHeader frame)
    {
        Spend(1);
        if (frame.StreamId == 0)
        {
            throw FramePayload.Protocol("a PRIORITY frame on no stream");
        }

        // Advice that nobody here follows.
        FramePayload.CheckLength(frame, 5);
    }

    private void OnWindowUpdate(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        FramePayload.CheckLength(frame, 4);
        Spend(1);
        var increment = BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;
        if (frame.StreamId == 0)
        {
            lock (_gate)
            {
                _sendWindow = increment > 0
                    ? FramePayload.Widen(_sendWindow, increment)
                    : throw FramePayload.Protocol("a window update of 0 bytes");
                PumpBlocked();
            }

            return;
        }

        CheckNotIdle(frame);
        lock (_gate)
        {
            if (!_streams.TryGetValue(frame.StreamId, out var stream))
            {
                return;
            }

            if (increment == 0)
            {
                RefuseLocked(stream, Http2ErrorCode.ProtocolError);
            }
            else if (stream.SendWindow + (long)increment > Http2Limits.WindowBytesMax)
            {
                RefuseLocked(stream, Http2ErrorCode.FlowControlError);
            }
            else
            {
                stream.SendWindow += increment;
                Pump(stream);
            }
        }
    }

    // Frames for a stream that the peer has not opened: RFC 9113 section 5.1, "idle".
    private void CheckNotIdle(FrameHeader frame)
    {
        if (frame.StreamId == 0 || (frame.StreamId & 1) == 0 || frame.StreamId > _lastStreamId)
        {
            // While we drain, streams that we do not look at are opened all the same.
            if (frame.StreamId == 0 || (frame.StreamId & 1) == 0 || !Volatile.Read(ref _isDraining))
            {
                throw FramePayload.Protocol($"a {frame.Type} frame for stream {frame.StreamId}, which is not open");
            }
        }
    }

    private void Refuse(ServerStream stream, Http2ErrorCode code)
    {
        lock (_gate)
        {
            RefuseLocked(stream, code);
        }
    }

    // The peer broke the protocol on this stream alone.
    private void RefuseLocked(ServerStream stream, Http2ErrorCode code)
    {
        Spend(FrameBudget.OfReset);
        if (stream.IsOpen)
        {
            _outbox.Reset(stream.Id, code);
            Remove(stream, stream.IsPeerEnded ? StreamEnd.ByPeer : StreamEnd.ByUs, isPeerGone: true);
        }
    }
}
