// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using Muster.Arena.Native;

namespace Muster.Server.RegisterHosting;

/// <summary>
/// Watches the processes of workers on this host and tells when one exits: its thread polls their pidfds, so a death is
/// known within milliseconds. Requests come from turns and are only noted there; the thread alone opens and closes
/// handles. Holds at most one watch for each worker row.
/// </summary>
internal sealed class ProcessWatches : IDisposable
{
    // A new watch is picked up after at most this long; an exit ends the wait at once.
    private const int PollMs = 50;

    private readonly Action<uint, uint> _exited;
    private readonly Action<uint, uint> _unknown;
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _asked = new(initialState: false);

    // Guarded by the gate.
    private readonly List<Request> _requests = [];
    private bool _stopped;

    // The thread's own, by row.
    private readonly PidWatch?[] _watches;
    private readonly uint[] _epochs;
    private int _count;
    private int _end;

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

        _asked.Set();
        if (_thread.IsAlive && _thread != Thread.CurrentThread)
        {
            _thread.Join();
            _asked.Dispose();
        }
    }

    private void Ask(Request request)
    {
        lock (_gate)
        {
            if (!_stopped)
            {
                _requests.Add(request);
                _asked.Set();
            }
        }
    }

    private void Work()
    {
        var exited = new int[64];
        var requests = new List<Request>();
        while (TakeRequests(requests))
        {
            foreach (var request in requests)
            {
                Apply(request);
            }

            requests.Clear();
            if (_count == 0)
            {
                _asked.WaitOne();
                continue;
            }

            var count = PidWatcher.PollExited(_watches.AsSpan(0, _end), exited, PollMs);
            foreach (var row in exited.AsSpan(0, count))
            {
                var epoch = _epochs[row];
                Drop((uint)row);
                _exited((uint)row, epoch);
            }
        }

        for (var row = 0u; row < _end; row++)
        {
            Drop(row);
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
        if (watch is null)
        {
            _unknown(request.Row, request.Epoch);
            return;
        }

        _watches[request.Row] = watch;
        _epochs[request.Row] = request.Epoch;
        _end = Math.Max(_end, (int)request.Row + 1);
        _count++;
    }

    private void Drop(uint row)
    {
        if (_watches[row] is { } watch)
        {
            watch.Dispose();
            _watches[row] = null;
            _count--;
        }
    }
}
