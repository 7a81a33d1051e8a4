// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using System.Threading.Tasks.Sources;
using Muster.Arena.Links;
using Muster.Core;
using Muster.Transport.Wire;

namespace Muster.Link;

/// <summary>
/// One end of a link: a stream of messages each way between two processes of a host, through shared memory. On the
/// wire a message has the prefix of gRPC, and the last one that of the trailers of gRPC-Web: a byte of flags, and its
/// length. The Unix socket over which the memory was handed stays open and carries nothing: its end is the end of the
/// other process.
///
/// <para>Threads: one reader and one writer at a time, on any threads. The link's own thread sleeps until the other end
/// or this one has something for it, and then completes the read or write that waits; what follows them runs on it, and
/// must not block. It alone unmaps the memory, when it is the last to touch it.</para>
///
/// <para>Capacity: the ring. A write that does not fit waits, and nothing else does.</para>
/// </summary>
internal sealed class LinkEnd : IValueTaskSource<LinkRead>, IDisposable
{
    public const int PrefixBytes = 5;
    public const byte EndFlag = 0x80;

    /// <summary>
    /// The longest sleep. The word to sleep on belongs to both sides: one that is killed or stopped between writing it
    /// and waking the sleeper, or that lies, makes every later signal look done.
    /// </summary>
    private const int SleepMsMax = 1_000;

    private readonly LinkPages _pages;
    private readonly Socket _socket;
    private readonly LinkPatience _patience;
    private readonly Lock _reading = new();
    private readonly Lock _writing = new();
    private readonly Lock _waking = new();

    // Guarded by _reading, but for what the reader takes when it was told that something is there.
    private ManualResetValueTaskSourceCore<LinkRead> _read;
    private RawMessage? _partial;
    private RawMessage? _found;
    private int _filled;
    private long _begun;
    private bool _isEnd;
    private bool _isReadWaiting;

    // Guarded by _writing.
    private ReadOnlyMemory<byte> _unsent;
    private TaskCompletionSource<bool>? _sent;

    // Of the link's own thread.
    private long _lookedAt = Environment.TickCount64;
    private long _lookedBegun;
    private int _silentLooks;
    private int _partialLooks;

    private volatile bool _isPeerGone;
    private volatile bool _isInterrupted;
    private volatile bool _isClosed;
    private bool _isUnmapped;

    private LinkEnd(LinkPages pages, Socket socket, LinkPatience patience)
    {
        _pages = pages;
        _socket = socket;
        _patience = patience;
    }

    /// <summary>Begins to carry; owns both from now on.</summary>
    public static LinkEnd Start(LinkPages pages, Socket socket, LinkPatience? patience = null)
    {
        var end = new LinkEnd(pages, socket, patience ?? LinkPatience.Default);
        new Thread(end.Work) { Name = "muster-link", IsBackground = true }.Start();
        _ = end.WatchAsync();
        return end;
    }

    /// <summary>Gives the message or the trailers that the last read found, once; null when it found
    /// neither.</summary>
    public RawMessage? TakeFound()
    {
        var found = _found;
        _found = null;
        return found;
    }

    /// <summary>Takes a message or the end that is already there.</summary>
    public LinkRead TryRead()
    {
        lock (_reading)
        {
            Invariant.That(!_isReadWaiting);
            return Pull();
        }
    }

    /// <summary>Waits for a message or the end; await the result once and at once.</summary>
    public ValueTask<LinkRead> ReadAsync()
    {
        lock (_reading)
        {
            Invariant.That(!_isReadWaiting);
            var found = Pull();
            if (found != LinkRead.None)
            {
                return new(found);
            }

            _isReadWaiting = true;
            _read.Reset();
            return new(this, _read.Version);
        }
    }

