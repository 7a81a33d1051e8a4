// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport.Http2;

namespace Muster.Server.Http2;

/// <summary>
/// Sending. Whoever adds frames while nobody writes becomes the writer and goes on until the outbox is empty, so frames
/// that come meanwhile share one write and there is no timer. On the receive loop nothing is written before everything
/// that was read has been acted on.
/// </summary>
internal sealed partial class ServerConnection : IThreadPoolWorkItem
{
    private const int FlushRoundsMax = 16;

    private bool _isFlushing;

    /// <summary>
    /// Puts messages into DATA frames, behind the response headers when those have not been sent. The bytes must stay
    /// until the result is there; a cancelled or completed result means that they did not go out.
    /// </summary>
    public ValueTask<FlushResult> WriteAsync(ServerStream stream, ReadOnlyMemory<byte> bytes)
    {
        ValueTask<FlushResult> written = default;
        FlushTurn turn;
        lock (_gate)
        {
            if (!stream.IsOpen || stream.Trailers is not null)
            {
                return new(new FlushResult(isCanceled: false, isCompleted: true));
            }

            PutHeaders(stream, ResponseBlocks.Headers);
            stream.SetOut(bytes);
            if (!Pump(stream))
            {
                written = stream.WaitForOut();
            }

            turn = TakeTurn();
        }

        Flush(turn);
        return written;
    }

    /// <summary>Sends the response headers, when they have not been sent.</summary>
    public void SendHeaders(ServerStream stream, byte[] block)
    {
        FlushTurn turn;
        lock (_gate)
        {
            if (!stream.IsOpen)
            {
                return;
            }

            PutHeaders(stream, block);
            turn = TakeTurn();
        }

        Flush(turn);
    }

    /// <summary>
    /// Ends the response: with the rest of its body, which the stream returns to the shared pool, and the trailers.
    /// Without a body, and when no headers were sent, the trailers are the whole response.
    /// </summary>
    public void Finish(ServerStream stream, byte[]? rented, int length, byte[] trailers)
    {
        FlushTurn turn;
        lock (_gate)
        {
            if (!stream.IsOpen)
            {
                stream.SetEnd(rented, 0, trailers, 0);
                stream.DropOut(isCancelled: false);
                return;
            }

            if (stream.IsCut)
            {
                // The peer has half a message: no status can follow that.
                stream.SetEnd(rented, 0, trailers, 0);
                _outbox.Reset(stream.Id, Http2ErrorCode.Cancel);
                Remove(stream, stream.IsPeerEnded ? StreamEnd.ByPeer : StreamEnd.ByUs, isPeerGone: false);
            }
            else if (length > 0)
            {
                PutHeaders(stream, ResponseBlocks.Headers);
            }

            if (!stream.IsCut)
            {
                stream.SetEnd(rented, length, trailers, _options.Time.GetTimestamp());
                Pump(stream);
            }

            turn = TakeTurn();
        }

        Flush(turn);
        if (Volatile.Read(ref _isDraining))
        {
            CloseWhenDrained();
        }
    }

    /// <summary>Ends a write that waits for the peer; what it had still to send is dropped.</summary>
    public void CancelWrite(ServerStream stream)
    {
        lock (_gate)
        {
            if (stream.IsOpen && !stream.Out.IsEmpty)
            {
                stream.IsCut = true;
                stream.DropOut(isCancelled: true);
            }
        }
    }

    /// <summary>Ends the stream from this side, when it still runs here.</summary>
    public void Reset(ServerStream stream, Http2ErrorCode code)
    {
        FlushTurn turn;
        lock (_gate)
        {
            if (!stream.IsOpen)
            {
                return;
            }

            _outbox.Reset(stream.Id, code);
            Remove(stream, stream.IsPeerEnded ? StreamEnd.ByPeer : StreamEnd.ByUs, isPeerGone: false);
            turn = TakeTurn();
        }

        Flush(turn);
        if (Volatile.Read(ref _isDraining))
        {
            CloseWhenDrained();
        }
    }

    /// <summary>The reader took bytes of the stream: the peer may send as many again.</summary>
    public void Credit(ServerStream stream, int bytes)
    {
        FlushTurn turn;
        lock (_gate)
        {
            _uncredited += bytes;
            if (stream.IsOpen && !stream.IsPeerEnded)
            {
                stream.Uncredited += bytes;
                if (stream.Uncredited >= ServerLimits.StreamWindowBytes / 2)
                {
                    _outbox.WindowUpdate(stream.Id, stream.Uncredited);
                    stream.ReceiveWindow += stream.Uncredited;
                    stream.Uncredited = 0;
                }
            }

            CreditConnection();
            turn = TakeTurn();
        }

        Flush(turn);
    }

    void IThreadPoolWorkItem.Execute() => _ = FlushAsync();

