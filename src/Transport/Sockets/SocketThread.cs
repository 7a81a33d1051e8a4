// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using Muster.Arena.Native;

namespace Muster.Transport.Sockets;

/// <summary>
/// A thread that waits for many sockets with epoll and goes on itself with what waits for one, so that a message wakes
/// one thread and no other. The runtime's own way wakes a second one of the pool, and on Unix sockets its thread also
/// whenever a peer has read what was sent: this one asks for room only when there was none. What runs here must not
/// block, as all its sockets wait. Owner: a <see cref="SocketThreads"/>. Capacity: as many sockets as the process has.
/// </summary>
internal sealed class SocketThread : IDisposable
{
    private const int EventsMax = 64;

    private readonly SpawnEpoll _epoll = new();
    private readonly Thread _thread;
    private readonly Lock _gate = new();

    // Guarded by the gate, which is taken after a stream's.
    private readonly Dictionary<ulong, SocketStream> _streams = [];
    private readonly Queue<SocketStream> _posted = new();
    private ulong _lastTag;
    private bool _isStopped;
    private long _looks;

    public SocketThread(string name)
    {
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        _thread.UnsafeStart();
    }

    /// <summary>Streams that are open here.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _streams.Count;
            }
        }
    }

    /// <summary>How often the thread has looked for events, for tests.</summary>
    public long Looks => Volatile.Read(ref _looks);

    /// <summary>Makes the stream known; it leaves when it is disposed.</summary>
    /// <returns>By which its events are told.</returns>
    public ulong Enter(SocketStream stream)
    {
        lock (_gate)
        {
            _streams.Add(++_lastTag, stream);
            return _lastTag;
        }
    }

    public void Leave(ulong tag)
    {
        lock (_gate)
        {
            _streams.Remove(tag);
        }
    }

    /// <summary>Watches a socket for other events than before; 0: not at all.</summary>
    /// <returns>0 or errno.</returns>
    public int Watch(SafeHandle socket, ulong tag, uint before, uint after)
    {
        lock (_gate)
        {
            if (_isStopped)
            {
                return after == 0 ? 0 : SocketBytes.EBADF;
            }

            return before == 0 ? _epoll.Add(socket, after, tag)
                : after == 0 ? _epoll.Remove(socket)
                : _epoll.Change(socket, after, tag);
        }
    }

    /// <summary>Has the thread look after a stream whose state another thread has changed.</summary>
    public void Post(SocketStream stream)
    {
        lock (_gate)
        {
            if (!_isStopped)
            {
                _posted.Enqueue(stream);

                // Under the gate: behind a stop there is nothing left to wake.
                _epoll.Wake();
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(static left => left.OnEvents(0), stream, preferLocal: false);
    }

    /// <summary>Ends the thread; what still waits for a socket is told that it was disposed.</summary>
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
            Volatile.Write(ref _looks, _looks + 1);
            var count = _epoll.Wait(events, -1);
            foreach (var happened in events.AsSpan(0, count))
            {
                Find(happened.Tag)?.OnEvents(happened.Events);
            }

            if (!TryRunPosted())
            {
                EndAll();
                return;
            }
        }
    }

    private SocketStream? Find(ulong tag)
    {
        lock (_gate)
        {
            return _streams.GetValueOrDefault(tag);
        }
    }

    // False: the thread is to end.
    private bool TryRunPosted()
    {
        while (true)
        {
            SocketStream? stream;
            lock (_gate)
            {
                if (!_posted.TryDequeue(out stream))
                {
                    return !_isStopped;
                }
            }

            stream.OnEvents(0);
        }
    }

    // Streams that were not disposed in time: whoever waits for them need not wait for ever.
    private void EndAll()
    {
        SocketStream[] left;
        lock (_gate)
        {
            left = [.. _streams.Values];
        }

        foreach (var stream in left)
        {
            stream.Dispose();
            stream.OnEvents(0);
        }
    }
}
