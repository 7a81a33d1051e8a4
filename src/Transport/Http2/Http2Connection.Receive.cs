// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport.Hpack;

namespace Muster.Transport.Http2;

/// <summary>
/// Receiving. One loop: read, parse every whole frame, then wake the streams that got something, then write once what
/// all of that wanted to send. What is woken may run on this loop (see the channel's option), so it must not block.
/// </summary>
internal sealed partial class Http2Connection
{
    private readonly HpackDecoder _decoder = new(Http2Limits.HeaderTableBytes);
    private readonly ResponseHead _head;
    private readonly List<Http2Stream> _touched = [];
    private readonly byte[] _input = new byte[Http2Limits.ReceiveBufferBytes];
    private int _inputStart;
    private int _inputEnd;
    private bool _settingsSeen;
    private bool _roomChanged;

    private async Task ReceiveAsync()
    {
        var reason = "the server closed the connection";
        var code = Http2ErrorCode.NoError;
        try
        {
            while (true)
            {
                var count = await _io.ReadAsync(_input.AsMemory(_inputEnd)).ConfigureAwait(false);
                if (count == 0)
                {
                    break;
                }

                _inputEnd += count;
                if (_options.KeepAliveInterval is not null)
                {
                    Volatile.Write(ref _receivedAt, _options.Time.GetTimestamp());
                }

                Drain();
            }
        }
        catch (Http2Exception e)
        {
            (reason, code) = ("protocol error: " + e.Message, e.Code);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            reason = "the connection broke: " + e.Message;
        }

        Close(reason, code);
    }

    private void Drain()
    {
        Volatile.Write(ref _drainThread, Environment.CurrentManagedThreadId);
        try
        {
            try
            {
                while (TryTakeFrame(out var frame, out var offset))
                {
                    OnFrame(frame, offset);
                }
            }
            finally
            {
                SignalTouched();
            }

            if (_roomChanged)
            {
                _roomChanged = false;
                AfterRemoval();
            }
        }
        finally
        {
            Volatile.Write(ref _drainThread, 0);
        }

        FinishDrain();
    }

    private void SignalTouched()
    {
        // Waking one may touch others only through this loop, never while it runs here, so the list stands still.
        foreach (var stream in _touched)
        {
            stream.Touched = false;
            stream.Signal();
        }

        _touched.Clear();
    }

    private void FinishDrain()
    {
        var left = _inputEnd - _inputStart;
        if (left == 0)
        {
            _inputStart = _inputEnd = 0;
        }
        else if (_input.Length - _inputStart < Http2Limits.FrameBytesMax + FrameHeader.Size)
        {
            Buffer.BlockCopy(_input, _inputStart, _input, 0, left);
            (_inputStart, _inputEnd) = (0, left);
        }

        FlushTurn turn;
        lock (_gate)
        {
            CreditConnection();
            if (_outbox.IsOverfull)
            {
                throw new Http2Exception(Http2ErrorCode.EnhanceYourCalm, "the server asks for answers and reads none");
            }

            turn = TakeTurn(false);
        }

        // On the loop itself a burst need not gather any more: this drain has gathered it.
        Flush(turn == FlushTurn.Later ? FlushTurn.Now : turn);
    }

    private bool TryTakeFrame(out FrameHeader frame, out int offset)
    {
        offset = _inputStart + FrameHeader.Size;
        if (_inputEnd < offset)
        {
            frame = default;
            return false;
        }

        frame = FrameHeader.Read(_input.AsSpan(_inputStart));
        if (!_settingsSeen && (frame.Type != FrameType.Settings || frame.Has(FrameFlags.Ack)))
        {
            throw new Http2Exception(Http2ErrorCode.ProtocolError, "the server does not speak HTTP/2 here");
        }

        if (frame.Length > Http2Limits.FrameBytesMax)
        {
            throw new Http2Exception(Http2ErrorCode.FrameSizeError, $"a frame of {frame.Length} bytes is too large");
        }

        if (_inputEnd - offset < frame.Length)
        {
            return false;
        }

        _inputStart = offset + frame.Length;
        return true;
    }

    private void OnFrame(FrameHeader frame, int offset)
    {
        if (_block.StreamId != 0
            && (frame.Type != FrameType.Continuation || frame.StreamId != _block.StreamId))
        {
            throw new Http2Exception(Http2ErrorCode.ProtocolError, "a header block was interrupted");
        }

        var payload = _input.AsSpan(offset, frame.Length);
        switch (frame.Type)
        {
            case FrameType.Data:
                OnData(frame, offset);
                break;
            case FrameType.Headers:
                OnHeaders(frame, payload);
                break;
            case FrameType.Continuation:
                OnContinuation(frame, payload);
                break;
            case FrameType.RstStream:
                OnReset(frame, payload);
                break;
            case FrameType.Settings:
                OnSettings(frame, payload);
                break;
            case FrameType.Ping:
                OnPing(frame, payload);
                break;
            case FrameType.GoAway:
                OnGoAway(frame, payload);
                break;
            case FrameType.WindowUpdate:
                OnWindowUpdate(frame, payload);
                break;
            case FrameType.PushPromise:
                throw new Http2Exception(Http2ErrorCode.ProtocolError, "push was switched off");
            default:
                // PRIORITY gives advice that a client has no use for; unknown types are to be passed over.
                break;
        }
    }

    private void Touch(Http2Stream stream)
    {
        if (!stream.Touched)
        {
            stream.Touched = true;
            _touched.Add(stream);
        }
    }
}
