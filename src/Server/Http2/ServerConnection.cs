// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Muster.Server.Endpoint;
using Muster.Server.Endpoint.Access;
using Muster.Transport.Http2;

namespace Muster.Server.Http2;

/// <summary>
/// The server's half of one HTTP/2 connection. It owns its byte stream. One receive loop parses frames where they were
/// received and never waits for a send; any thread may write, finish and reset streams, which only put frames into the
/// outbox, and one thread at a time writes the outbox to the byte stream. <see cref="_gate"/> guards everything that is
/// not said to belong to the receive loop; no call is run under it.
/// Memory is bounded: input by one buffer, requests by the windows, responses by the outbox and what each call itself
/// holds, streams by their number, and what brings nothing forward by <see cref="FrameBudget"/>.
/// </summary>
internal sealed partial class ServerConnection
{
    private readonly Lock _gate = new();
    private readonly Stream _io;
    private readonly Socket? _socket;
    private readonly ICallStarter _calls;
    private readonly ServerOptions _options;
    private readonly PeerAccount? _account;
    private readonly Dictionary<int, ServerStream> _streams = [];
    private readonly EndedStreams _ended = new();
    private readonly Queue<ServerStream> _blocked = new();
    private readonly Outbox _outbox = new();
    private readonly PeerSettings _peer = new(isServer: false);
    private readonly FrameBudget _budget;
    private readonly TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _callsEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _lastStreamId;
    private int _callsRunning;
    private int _sendWindow = Http2Limits.DefaultWindowBytes;
    private long _held;
    private bool _isDraining;
    private bool _isClosed;

    /// <param name="io">The bytes; closed with the connection.</param>
    /// <param name="socket">What is under them; null: unknown, as in tests.</param>
    /// <param name="calls">Starts the call of each request.</param>
    /// <param name="options">Those of the server.</param>
    /// <param name="peer">Who is at the other end; null: nothing is known of it, as in tests.</param>
    /// <param name="account">Counts its calls with those of the peer's other connections; null: nobody does.</param>
    public ServerConnection(
        Stream io,
        Socket? socket,
        ICallStarter calls,
        ServerOptions options,
        ConnectionPeer? peer = null,
        PeerAccount? account = null)
    {
        _account = account;
        _io = io;
        _socket = socket;
        _calls = calls;
        _options = options;
        _budget = new(options.Time.TimestampFrequency);
        _begunAt = _usedAt = _receivedAt = options.Time.GetTimestamp();
        Peer = peer ?? ConnectionPeer.Unknown;
        PeerName = peer?.Name ?? ConnectionPeer.NameOf(socket);
    }

    /// <summary>How the connection ended, once it has.</summary>
    public ConnectionEnd End { get; } = new();

    /// <summary>Who is at the other end.</summary>
    public ConnectionPeer Peer { get; }

    /// <summary>The peer's address in gRPC's own spelling, for people and logs.</summary>
    public string PeerName { get; }

    /// <summary>Ends when the connection and all its calls have ended; never throws.</summary>
    public async Task ServeAsync()
    {
        _input = ArrayPool<byte>.Shared.Rent(ServerLimits.InputBytesMin);
        Greet();
        await ReceiveAsync().ConfigureAwait(false);
        await FarewellAsync().ConfigureAwait(false);
        await _callsEnded.Task.ConfigureAwait(false);
    }

    /// <summary>Takes no more calls and ends when those that run have ended.</summary>
    public void Drain()
    {
        FlushTurn turn;
        bool isOver;
        lock (_gate)
        {
            if (_isClosed || _isDraining)
            {
                return;
            }

            _isDraining = true;
            _outbox.GoAway(_lastStreamId, Http2ErrorCode.NoError);
            isOver = _streams.Count == 0;
            turn = TakeTurn();
        }

        Flush(turn);
        if (isOver)
        {
            Close(Http2ErrorCode.NoError, "the server stops");
        }
    }

    /// <summary>
    /// Gives the connection up: calls are told, and the peer is told why if that can be written at once.
    /// </summary>
    public void Close(Http2ErrorCode code, string reason) => Close(code, reason, isOnLoop: false);

    private void Close(Http2ErrorCode code, string reason, bool isOnLoop)
    {
        FlushTurn turn;
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            foreach (var stream in _streams.Values)
            {
                CloseStream(stream, isPeerGone: true);
            }

            _streams.Clear();
            _blocked.Clear();
            if (code != Http2ErrorCode.NoError || !_isDraining)
            {
                _outbox.GoAway(_lastStreamId, code);
            }

            // Also on the receive loop: nothing is written at the end of its work any more.
            turn = _isFlushing || _outbox.IsEmpty ? FlushTurn.None : FlushTurn.Now;
            _isFlushing |= turn == FlushTurn.Now;
            _isClosed = true;
            if (!_isFlushing)
            {
                _written.TrySetResult();
            }

            TellWhenIdle();
        }

