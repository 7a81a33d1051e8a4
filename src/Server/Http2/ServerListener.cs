// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Threading;
using System.Threading.Tasks;
using Muster.Server.Endpoint.Access;
using Muster.Transport.Sockets;

namespace Muster.Server.Http2;

/// <summary>
/// Accepts connections on bound sockets and keeps those that are open: at most so many, looked after by one timer, and
/// all ended together. Owner: the endpoint. Any thread.
/// </summary>
internal sealed class ServerListener : IDisposable
{
    private static readonly TimeSpan s_acceptPause = TimeSpan.FromMilliseconds(100);

    private readonly ICallStarter _calls;
    private readonly ServerOptions _options;
    private readonly int _connectionsMax;
    private readonly PeerAccounts _accounts;
    private readonly ITimer _watch;
    private readonly Lock _gate = new();
    private readonly HashSet<ServerConnection> _open = [];
    private readonly List<Socket> _sockets = [];
    private readonly SemaphoreSlim _handshakes = new(ServerLimits.TlsHandshakesMax);
    private readonly SocketThreads _threads = new("receive");
    private TaskCompletionSource? _noneLeft;
    private int _taken;
    private bool _isFullTold;
    private bool _isStopped;

    public ServerListener(ICallStarter calls, ServerOptions options, int connectionsMax)
    {
        _calls = calls;
        _options = options;
        _connectionsMax = connectionsMax;
        _accounts = new(connectionsMax, options.Time);
        _watch = options.Time.CreateTimer(
            static state => ((ServerListener)state!).Look(),
            this,
            ServerLimits.WatchInterval,
            ServerLimits.WatchInterval);
    }

    /// <summary>Takes over a socket that listens already.</summary>
    /// <param name="socket">Closed with this.</param>
    /// <param name="tls">Null: without TLS.</param>
    public void Listen(Socket socket, TlsFront? tls)
    {
        lock (_gate)
        {
            _sockets.Add(socket);
        }

        _ = Task.Run(() => AcceptAsync(socket, tls));
    }

    /// <summary>Accepts nothing more, and lets the calls that run come to their end.</summary>
    public void Drain()
    {
        foreach (var connection in Stop())
        {
            connection.Drain();
        }
    }

    /// <summary>Cuts everything.</summary>
    public void Abort()
    {
        foreach (var connection in Stop())
        {
            connection.Abort();
        }
    }

    /// <summary>Ends when every connection and all their calls have ended. After a stop.</summary>
    public Task WhenEndedAsync()
    {
        lock (_gate)
        {
            if (_taken == 0)
            {
                return Task.CompletedTask;
            }

            _noneLeft ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _noneLeft.Task;
        }
    }

    public void Dispose()
    {
        Abort();
        _watch.Dispose();

        // The semaphore stays: a handshake that was cut gives its place back later.
        _threads.Dispose();
    }

    private ServerConnection[] Stop()
    {
        lock (_gate)
        {
            _isStopped = true;
            foreach (var socket in _sockets)
            {
                socket.Dispose();
            }

            _sockets.Clear();
            return [.. _open];
        }
    }

    private async Task AcceptAsync(Socket listening, TlsFront? tls)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await listening.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                if (listening.SafeHandle.IsClosed)
                {
                    return;
                }

                // No descriptor was left for this one, or it has gone again; the next may find one.
                await Task.Delay(s_acceptPause).ConfigureAwait(false);
                continue;
            }

            if (TryTakeRoom(socket, out var account))
            {
                // Not here: a request that is there already would have its handler begin in this loop.
                _ = Task.Run(() => ServeAsync(socket, tls, account));
            }
            else
            {
                socket.Dispose();
            }
        }
    }

    private async Task ServeAsync(Socket socket, TlsFront? tls, PeerAccount? account)
    {
        ServerConnection? connection = null;
        try
        {
            if (socket.AddressFamily != AddressFamily.Unix)
            {
                socket.NoDelay = true;
            }

            var (io, peer) = await OpenAsync(socket, tls).ConfigureAwait(false);
            connection = new ServerConnection(io, socket, _calls, _options, peer, account);
            if (TryAdd(connection))
            {
                await connection.ServeAsync().ConfigureAwait(false);
            }
            else
            {
                await io.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is IOException or Win32Exception or AuthenticationException
            or OperationCanceledException or ObjectDisposedException)
        {
            // Who connected has gone again, or speaks no TLS.
            HttpLog.HandshakeFailed(_options.Logger, failure.Message);
        }
        finally
        {
            socket.Dispose();
            _accounts.Close(account);
            GiveBackRoom(connection);
        }
    }

    private async Task<(Stream Io, ConnectionPeer Peer)> OpenAsync(Socket socket, TlsFront? tls)
    {
        if (tls is null && SocketThreads.AreSupported)
        {
            return (new SocketStream(socket, _threads.Take()), ConnectionPeer.Of(socket));
        }

        var bare = new NetworkStream(socket, ownsSocket: true);
        if (tls is null)
        {
            return (bare, ConnectionPeer.Of(socket));
        }

        using var late = new CancellationTokenSource(ServerLimits.TlsHandshakeTimeout);
        var stream = new SslStream(bare);
        try
        {
            // A handshake costs a stranger little and us a signature: only so many at a time, and in their time.
            await _handshakes.WaitAsync(late.Token).ConfigureAwait(false);
            try
            {
                await stream.AuthenticateAsServerAsync(tls.Options, late.Token).ConfigureAwait(false);
            }
            finally
            {
                _handshakes.Release();
            }

            return stream.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2
                ? (stream, tls.PeerOf(stream, ConnectionPeer.NameOf(socket)))
                : throw new AuthenticationException("the client did not ask for HTTP/2");
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private bool TryTakeRoom(Socket socket, out PeerAccount? account)
    {
        account = null;
        lock (_gate)
        {
            if (_isStopped || _taken == _connectionsMax)
            {
                if (!_isStopped && !_isFullTold)
                {
                    // Once for each look of the watch: who connects for ever must not fill the log.
                    _isFullTold = true;
                    HttpLog.ConnectionsFull(_options.Logger, _connectionsMax);
                }

                return false;
            }

            if (!_accounts.TryOpen(PeerOf(socket), out account))
            {
                if (!_isFullTold)
                {
                    _isFullTold = true;
                    HttpLog.AddressFull(_options.Logger, account!.Connections);
                }

                account = null;
                return false;
            }

            _taken++;
            return true;
        }
    }

    private static EndPoint? PeerOf(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint;
        }
        catch (SocketException)
        {
            // It has gone again already.
            return null;
        }
    }

    private bool TryAdd(ServerConnection connection)
    {
        lock (_gate)
        {
            if (_isStopped)
            {
                return false;
            }

            _open.Add(connection);
            return true;
        }
    }

    private void GiveBackRoom(ServerConnection? connection)
    {
        lock (_gate)
        {
            if (connection is not null)
            {
                _open.Remove(connection);
            }

            if (--_taken == 0)
            {
                _noneLeft?.TrySetResult();
            }
        }
    }

    private void Look()
    {
        ServerConnection[] open;
        lock (_gate)
        {
            _isFullTold = false;
            if (_open.Count == 0)
            {
                return;
            }

            open = [.. _open];
        }

        var now = _options.Time.GetTimestamp();
        foreach (var connection in open)
        {
            connection.Look(now);
        }
    }
}
