// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport.Http2;

namespace Muster.Server.Http2;

/// <summary>
/// Receiving. One loop: read, act on every whole frame, then write once what all of that wanted to send. Calls that
/// wait for a message and never block go on right here, without another thread being woken. It is a chain of awaits,
/// which on bare sockets goes on on their <see cref="Muster.Transport.Sockets.SocketThread"/>, with TLS on the pool.
/// </summary>
internal sealed partial class ServerConnection
{
    private static readonly byte[] s_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    private readonly TaskCompletionSource _received = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private byte[] _input = [];
    private int _inputStart;
    private int _inputEnd;
    private int _smallReads;
    private bool _isGreeted;
    private bool _isSettled;

    /// <summary>The thread in whose hands the receive loop is while it works on what it read, else 0.</summary>
    private int _loopThread;

    private bool IsOnLoop => Volatile.Read(ref _loopThread) == Environment.CurrentManagedThreadId;

    private async Task ReceiveAsync()
    {
        try
        {
            while (true)
            {
                var room = _input.Length - _inputEnd;
                var count = await _io.ReadAsync(_input.AsMemory(_inputEnd)).ConfigureAwait(false);
                if (!TryWork(count, room))
                {
                    break;
                }
            }
        }
        catch (Exception failure)
        {
            // Each failure ends the connection, as a bug of ours does.
            EndBy(failure);
        }

        _received.TrySetResult();
    }

    // False: the connection is over.
    private bool TryWork(int count, int room)
    {
        if (count == 0 || Volatile.Read(ref _isClosed))
        {
            End.IsByPeer |= count == 0 && !Volatile.Read(ref _isClosed);
            Close(Http2ErrorCode.NoError, "the peer has ended", isOnLoop: true);
            return false;
        }

        _inputEnd += count;
        Volatile.Write(ref _receivedAt, _options.Time.GetTimestamp());
        Work();
        MakeRoom(count, isFull: count == room);
        return true;
    }

    private void EndBy(Exception failure)
    {
        switch (failure)
        {
            case Http2Exception broken:
                Close(broken.Code, broken.Message, isOnLoop: true);
                break;
            case IOException or SocketException or ObjectDisposedException:
                End.IsByPeer |= !Volatile.Read(ref _isClosed) && IsReset(failure);
                Close(Http2ErrorCode.NoError, "the connection broke", isOnLoop: true);
                break;
            default:
                HttpLog.Failed(_options.Logger, PeerName, failure);
                Close(Http2ErrorCode.InternalError, failure.Message, isOnLoop: true);
                break;
        }
    }

    private static bool IsReset(Exception failure) => (failure as SocketException ?? failure.InnerException)
        is SocketException
        {
            SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown
                or SocketError.NotConnected,
        };

    private void Work()
    {
        Volatile.Write(ref _loopThread, Environment.CurrentManagedThreadId);
        try
        {
            while (TryTakeFrame(out var frame, out var offset))
            {
                OnFrame(frame, _input.AsSpan(offset, frame.Length));
            }
        }
        finally
        {
            Volatile.Write(ref _loopThread, 0);
        }

        NotePartial();
        FlushTurn turn;
        lock (_gate)
        {
            CreditConnection();
            if (_outbox.IsOverfull)
            {
                throw new Http2Exception(Http2ErrorCode.EnhanceYourCalm, "the peer asks for answers and reads none");
            }

            turn = TakeTurn();
        }

        Flush(turn);
        if (Volatile.Read(ref _isDraining))
        {
            CloseWhenDrained();
        }
    }

    // When the frame began whose rest has yet to come.
    private void NotePartial()
    {
        if (_inputStart == _inputEnd)
        {
            Volatile.Write(ref _partialAt, 0);
        }
        else if (_partialAt == 0 || _inputStart > 0)
        {
            Volatile.Write(ref _partialAt, Volatile.Read(ref _receivedAt));
        }
    }

