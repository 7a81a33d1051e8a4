// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Transport.Http2;

/// <summary>
/// Sending. Whoever adds frames while nobody writes becomes the writer and goes on until the outbox is empty, so frames
/// that come meanwhile share one write and there is no timer. In a burst the writer is a thread of the pool instead:
/// its wake-up is the time in which the burst gathers. Two writes close together are none: who confirms a result often
/// sends the next request right behind it.
/// </summary>
internal sealed partial class Http2Connection : IThreadPoolWorkItem
{
    /// <summary>
    /// Writes that come each within this time after the one before are a burst. A lone exchange takes longer than this
    /// even on a Unix socket.
    /// </summary>
    private static readonly long s_burstTicks = Stopwatch.Frequency * 20 / 1_000_000;

    /// <summary>So many of them on their writers' own threads.</summary>
    private const int CloseWritesMax = 2;

    /// <summary>How long what was received is still read after a failed send.</summary>
    private static readonly TimeSpan s_lastWords = TimeSpan.FromMilliseconds(200);

    private const int FlushRoundsMax = 16;

    private bool _flushing;
    private long _flushedAt;
    private int _closeWrites;

    /// <summary>The thread in whose hands the receive loop is while it works on what it read, else 0.</summary>
    private int _drainThread;

    /// <summary>Whether the caller runs on the receive loop, which must not wait for anything.</summary>
    public bool IsOnReceiveLoop => Volatile.Read(ref _drainThread) == Environment.CurrentManagedThreadId;

    /// <summary>
    /// Sends what the stream has to send, as far as windows and outbox allow; the rest follows by itself.
    /// </summary>
    public void Send(Http2Stream stream, bool mayWait)
    {
        FlushTurn turn;
        lock (_gate)
        {
            if (!stream.Open || stream.Connection != this)
            {
                return;
            }

            PumpOne(stream);
            turn = TakeTurn(mayWait);
        }

        Flush(turn);
    }

    /// <summary>The reader took bytes of the stream: the server may send as many again.</summary>
    public void Credit(Http2Stream stream, int bytes)
    {
        FlushTurn turn;
        lock (_gate)
        {
            if (stream.Connection != this || !CreditStream(stream, bytes))
            {
                return;
            }

            turn = TakeTurn(true);
        }

        Flush(turn);
    }

    /// <summary>Writes the outbox, when the turn says so.</summary>
    public void Flush(FlushTurn turn)
    {
        if (turn == FlushTurn.Now)
        {
            _ = FlushAsync();
        }
        else if (turn == FlushTurn.Later)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = FlushAsync();

    // Under the gate. Credits small amounts together: half a window at once.
    private bool CreditStream(Http2Stream stream, int bytes)
    {
        if (!stream.Open)
        {
            return false;
        }

        stream.Uncredited += bytes;
        if (stream.Uncredited < _options.StreamWindowBytes / 2)
        {
            return false;
        }

        _outbox.WindowUpdate(stream.Id, stream.Uncredited);
        stream.ReceiveWindow += stream.Uncredited;
        stream.Uncredited = 0;
        return true;
    }

    // Under the gate.
    private FlushTurn TakeTurn(bool mayWait)
    {
        // On the receive loop nothing is written now: its drain ends with one write for all that came up in it.
        if (_flushing || _closed || _outbox.IsEmpty || IsOnReceiveLoop)
        {
            return FlushTurn.None;
        }

        _flushing = true;
        _closeWrites = Stopwatch.GetTimestamp() - _flushedAt < s_burstTicks ? _closeWrites + 1 : 0;
        return mayWait || _closeWrites >= CloseWritesMax ? FlushTurn.Later : FlushTurn.Now;
    }

    // Under the gate.
    private bool PumpOne(Http2Stream stream)
    {
        var budget = Math.Min(_sendWindow, _outbox.DataRoom);
        _sendWindow -= stream.Pump(_outbox, budget, _peer.FrameBytesMax, out var done);
        if (!done && !stream.Blocked)
        {
            stream.Blocked = true;
            _blocked.Enqueue(stream);
        }

        return done;
    }

    // Under the gate. Each blocked stream gets one turn, in the order in which they came.
    private void PumpBlocked()
    {
        for (var left = _blocked.Count; left > 0 && _sendWindow > 0 && _outbox.DataRoom > 0; left--)
        {
            var stream = _blocked.Dequeue();
            if (stream.Open && stream.Connection == this)
            {
                stream.Blocked = false;
                PumpOne(stream);
            }
        }
    }

    private async Task FlushAsync()
    {
        try
        {
            for (var round = 0; round < FlushRoundsMax; round++)
            {
                ReadOnlyMemory<byte> bytes;
                lock (_gate)
                {
                    _outbox.Written();
                    if (_closed || _outbox.IsEmpty)
                    {
                        if (_closed)
                        {
                            _written.TrySetResult();
                        }

                        _flushing = false;
                        _flushedAt = Stopwatch.GetTimestamp();
                        return;
                    }

                    bytes = _outbox.Take();
                    PumpBlocked();
                }

                await _io.WriteAsync(bytes).ConfigureAwait(false);
            }

            // Others keep adding: a caller that only wanted to send its own message must not write for them for ever.
            Flush(FlushTurn.Later);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            StopSending("the connection broke while sending: " + e.Message);
        }
    }

    // What the server said before it went may still be unread: the receive loop gets a moment to come to the end by
    // itself.
    private void StopSending(string reason)
    {
        lock (_gate)
        {
            _draining = true;
            _outbox.Shut();
        }

        _written.TrySetResult();
        _owner.OnDraining(this);
        _ = CloseSoonAsync(reason);
    }

    private async Task CloseSoonAsync(string reason)
    {
        await Task.Delay(s_lastWords, _options.Time).ConfigureAwait(false);
        Close(reason);
    }
}
