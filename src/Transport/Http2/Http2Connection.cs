// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Transport.Http2;

/// <summary>
/// The client's half of one HTTP/2 connection. It owns its byte stream. One receive loop parses frames, calls the
/// streams and never waits for a send; any thread may start, pump and reset streams, which only put frames into the
/// outbox, and one thread at a time writes the outbox to the byte stream. <see cref="_gate"/> guards everything that is
/// not said to belong to the receive loop; it is never held while a stream's callback or the owner is called.
/// </summary>
internal sealed partial class Http2Connection
{
    private static readonly byte[] s_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    private readonly Lock _gate = new();
    private readonly Stream _io;
    private readonly IConnectionOwner _owner;
    private readonly ConnectionOptions _options;
    private readonly Dictionary<int, Http2Stream> _streams = [];
    private readonly Queue<Http2Stream> _blocked = new();
    private readonly Outbox _outbox = new();
    private readonly PeerSettings _peer = new(isServer: true);
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _nextStreamId = 1;
    private int _sendWindow = Http2Limits.DefaultWindowBytes;
    private bool _draining;
    private bool _closed;

    // Ends when the writer has ended after the connection was closed.
    private readonly TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Http2Connection(Stream io, IConnectionOwner owner, ConnectionOptions options)
    {
        _io = io;
        _owner = owner;
        _options = options;
        _head = new ResponseHead(options.HeaderListBytesMax);
        _receiveWindow = options.ConnectionWindowBytes;
    }

    /// <summary>Streams that run at present.</summary>
    public int ActiveStreams
    {
        get
        {
            lock (_gate)
            {
                return _streams.Count;
            }
        }
    }

    public bool IsClosed
    {
        get
        {
            lock (_gate)
            {
                return _closed;
            }
        }
    }

    /// <summary>Says hello and ends when the server has done so. On failure the connection is closed.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        FlushTurn turn;
        lock (_gate)
        {
            _outbox.Raw(s_preface);
            _outbox.Settings(
            [
                (SettingId.EnablePush, 0),
                (SettingId.InitialWindowSize, _options.StreamWindowBytes),
                (SettingId.MaxFrameSize, Http2Limits.FrameBytesMax),
                (SettingId.MaxHeaderListSize, _options.HeaderListBytesMax),
            ]);
            var more = _options.ConnectionWindowBytes - Http2Limits.DefaultWindowBytes;
            if (more > 0)
            {
                _outbox.WindowUpdate(0, more);
            }

            turn = TakeTurn(false);
        }

        Flush(turn);
        _ = ReceiveAsync();
        using (cancellationToken.UnsafeRegister(
            static state => ((Http2Connection)state!).Close("the server did not answer in time"), this))
        {
            await _settled.Task.ConfigureAwait(false);
        }

        StartKeepAlive();
    }

    /// <summary>
    /// Puts the stream's headers and what it has to send into the outbox; flush by the turn afterwards.
    /// </summary>
    public StartResult TryStart(Http2Stream stream, out FlushTurn turn)
    {
        turn = FlushTurn.None;
        lock (_gate)
        {
            if (_closed || _draining || _nextStreamId < 0)
            {
                return StartResult.Gone;
            }

            if ((uint)_streams.Count >= _peer.StreamsMax)
            {
                return StartResult.Full;
            }

            var id = _nextStreamId;
            _nextStreamId += 2;
            stream.Attach(this, id, _peer.WindowBytes, _options.StreamWindowBytes);
            _streams.Add(id, stream);
            WriteHeaders(stream);
            PumpOne(stream);
            turn = TakeTurn(false);
            return StartResult.Started;
        }
    }

    /// <summary>Ends the stream from this side, when it still runs here.</summary>
    public void Reset(Http2Stream stream, Http2ErrorCode code)
    {
        FlushTurn turn;
        lock (_gate)
        {
            if (!stream.Open || stream.Connection != this)
            {
                return;
            }

            _outbox.Reset(stream.Id, code);
            Remove(stream);
            turn = TakeTurn(false);
        }

        Flush(turn);
        AfterRemoval();
    }

    /// <summary>
    /// Gives the connection up: every stream is told, and what waits is sent only if it can be within a second.
    /// </summary>
    public void Close(string reason, Http2ErrorCode code = Http2ErrorCode.NoError)
    {
        List<Http2Stream> streams;
        ReadOnlyMemory<byte> rest;
        Task written;
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            streams = [.. _streams.Values];
            _streams.Clear();
            foreach (var stream in streams)
            {
                stream.Open = false;
            }

            _outbox.GoAway(0, code);
            rest = _outbox.Take();
            _outbox.Shut();

            // The server may have read a write whose writer has yet to hear of it: it is told why all the same.
            written = _flushing ? _written.Task : Task.CompletedTask;
        }

        _keepAlive?.Dispose();
        _ = CloseIoAsync(written, rest);
        _settled.TrySetException(new IOException(reason));
        _owner.OnClosed(this, reason);
        foreach (var stream in streams)
        {
            stream.OnConnectionLost(reason);
        }
    }

    /// <summary>Tells every stream that it is over, with the reason of this side.</summary>
    public void GiveUpStreams(string reason)
    {
        Http2Stream[] streams;
        lock (_gate)
        {
            streams = [.. _streams.Values];
        }

        foreach (var stream in streams)
        {
            stream.OnGivenUp(reason);
        }
    }

    private async Task CloseIoAsync(Task written, ReadOnlyMemory<byte> rest)
    {
        try
        {
            if (!rest.IsEmpty)
            {
                using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(1));
                await written.WaitAsync(deadline.Token).ConfigureAwait(false);
                await _io.WriteAsync(rest, deadline.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The farewell is a courtesy; a peer that is gone or does not read goes without.
        }
        finally
        {
            await _io.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void WriteHeaders(Http2Stream stream)
    {
        var lengthMax = stream.HeaderBlockLengthMax + 1;
        var block = lengthMax <= 1024 ? stackalloc byte[1024] : new byte[lengthMax];
        var length = 0;
        if (_peer.MustEmptyTable)
        {
            block[0] = 0x20;
            length = 1;
            _peer.MustEmptyTable = false;
        }

        length += stream.WriteHeaderBlock(block[length..]);
        _outbox.Headers(stream.Id, block[..length], _peer.FrameBytesMax, false);
    }

    // Under the gate.
    private void Remove(Http2Stream stream)
    {
        stream.Open = false;
        _streams.Remove(stream.Id);
    }

    private void AfterRemoval()
    {
        bool over;
        bool draining;
        lock (_gate)
        {
            draining = _draining;
            over = _draining && _streams.Count == 0;
        }

        if (over)
        {
            Close("the server asked to leave and every call has ended");
        }
        else if (!draining)
        {
            _owner.OnRoom(this);
        }
    }
}
