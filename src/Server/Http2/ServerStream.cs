// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Threading;
using System.Threading.Tasks;
using System.Threading.Tasks.Sources;
using Grpc.Core;
using Muster.Core;

namespace Muster.Server.Http2;

/// <summary>
/// One request and its response. What arrives is put behind what waits in one buffer, and whole messages are copied out
/// of it; the peer's windows open again as messages are taken, so a handler that does not read stops its peer and
/// nothing else. Owner: the connection, until both sides have ended; then nothing of it is used but by a call that
/// still runs, whose reads and writes find it closed.
/// Locks are taken in the order connection, stream. Incoming state is guarded by the stream's gate, outgoing state by
/// the connection's. One reader and one writer at a time.
/// </summary>
internal sealed partial class ServerStream : IValueTaskSource<bool>, IThreadPoolWorkItem
{
    private const int PrefixBytes = 5;
    private const int FirstBufferBytes = 1_024;
    private const int KeptBufferBytesMax = 64 * 1_024;

    private readonly Lock _gate = new();
    private readonly long _contentLength;

    // Guarded by the gate.
    private ManualResetValueTaskSourceCore<bool> _arrived;
    private IStreamCall? _call;
    private byte[] _in = [];
    private int _start;
    private int _end;
    private int _ahead;
    private int _uncredited;
    private bool _isWaiting;
    private bool _isWoken;
    private bool _isEnded;
    private bool _isGone;

    // Of the receive loop.
    private long _received;

    public ServerStream(ServerConnection connection, int id, int sendWindow, long contentLength, long now)
    {
        Connection = connection;
        Id = id;
        SendWindow = sendWindow;
        ReceiveWindow = ServerLimits.StreamWindowBytes;
        _contentLength = contentLength;
        TimedFrom = now;
        BegunAt = now;
    }

    public ServerConnection Connection { get; }

    public int Id { get; }

    /// <summary>When its request came.</summary>
    public long BegunAt { get; }

    /// <summary>Since when its body could come. Guarded by the connection's lock.</summary>
    public long TimedFrom { get; set; }

    /// <summary>
    /// The call's reads go on right on the receive loop, which waits for them: only for handlers that never block. Set
    /// before the call begins.
    /// </summary>
    public bool IsReadOnLoop { get; set; }

    /// <summary>The request has one message: it must arrive in a while. Set before the call begins.</summary>
    public bool IsBodyTimed { get; set; }

    /// <summary>Bytes of the request's body so far.</summary>
    public long BytesReceived => Volatile.Read(ref _received);

    /// <summary>Names the call to tell of the peer's end; it may hear at once.</summary>
    public void Attach(IStreamCall call)
    {
        bool isLate;
        lock (_gate)
        {
            _call = call;
            isLate = _isGone;
        }

        if (isLate)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>
    /// Takes a message that has arrived whole, in a buffer of the shared pool that is the caller's to return. Throws
    /// when it is compressed or too large, as its prefix says.
    /// </summary>
    public bool TryTake(out byte[] message, out int length)
    {
        int credit;
        lock (_gate)
        {
            message = [];
            length = 0;
            if (_end - _start < PrefixBytes)
            {
                return false;
            }

            length = CheckPrefix(_in.AsSpan(_start));
            var total = PrefixBytes + length;
            if (_end - _start < total)
            {
                return false;
            }

            message = ArrayPool<byte>.Shared.Rent(Math.Max(length, 1));
            _in.AsSpan(_start + PrefixBytes, length).CopyTo(message);
            _start += total;
            Shrink();

            // What was credited while it was incomplete is not credited again.
            var early = Math.Min(_ahead, total);
            _ahead -= early;
            _uncredited += total - early;
            Connection.Hold(-total);
            credit = TakeCredit();
        }

        Credit(credit);
        return true;
    }

    /// <summary>
    /// True when the peer half-closed and every message was taken. Throws when it stopped inside one.
    /// </summary>
    public bool IsAtEnd()
    {
        lock (_gate)
        {
            // Of a stream that is gone messages may have been dropped: that is no end in peace.
            if (!_isEnded || _isGone || IsReadable())
            {
                return false;
            }

            return _start == _end
                ? true
                : throw new RpcException(new Status(StatusCode.Internal, "The request ended inside a message."));
        }
    }

    /// <summary>
    /// Ends when there may be something new: a message, the end, or a call of <see cref="Wake"/>. False: the peer is
    /// gone.
    /// </summary>
    public ValueTask<bool> WaitAsync()
    {
        int credit;
        ValueTask<bool> waited;
        lock (_gate)
        {
            if (_isWoken || _isEnded || _isGone || IsReadable())
            {
                _isWoken = false;
                return new(!_isGone);
            }

            // Everything that came of a message counts as read, or one larger than the window could never be whole.
            CreditAhead();
            credit = TakeCredit();
            _arrived.Reset();
            _isWaiting = true;
            waited = new(this, _arrived.Version);
        }

        Credit(credit);
        return waited;
    }

    /// <summary>Makes a wait that is under way, or the next one, end. Any thread.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            if (!_isWaiting)
            {
                _isWoken = true;
                return;
            }

            _isWaiting = false;
        }

