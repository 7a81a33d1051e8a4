// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Threading;

namespace Muster.Transport.Http2;

/// <summary>
/// One exchange on a connection. The connection sends what stands in the stream's out buffer as far as both windows
/// allow and tells what arrives. Locks are taken in the order connection, stream; the callbacks below come without any
/// lock held, from the receive loop unless they say otherwise.
/// </summary>
internal abstract class Http2Stream
{
    private byte[]? _out;
    private int _outOffset;
    private int _outEnd;
    private bool _endAfterOut;
    private Http2Connection? _connection;

    /// <summary>Guards the out buffer and the connection of this stream, and whatever the derived class adds.</summary>
    protected Lock Gate { get; } = new();

    /// <summary>0 before the start. Written under the connection's lock.</summary>
    public int Id { get; private set; }

    /// <summary>Bytes of DATA that the peer still takes. Guarded by the connection's lock.</summary>
    public int SendWindow { get; set; }

    /// <summary>Bytes of DATA that we still take. Guarded by the connection's lock.</summary>
    public int ReceiveWindow { get; set; }

    /// <summary>Bytes taken in but not yet given back to the peer. Guarded by the connection's lock.</summary>
    public int Uncredited { get; set; }

    /// <summary>Has a place on its connection. Guarded by the connection's lock.</summary>
    public bool Open { get; set; }

    /// <summary>Is in the list of those to signal after this read. Used by the receive loop alone.</summary>
    public bool Touched { get; set; }

    /// <summary>Waits in the connection's list of blocked streams. Guarded by the connection's lock.</summary>
    public bool Blocked { get; set; }

    /// <summary>Our side sent END_STREAM. Guarded by the connection's lock.</summary>
    public bool EndSent { get; private set; }

    /// <summary>Null before the start and after a refusal.</summary>
    public Http2Connection? Connection => Volatile.Read(ref _connection);

    /// <summary>Room that <see cref="WriteHeaderBlock"/> needs at most.</summary>
    public abstract int HeaderBlockLengthMax { get; }

    /// <summary>Writes the request's header block and gives its length. Called under the connection's lock.</summary>
    public abstract int WriteHeaderBlock(Span<byte> bytes);

    /// <summary>Response headers or trailers. Trailers and whatever else comes last have the end flag.</summary>
    public abstract void OnHeaders(ResponseHead head, bool endStream);

    /// <summary>A piece of the body; the bytes are valid during the call.</summary>
    /// <returns>
    /// How many bytes the peer may send again at once; the rest is credited when read. Negative: of what the peer was
    /// given back before, so much has to be read first.
    /// </returns>
    public abstract int OnData(byte[] buffer, int offset, int count, bool endStream);

    /// <summary>The peer reset the stream. Its place on the connection is free.</summary>
    public abstract void OnReset(Http2ErrorCode code);

    /// <summary>The peer promises that it did not look at this stream: it may start again elsewhere.</summary>
    public abstract void OnRefused(string reason);

    /// <summary>The connection is gone. From any thread.</summary>
    public abstract void OnConnectionLost(string reason);

    /// <summary>This side wants no more of it. From any thread.</summary>
    public abstract void OnGivenUp(string reason);

    /// <summary>Wakes whoever waits for what the callbacks brought; comes once after a drained read.</summary>
    public abstract void Signal();

    internal void Attach(Http2Connection connection, int id, int sendWindow, int receiveWindow)
    {
        lock (Gate)
        {
            Id = id;
            SendWindow = sendWindow;
            ReceiveWindow = receiveWindow;
            Uncredited = 0;
            EndSent = false;
            Blocked = false;
            Open = true;
            _outOffset = 0;
            Volatile.Write(ref _connection, connection);
        }
    }

    /// <summary>Moves out bytes into frames as far as the budget allows. Called under the connection's lock.</summary>
    /// <returns>Bytes of DATA taken from the budget.</returns>
    internal int Pump(Outbox outbox, int budget, int frameBytesMax, out bool done)
    {
        lock (Gate)
        {
            var taken = 0;
            while (_out is not null && !EndSent)
            {
                var left = _outEnd - _outOffset;
                var room = Math.Min(budget - taken, SendWindow);
                var count = Math.Min(left, Math.Min(frameBytesMax, Math.Max(room, 0)));
                if (count == 0 && left > 0)
                {
                    done = false;
                    return taken;
                }

                var end = _endAfterOut && count == left;
                outbox.Data(Id, _out.AsSpan(_outOffset, count), end);
                EndSent = end;
                _outOffset += count;
                SendWindow -= count;
                taken += count;
                if (_outOffset == _outEnd)
                {
                    OnOutSent();
                    break;
                }
            }

            done = true;
            return taken;
        }
    }

    /// <summary>Hands a rented buffer over for sending. Call under the gate, when there is none.</summary>
    protected void SetOut(byte[] buffer, int length, bool end)
    {
        _out = buffer;
        _outOffset = 0;
        _outEnd = length;
        _endAfterOut = end;
    }

    /// <summary>Whether bytes wait to be sent. Call under the gate.</summary>
    protected bool HasOut => _out is not null;

    /// <summary>Gives the buffer back to the pool, sent or not. Call under the gate.</summary>
    protected void DropOut()
    {
        if (_out is { Length: > 0 } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        _out = null;
    }

    /// <summary>Leaves the connection before another start. Call under the gate.</summary>
    protected void Detach() => Volatile.Write(ref _connection, null);

    /// <summary>
    /// The whole buffer is in frames. Called under both locks; drops the buffer unless it may be sent again.
    /// </summary>
    protected abstract void OnOutSent();
}
