// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Net.Sockets;
using System.Threading;
using Muster.Arena.Native;

namespace Muster.Server.Http2;

/// <summary>
/// A thread that waits for bytes of many connections and works on them itself, so that a message wakes one thread and
/// no other. The runtime's own way wakes a second one of the pool, and on Unix sockets its thread also whenever a peer
/// has read what was sent: this one asks for bytes alone. What runs here must not block, as all its connections wait.
/// Owner: the listener. A connection belongs to the thread from <see cref="TryAdd"/> until its receiving has ended.
/// </summary>
internal sealed class ReceiveThread : IDisposable
{
    private const int EventsMax = 64;

    private readonly SpawnEpoll _epoll = new();
    private readonly Thread _thread;
    private readonly Lock _gate = new();

    // Guarded by the gate.
    private readonly Dictionary<ulong, ServerConnection> _connections = [];
    private readonly Queue<ServerConnection> _ending = new();
    private ulong _lastTag;
    private bool _isStopped;

    public ReceiveThread(string name)
    {
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        _thread.Start();
    }

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _connections.Count;
            }
        }
    }

    /// <summary>Receives for the connection from now on; false: it has to do so itself.</summary>
    public bool TryAdd(ServerConnection connection, Socket socket)
    {
        lock (_gate)
        {
            if (_isStopped)
            {
                return false;
            }

            connection.ReceiveTag = ++_lastTag;
            if (_epoll.Add(socket.SafeHandle, SpawnEpoll.EPOLLIN, _lastTag) != 0)
            {
                return false;
            }

            _connections.Add(_lastTag, connection);
            return true;
        }
    }

    /// <summary>The connection's socket is closed: nothing would be heard of it any more.</summary>
    public void End(ServerConnection connection)
    {
        lock (_gate)
        {
            if (_isStopped)
            {
                return;
            }

            _ending.Enqueue(connection);

            // Under the gate: behind a stop there is nothing left to wake.
            _epoll.Wake();
        }
    }

    /// <summary>Ends the thread, after all connections.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isStopped)
            {
                return;
            }

            _isStopped = true;
        }

        _epoll.Wake();
        if (Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }

        _epoll.Dispose();
    }

    private void Run()
    {
        var events = new SpawnEvent[EventsMax];
        while (true)
        {
            var count = _epoll.Wait(events, -1);
            foreach (var happened in events.AsSpan(0, count))
            {
                Receive(happened.Tag);
            }

            if (!EndSome())
            {
                EndAll();
                return;
            }
        }
    }

    private void Receive(ulong tag)
    {
        ServerConnection? connection;
        lock (_gate)
        {
            _connections.TryGetValue(tag, out connection);
        }

        if (connection is not null && !connection.Receive())
        {
            Remove(connection);
        }
    }

    private bool EndSome()
    {
        while (true)
        {
            ServerConnection? connection;
            lock (_gate)
            {
                if (!_ending.TryDequeue(out connection))
                {
                    return !_isStopped;
                }
            }

            Remove(connection);
        }
    }

    // Connections that did not end in time: whoever waits for them need not wait for ever.
    private void EndAll()
    {
        ServerConnection[] left;
        lock (_gate)
        {
            left = [.. _connections.Values];
        }

        foreach (var connection in left)
        {
            Remove(connection);
        }
    }

    private void Remove(ServerConnection connection)
    {
        lock (_gate)
        {
            if (!_connections.Remove(connection.ReceiveTag))
            {
                return;
            }
        }

        connection.EndReceive(_epoll);
    }
}