    // Under the gate. Small amounts are given back together.
    private void CreditConnection()
    {
        if (_uncredited >= ServerLimits.ConnectionCreditStepBytes)
        {
            _outbox.WindowUpdate(0, _uncredited);
            _receiveWindow += _uncredited;
            _uncredited = 0;
        }
    }

    // Under the gate.
    private FlushTurn TakeTurn()
    {
        if (_isFlushing || _isClosed || _outbox.IsEmpty || IsOnLoop)
        {
            return FlushTurn.None;
        }

        _isFlushing = true;
        return FlushTurn.Now;
    }

    private void Flush(FlushTurn turn)
    {
        if (turn == FlushTurn.Now)
        {
            _ = FlushAsync();
        }
    }

    // Under the gate.
    private void PutHeaders(ServerStream stream, byte[] block)
    {
        if (!stream.AreHeadersSent)
        {
            stream.AreHeadersSent = true;
            PutBlock(stream.Id, block, isEnd: false);
        }
    }

    // Under the gate.
    private void PutBlock(int streamId, byte[] block, bool isEnd)
    {
        if (_peer.MustEmptyTable)
        {
            _peer.MustEmptyTable = false;
            block = [0x20, .. block];
        }

        _outbox.Headers(streamId, block, _peer.FrameBytesMax, isEnd);
    }

    // Under the gate. Moves what the stream has to send into frames; false: windows or the outbox do not allow all.
    private bool Pump(ServerStream stream)
    {
        var isMoved = false;
        while (!stream.Out.IsEmpty)
        {
            var room = Math.Min(Math.Min(_sendWindow, stream.SendWindow), _outbox.DataRoom);
            if (room <= 0)
            {
                stream.MovedAt = isMoved ? _options.Time.GetTimestamp() : stream.MovedAt;
                if (!stream.IsBlocked)
                {
                    stream.IsBlocked = true;
                    _blocked.Enqueue(stream);
                }

                return false;
            }

            var count = Math.Min(stream.Out.Length, Math.Min(room, _peer.FrameBytesMax));
            _outbox.Data(stream.Id, stream.Out[..count], end: false);
            _sendWindow -= count;
            stream.SendWindow -= count;
            stream.Advance(count);
            _budget.Earn(FrameBudget.ForDataSent);
            isMoved = true;
        }

        if (stream.Trailers is { } trailers)
        {
            PutBlock(stream.Id, trailers, isEnd: true);
            if (!stream.IsPeerEnded)
            {
                // The answer does not need the rest of the request: RFC 9113 section 8.1.
                _outbox.Reset(stream.Id, Http2ErrorCode.NoError);
            }

            _budget.Earn(1);
            Remove(stream, stream.IsPeerEnded ? StreamEnd.ByPeer : StreamEnd.ByUs, isPeerGone: false);
        }

        return true;
    }

    // Under the gate. Each blocked stream gets one turn, in the order in which they came.
    private void PumpBlocked()
    {
        for (var left = _blocked.Count; left > 0 && _sendWindow > 0 && _outbox.DataRoom > 0; left--)
        {
            var stream = _blocked.Dequeue();
            stream.IsBlocked = false;
            if (stream.IsOpen)
            {
                Pump(stream);
            }
        }
    }

    private async Task FlushAsync()
    {
        try
        {
            for (var round = 0; round < FlushRoundsMax; round++)
            {
                if (!TryTakeFrames(out var bytes))
                {
                    if (Volatile.Read(ref _isDraining))
                    {
                        // The last stream may have ended in here, when the outbox had room again for its last bytes.
                        CloseWhenDrained();
                    }

                    return;
                }

                await _io.WriteAsync(bytes).ConfigureAwait(false);
            }

            // Others keep adding: a thread that only wanted to send its own message must not write for them for ever.
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        catch (Exception e)
        {
            if (e is not (IOException or SocketException or ObjectDisposedException or InvalidOperationException))
            {
                HttpLog.Failed(_options.Logger, PeerName, e);
            }

            // What the peer said before it went may still be unread: the receive loop comes to the end by itself, or
            // is ended by the watch.
            lock (_gate)
            {
                _isFlushing = false;
                _outbox.Shut();
            }

            _written.TrySetResult();
            _isBroken = true;
        }
    }

    // False: nothing is left, and this thread is the writer no more.
    private bool TryTakeFrames(out ReadOnlyMemory<byte> bytes)
    {
        lock (_gate)
        {
            _outbox.Written();
            if (_outbox.IsEmpty)
            {
                bytes = default;
                _isFlushing = false;
                if (_isClosed)
                {
                    _written.TrySetResult();
                }

                return false;
            }

            bytes = _outbox.Take();
            PumpBlocked();
            return true;
        }
    }
}