        if (code != Http2ErrorCode.NoError)
        {
            HttpLog.GaveUp(_options.Logger, PeerName, code, reason);
        }

        Flush(turn);
        if (!isOnLoop)
        {
            _ = EndReceiveAsync();
        }
    }

    /// <summary>Cuts the connection as a killed process would.</summary>
    public void Abort()
    {
        lock (_gate)
        {
            // Nothing of what waits is said any more, and no farewell either.
            _outbox.Shut();
        }

        Close(Http2ErrorCode.NoError, "the server was cut");
        _io.Dispose();
    }

    /// <summary>A call has ended; its stream may still have bytes to send.</summary>
    public void CallEnded()
    {
        _account?.EndCall();
        lock (_gate)
        {
            _callsRunning--;
            TellWhenIdle();
        }
    }

    /// <summary>Counts bytes of requests that arrived, or were taken; any thread.</summary>
    internal void Hold(int bytes)
    {
        if (bytes == 0)
        {
            return;
        }

        var now = Interlocked.Add(ref _held, bytes);
        _options.RequestBytes.Change(now - bytes, now);
    }

    private void Greet()
    {
        FlushTurn turn;
        lock (_gate)
        {
            _outbox.Settings(
            [
                (SettingId.MaxConcurrentStreams, _options.StreamsMax),
                (SettingId.InitialWindowSize, ServerLimits.StreamWindowBytes),
                (SettingId.MaxHeaderListSize, ServerLimits.HeaderBytesMax),
            ]);
            _outbox.WindowUpdate(0, ServerLimits.ConnectionWindowBytes - Http2Limits.DefaultWindowBytes);
            turn = TakeTurn();
        }

        Flush(turn);
    }

    // What was written last must be out, and what the peer still sends must be read away: a socket that is closed with
    // unread bytes resets the connection, and the peer would lose the reason.
    private async Task FarewellAsync()
    {
        try
        {
            using var deadline = new CancellationTokenSource(ServerLimits.FarewellTimeout);
            await _written.Task.WaitAsync(deadline.Token).ConfigureAwait(false);
            if (!End.IsByPeer)
            {
                if (_io is System.Net.Security.SslStream tls)
                {
                    await tls.ShutdownAsync().WaitAsync(deadline.Token).ConfigureAwait(false);
                }

                _socket?.Shutdown(SocketShutdown.Send);
                while (await _io.ReadAsync(_input, deadline.Token).ConfigureAwait(false) > 0)
                {
                    // Nobody wants it.
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException
            or SocketException or InvalidOperationException or NotSupportedException)
        {
            // The farewell is a courtesy; a peer that is gone or does not read goes without.
        }
        finally
        {
            await _io.DisposeAsync().ConfigureAwait(false);
            GiveBackInput();
        }
    }

    // A receive loop that waits hears of a close only by its read: the peer is given the time of a farewell to answer
    // the end of our bytes with that of its own.
    private async Task EndReceiveAsync()
    {
        try
        {
            await _written.Task.WaitAsync(ServerLimits.FarewellTimeout).ConfigureAwait(false);
            _socket?.Shutdown(SocketShutdown.Send);
            await _received.Task.WaitAsync(ServerLimits.FarewellTimeout).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or SocketException or ObjectDisposedException)
        {
            await _io.DisposeAsync().ConfigureAwait(false);
        }
    }

    // Under the gate.
    private void TellWhenIdle()
    {
        if (_isClosed && _callsRunning == 0)
        {
            _callsEnded.TrySetResult();
        }
    }

    // Under the gate, but for the list itself.
    private void CloseStream(ServerStream stream, bool isPeerGone)
    {
        stream.IsOpen = false;
        stream.DropOut(isCancelled: false);
        _uncredited += stream.CloseIncoming(isPeerGone);
    }

    // Under the gate.
    private void Remove(ServerStream stream, StreamEnd end, bool isPeerGone)
    {
        CloseStream(stream, isPeerGone);

        // Also when a handler's thread ends it: a peer whose other streams wait for the window says nothing meanwhile.
        CreditConnection();
        _streams.Remove(stream.Id);
        _ended.Add(stream.Id, end);
        _usedAt = _options.Time.GetTimestamp();
    }

    private void CloseWhenDrained()
    {
        bool isOver;
        lock (_gate)
        {
            isOver = _isDraining && !_isClosed && _streams.Count == 0;
        }

        if (isOver)
        {
            Close(Http2ErrorCode.NoError, "every call has ended");
        }
    }
}