        // Whoever wakes has other things to do than to run the handler.
        _arrived.RunContinuationsAsynchronously = true;
        _arrived.SetResult(true);
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _arrived.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _arrived.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _arrived.OnCompleted(continuation, state, token, flags);

    // The call hears of its peer's end.
    void IThreadPoolWorkItem.Execute() => _call?.OnPeerGone();

    /// <summary>A piece of the body, on the receive loop.</summary>
    /// <returns>False: the request does not have the length that it said.</returns>
    internal bool OnData(ReadOnlySpan<byte> payload, int overhead, bool isEnd)
    {
        Volatile.Write(ref _received, _received + payload.Length);
        if (_contentLength >= 0 && (_received > _contentLength || (isEnd && _received != _contentLength)))
        {
            return false;
        }

        int credit;
        bool isWoken;
        lock (_gate)
        {
            _uncredited += overhead;
            Append(payload);
            _isEnded |= isEnd;
            isWoken = _isWaiting && (isEnd || IsReadable());
            if (isWoken)
            {
                _isWaiting = false;
            }
            else if (_isWaiting)
            {
                CreditAhead();
            }

            credit = TakeCredit();
        }

        Credit(credit);
        if (isWoken)
        {
            _arrived.RunContinuationsAsynchronously = !IsReadOnLoop;
            _arrived.SetResult(true);
        }

        return true;
    }

    /// <summary>
    /// Nothing comes any more and what came is dropped. Gives the bytes that the connection's window has yet to get
    /// back. Under the connection's lock.
    /// </summary>
    internal int CloseIncoming(bool isPeerGone)
    {
        bool isWoken;
        bool isTold;
        int rest;
        lock (_gate)
        {
            rest = _end - _start - _ahead + _uncredited;
            Connection.Hold(_start - _end);
            _uncredited = 0;
            _ahead = 0;
            _start = _end = 0;
            GiveBack();
            isTold = isPeerGone && !_isGone && _call is not null;
            _isGone = true;
            isWoken = _isWaiting;
            _isWaiting = false;
        }

        if (isTold)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        if (isWoken)
        {
            // A lock is held.
            _arrived.RunContinuationsAsynchronously = true;
            _arrived.SetResult(false);
        }

        return rest;
    }

    private static int CheckPrefix(ReadOnlySpan<byte> prefix)
    {
        if (prefix[0] != 0)
        {
            throw new RpcException(new Status(
                StatusCode.Unimplemented, "Compressed messages are not supported; send with grpc-encoding identity."));
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        return length <= TaskLimits.MessageBytesMax
            ? (int)length
            : throw new RpcException(new Status(
                StatusCode.ResourceExhausted,
                $"A message of {length} bytes is over the limit of {TaskLimits.MessageBytesMax}."));
    }

    // Under the gate: a message is whole, or its prefix is one that reading refuses.
    private bool IsReadable()
    {
        var bytes = _in.AsSpan(_start, _end - _start);
        if (bytes.Length < PrefixBytes)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]);
        return bytes[0] != 0 || length > TaskLimits.MessageBytesMax || bytes.Length - PrefixBytes >= length;
    }

    private void CreditAhead()
    {
        var more = _end - _start - _ahead;
        _ahead += more;
        _uncredited += more;
    }

    private int TakeCredit()
    {
        // Of a stream that is gone nothing may be kept back: no later step would give it.
        if (_uncredited < ServerLimits.CreditStepBytes && !_isGone)
        {
            return 0;
        }

        var credit = _uncredited;
        _uncredited = 0;
        return credit;
    }

    private void Credit(int bytes)
    {
        if (bytes > 0)
        {
            Connection.Credit(this, bytes);
        }
    }

    private void Append(ReadOnlySpan<byte> payload)
    {
        if (_isGone)
        {
            // Closed by another thread a moment ago: nobody reads it, and the window takes it back at once.
            _uncredited += payload.Length;
            return;
        }

        var needed = _end - _start + payload.Length;
        if (_end + payload.Length > _in.Length)
        {
            // Doubles as bytes really arrive: a prefix that announces much is no reason to rent much.
            var target = needed <= _in.Length / 2
                ? _in
                : ArrayPool<byte>.Shared.Rent(Math.Max(FirstBufferBytes, Math.Max(needed, _in.Length * 2)));
            Buffer.BlockCopy(_in, _start, target, 0, _end - _start);
            if (target != _in)
            {
                GiveBack();
                _in = target;
            }

            _end -= _start;
            _start = 0;
        }

        payload.CopyTo(_in.AsSpan(_end));
        _end += payload.Length;
        Connection.Hold(payload.Length);
    }

    private void Shrink()
    {
        if (_start != _end)
        {
            return;
        }

        _start = _end = 0;
        if (_in.Length > KeptBufferBytesMax)
        {
            GiveBack();
        }
    }

    private void GiveBack()
    {
        if (_in.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_in);
        }

        _in = [];
    }
}
