// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using Muster.Arena.Native;

namespace Muster.Server.RegisterHosting;

/// <summary>
/// Watches the processes of workers on this host and tells when one exits: its thread sleeps on their pidfds, so a
/// death is known at once and a process that lives costs nothing. Requests come from turns and are only noted there;
/// the thread alone opens and closes handles. Holds at most one watch for each worker row.
/// </summary>
internal sealed class ProcessWatches : IDisposable
{
    private readonly Action<uint, uint> _exited;
    private readonly Action<uint, uint> _unknown;
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly SpawnEpoll _epoll = new();

    // Guarded by the gate.
    private readonly List<Request> _requests = [];
    private bool _stopped;

    // The thread's own, by row.
    private readonly PidWatch?[] _watches;
    private readonly uint[] _epochs;

    // The serial of a watch is part of its tag: a program that is being started holds copies of all descriptors until
    // its exec, so an event of a watch that was closed may still come.
    private readonly uint[] _serials;
    private uint _lastSerial;

    private readonly record struct Request(uint Row, uint Epoch, uint Pid, ulong PidStart);

    /// <param name="rows">Rows of the worker table.</param>
    /// <param name="exited">Told row and epoch, on the thread of the watches.</param>
    /// <param name="unknown">Told row and epoch of a process that cannot be watched, on the same thread.</param>
    public ProcessWatches(uint rows, Action<uint, uint> exited, Action<uint, uint> unknown)
    {
        _exited = exited;
        _unknown = unknown;
        _watches = new PidWatch?[rows];
        _epochs = new uint[rows];
        _serials = new uint[rows];
        _thread = new Thread(Work) { Name = "register-watch", IsBackground = true };
    }

    public void Start() => _thread.Start();

    /// <summary>Watches the process from now on, instead of the row's earlier one.</summary>
    public void Watch(uint row, uint epoch, uint pid, ulong pidStart) => Ask(new(row, epoch, pid, pidStart));

    public void Unwatch(uint row) => Ask(new(row, 0, 0, 0));

    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return;
            }

            _stopped = true;
        }

        _epoll.Wake();
        if (_thread.IsAlive && _thread != Thread.CurrentThread)
        {
            _thread.Join();
            _epoll.Dispose();
        }
    }

    private void Ask(Request request)
    {
        lock (_gate)
        {
            if (!_stopped)
            {
                _requests.Add(request);
                _epoll.Wake();
            }
        }
    }

    private void Work()
    {
        var events = new SpawnEvent[64];
        var requests = new List<Request>();
        while (TakeRequests(requests))
        {
            foreach (var request in requests)
            {
                Apply(request);
            }

            requests.Clear();
            var count = _epoll.Wait(events, timeoutMs: -1);
            foreach (var happened in events.AsSpan(0, count))
            {
                Tell((uint)happened.Tag, (uint)(happened.Tag >> 32));
            }
        }

        for (var row = 0u; row < _watches.Length; row++)
        {
            Drop(row);
        }
    }

    private void Tell(uint row, uint serial)
    {
        if (_watches[row] is not null && _serials[row] == serial)
        {
            var epoch = _epochs[row];
            Drop(row);
            _exited(row, epoch);
        }
    }

    private bool TakeRequests(List<Request> requests)
    {
        lock (_gate)
        {
            requests.AddRange(_requests);
            _requests.Clear();
            return !_stopped;
        }
    }

    private void Apply(Request request)
    {
        Drop(request.Row);
        if (request.Pid == 0)
        {
            return;
        }

        // Null: it is not a process of this host, or it has gone already; the end of its connection will say so.
        var watch = PidWatch.TryOpen(request.Pid, request.PidStart);
        var serial = ++_lastSerial;
        if (watch is null || _epoll.Add(watch, SpawnEpoll.EPOLLIN, ((ulong)serial << 32) | request.Row) != 0)
        {
            watch?.Dispose();
            _unknown(request.Row, request.Epoch);
            return;
        }

        _watches[request.Row] = watch;
        _epochs[request.Row] = request.Epoch;
        _serials[request.Row] = serial;
    }

    private void Drop(uint row)
    {
        if (_watches[row] is { } watch)
        {
            _ = _epoll.Remove(watch);
            watch.Dispose();
            _watches[row] = null;
        }
    }
}