    private bool TryTakeFrame(out FrameHeader frame, out int offset)
    {
        frame = default;
        offset = _inputStart + FrameHeader.Size;
        if ((!_isGreeted && !TryTakePreface()) || Volatile.Read(ref _isClosed))
        {
            return false;
        }

        offset = _inputStart + FrameHeader.Size;
        if (_inputEnd < offset)
        {
            return false;
        }

        frame = FrameHeader.Read(_input.AsSpan(_inputStart));
        if (!_isSettled && (frame.Type != FrameType.Settings || frame.Has(FrameFlags.Ack)))
        {
            throw FramePayload.Protocol("the preface is not followed by settings");
        }

        if (frame.Length > ServerLimits.FrameBytesMax)
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

    private bool TryTakePreface()
    {
        var seen = _input.AsSpan(_inputStart, Math.Min(_inputEnd - _inputStart, s_preface.Length));
        if (!seen.SequenceEqual(s_preface.AsSpan(0, seen.Length)))
        {
            throw FramePayload.Protocol("the peer does not speak HTTP/2");
        }

        if (seen.Length < s_preface.Length)
        {
            return false;
        }

        _inputStart += s_preface.Length;
        _isGreeted = true;
        return true;
    }

    // A frame must fit as a whole. A busy connection gets a large buffer, and gives it back when it is quiet again.
    private void MakeRoom(int count, bool isFull)
    {
        var left = _inputEnd - _inputStart;
        _smallReads = count <= ServerLimits.InputBytesMin / 2 ? _smallReads + 1 : 0;
        var size = _input.Length;
        if (isFull && size < ServerLimits.InputBytesMax)
        {
            size = Math.Min(size * 4, ServerLimits.InputBytesMax);
        }
        else if (_isGreeted && left >= FrameHeader.Size)
        {
            size = Math.Max(size, FrameHeader.Size + FrameHeader.Read(_input.AsSpan(_inputStart)).Length);
        }
        else if (_smallReads > ServerLimits.SmallReadsMax && left == 0)
        {
            size = ServerLimits.InputBytesMin;
            _smallReads = 0;
        }

        if (size > _input.Length || size < _input.Length / 2)
        {
            var other = ArrayPool<byte>.Shared.Rent(size);
            _input.AsSpan(_inputStart, left).CopyTo(other);
            ArrayPool<byte>.Shared.Return(_input);
            _input = other;
        }
        else if (left > 0 && _inputStart > 0)
        {
            Buffer.BlockCopy(_input, _inputStart, _input, 0, left);
        }

        (_inputStart, _inputEnd) = (0, left);
    }

    private void GiveBackInput()
    {
        ArrayPool<byte>.Shared.Return(_input);
        _input = [];
    }

    private void OnFrame(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if (_block.StreamId != 0 && (frame.Type != FrameType.Continuation || frame.StreamId != _block.StreamId))
        {
            throw FramePayload.Protocol("a header block was interrupted");
        }

        switch (frame.Type)
        {
            case FrameType.Data:
                OnData(frame, payload);
                break;
            case FrameType.Headers:
                OnHeaders(frame, payload);
                break;
            case FrameType.Continuation:
                OnContinuation(frame, payload);
                break;
            case FrameType.RstStream:
                OnReset(frame);
                break;
            case FrameType.Settings:
                OnSettings(frame, payload);
                break;
            case FrameType.Ping:
                OnPing(frame, payload);
                break;
            case FrameType.GoAway:
                OnGoAway(frame);
                break;
            case FrameType.WindowUpdate:
                OnWindowUpdate(frame, payload);
                break;
            case FrameType.Priority:
                OnPriority(frame);
                break;
            case FrameType.PushPromise:
                throw FramePayload.Protocol("a client cannot push");
            default:
                // Unknown types are to be passed over.
                Spend(1);
                break;
        }
    }
}
