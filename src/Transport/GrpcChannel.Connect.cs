// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport.Calls;
using Muster.Transport.Http2;

namespace Muster.Transport;

/// <summary>Connecting, backing off, and what becomes of connections.</summary>
internal sealed partial class GrpcChannel
{
    void IConnectionOwner.OnRoom(Http2Connection connection) => StartWaiting();

    void IConnectionOwner.OnDraining(Http2Connection connection) => Leave(connection, "the server asked to leave");

    void IConnectionOwner.OnClosed(Http2Connection connection, string reason)
    {
        lock (_gate)
        {
            _connections.Remove(connection);
        }

        Leave(connection, reason);
    }

    private void Leave(Http2Connection connection, string reason)
    {
        lock (_gate)
        {
            if (_current != connection)
            {
                return;
            }

            Volatile.Write(ref _current, null);
            _lastError = reason;
            if (_state != ConnectivityState.Shutdown)
            {
                _state = ConnectivityState.Idle;
                if (_waiting.Count > 0)
                {
                    EnsureConnecting();
                }
            }
        }
    }

    // Under the gate.
    private void EnsureConnecting()
    {
        if (_isConnecting || _state == ConnectivityState.Shutdown)
        {
            return;
        }

        _isConnecting = true;
        _state = ConnectivityState.Connecting;
        _connecting = Task.Run(ConnectLoopAsync);
    }

    private async Task ConnectLoopAsync()
    {
        while (true)
        {
            string error;
            try
            {
                var connection = await Connector.ConnectAsync(_address, Options, this, _disposing.Token)
                    .ConfigureAwait(false);
                OnConnected(connection);
                return;
            }
            catch (OperationCanceledException)
            {
                // Disposed: whoever waited was told there.
                return;
            }
            catch (IOException e)
            {
                error = e.Message;
            }

            if (!await BackOffAsync(error).ConfigureAwait(false))
            {
                return;
            }
        }
    }

    private void OnConnected(Http2Connection connection)
    {
        bool disposed;
        TaskCompletionSource[] readyWaiters;
        lock (_gate)
        {
            disposed = _state == ConnectivityState.Shutdown;
            readyWaiters = disposed ? [] : [.. _readyWaiters];
            _isConnecting = false;
            if (!disposed)
            {
                _backoff.Reset();
                _connections.Add(connection);
                _state = ConnectivityState.Ready;
                Volatile.Write(ref _current, connection);
            }
        }

        if (disposed)
        {
            connection.Close("the channel was disposed");
            return;
        }

        if (connection.IsClosed)
        {
            // It ended before it was known here, and so its end was not heard.
            ((IConnectionOwner)this).OnClosed(connection, "the server closed the connection at once");
        }

        foreach (var waiter in readyWaiters)
        {
            waiter.TrySetResult();
        }

        StartWaiting();
    }

    // False: nobody waits any more, so the next call connects.
    private async Task<bool> BackOffAsync(string error)
    {
        var failed = new List<ClientCall>();
        TimeSpan wait;
        lock (_gate)
        {
            if (_state == ConnectivityState.Shutdown)
            {
                return false;
            }

            _state = ConnectivityState.TransientFailure;
            _lastError = error;
            wait = _backoff.Next();
            for (var node = _waiting.First; node is not null;)
            {
                var next = node.Next;
                if (!node.Value.IsWaitForReady || node.Value.IsFinished)
                {
                    failed.Add(node.Value);
                    _waiting.Remove(node);
                }

                node = next;
            }

            Volatile.Write(ref _waitingCount, _waiting.Count);
        }

        foreach (var call in failed)
        {
            call.Fail(new Status(StatusCode.Unavailable, error));
        }

        try
        {
            await Task.Delay(wait, Options.Time, _disposing.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Disposed: the state below says so.
            return false;
        }

        lock (_gate)
        {
            if (_state == ConnectivityState.Shutdown)
            {
                return false;
            }

            var wanted = _waiting.Count > 0 || _readyWaiters.Count > 0;
            _state = wanted ? ConnectivityState.Connecting : ConnectivityState.Idle;
            _isConnecting = wanted;
            return wanted;
        }
    }
}