    /// <summary>Sends bytes that already have their prefixes; they must not change before the result.</summary>
    /// <returns>Whether they went out; false: the other side is gone.</returns>
    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> framed)
    {
        lock (_writing)
        {
            Invariant.That(_sent is null);
            if (_isClosed || _isPeerGone)
            {
                return new(false);
            }

            return Settle(framed);
        }
    }

    /// <summary>Sends one message, and uses it up.</summary>
    /// <returns>As <see cref="WriteAsync(ReadOnlyMemory{byte})"/>.</returns>
    public ValueTask<bool> WriteAsync(RawMessage message)
    {
        using (message)
        {
            Span<byte> prefix = stackalloc byte[PrefixBytes];
            WritePrefix(prefix, 0, message.Length);
            lock (_writing)
            {
                Invariant.That(_sent is null);
                if (_isClosed || _isPeerGone)
                {
                    return new(false);
                }

                var outgoing = _pages.Outgoing;
                var head = outgoing.Write(prefix);
                var body = head == PrefixBytes ? outgoing.Write(message.Span) : 0;
                outgoing.Publish();
                if (body == message.Length)
                {
                    _pages.Peer.Signal();
                    return new(true);
                }

                return Settle((byte[])[.. prefix[head..], .. message.Span[body..]]);
            }
        }
    }

    public static void WritePrefix(Span<byte> place, byte flags, int length)
    {
        place[0] = flags;
        BinaryPrimitives.WriteUInt32BigEndian(place[1..], (uint)length);
    }

    /// <summary>Ends the reading on this side, from any thread; what is written still goes out.</summary>
    public void Interrupt()
    {
        _isInterrupted = true;
        Wake();
    }

    /// <summary>Ends the link, from any thread, any number of times. What waits is told that the other side is
    /// gone.</summary>
    public void Dispose()
    {
        _isClosed = true;
        _socket.Dispose();
        Wake();
    }

    LinkRead IValueTaskSource<LinkRead>.GetResult(short token) => _read.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<LinkRead>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<LinkRead>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    private async Task WatchAsync()
    {
        try
        {
            // Nothing is ever sent there, so whatever this brings is the end.
            await _socket.ReceiveAsync(new byte[1], SocketFlags.None).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // A broken socket says the same as a closed one.
        }

        _isPeerGone = true;
        Wake();
    }

    private void Wake()
    {
        lock (_waking)
        {
            if (!_isUnmapped)
            {
                _pages.Own.Signal();
            }
        }
    }

    private void Work()
    {
        while (!_isClosed)
        {
            _pages.Own.Wait(Math.Min(SleepMsMax, _patience.LookMs));
            Look();
            CompleteRead();
            CompleteWrite();
        }

        CompleteRead();
        CompleteWrite();
        lock (_reading)
        {
            lock (_writing)
            {
                lock (_waking)
                {
                    _isUnmapped = true;
                    _pages.Dispose();
                    _partial?.Dispose();
                }
            }
        }
    }

    private void Look()
    {
        var now = Environment.TickCount64;
        if (now - _lookedAt < _patience.LookMs)
        {
            return;
        }

        _lookedAt = now;
        _pages.Life.Give();
        _silentLooks = _pages.Life.IsNew() ? 0 : _silentLooks + 1;
        lock (_reading)
        {
            var isSame = _isReadWaiting && _partial is not null && _begun == _lookedBegun;
            _partialLooks = isSame ? _partialLooks + 1 : 0;
            _lookedBegun = _begun;
        }

        _isPeerGone |= _silentLooks > _patience.SilentLooksMax || _partialLooks > _patience.PartialLooksMax;
    }

    private void CompleteRead()
    {
        LinkRead found;
        lock (_reading)
        {
            found = _isReadWaiting ? Pull() : LinkRead.None;
            if (found == LinkRead.None)
            {
                return;
            }

            _isReadWaiting = false;
        }

        _read.SetResult(found);
    }

    private void CompleteWrite()
    {
        TaskCompletionSource<bool> sent;
        bool isOut;
        lock (_writing)
        {
            if (_sent is null)
            {
                return;
            }

            var isGone = _isClosed || _isPeerGone;
            if (!isGone)
            {
                _unsent = _unsent[Put(_unsent.Span)..];
            }

            isOut = _unsent.IsEmpty;
            if (!isOut && !isGone && !_pages.Outgoing.IsBroken)
            {
                return;
            }

            sent = _sent;
            _sent = null;
            _unsent = default;
        }

        sent.SetResult(isOut);
    }

    // Under _writing: writes what fits, and has the other side tell when it is not all.
    private int Put(ReadOnlySpan<byte> bytes)
    {
        var outgoing = _pages.Outgoing;
        var written = outgoing.Write(bytes);
        outgoing.Publish();
        if (written < bytes.Length)
        {
            outgoing.AskForRoom();
            var more = outgoing.Write(bytes[written..]);
            outgoing.Publish();
            written += more;
        }

        _pages.Peer.Signal();
        return written;
    }

    // Under _writing: done, or the rest waits for room.
    private ValueTask<bool> Settle(ReadOnlyMemory<byte> rest)
    {
        var left = rest[Put(rest.Span)..];
        if (left.IsEmpty || _pages.Outgoing.IsBroken)
        {
            return new(left.IsEmpty);
        }

        _unsent = left;
        _sent = new TaskCompletionSource<bool>();
        return new(_sent.Task);
    }

    // Under _reading: what is there, copied out of the shared memory before anybody looks at it.
    private LinkRead Pull()
    {
        // Looked at before the ring: what a process wrote before it died is still read.
        var isGone = _isPeerGone;
        if (_isInterrupted || _isClosed)
        {
            return _isInterrupted ? LinkRead.Interrupted : LinkRead.Gone;
        }

        var incoming = _pages.Incoming;
        var available = incoming.Available();
        if (_partial is null && available >= PrefixBytes)
        {
            if (!TryBegin(incoming))
            {
                return LinkRead.Gone;
            }

            available -= PrefixBytes;
        }

        if (_partial is { } message)
        {
            var count = Math.Min(available, message.Length - _filled);
            incoming.Read(message.Place.Slice(_filled, count));
            _filled += count;
            if (incoming.Release())
            {
                _pages.Peer.Signal();
            }

            if (_filled == message.Length)
            {
                _found = message;
                _partial = null;
                return _isEnd ? LinkRead.End : LinkRead.Message;
            }
        }

        return isGone || incoming.IsBroken ? LinkRead.Gone : LinkRead.None;
    }

    private bool TryBegin(ByteRing incoming)
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        incoming.Read(prefix);
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (prefix[0] is not (0 or EndFlag) || length > TaskLimits.MessageBytesMax)
        {
            _isPeerGone = true;
            return false;
        }

        _isEnd = prefix[0] == EndFlag;
        _partial = RawMessage.Rent((int)length);
        _begun++;
        _filled = 0;
        return true;
    }
}
