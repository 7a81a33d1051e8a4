// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Muster.Scheduler.Decisions;

namespace Muster.Simulator;

/// <summary>
/// What is at each worker when messages take time: its busy slots, and what was sent ahead and waits for one, first
/// come, first served. Without delay nothing is ever here. Tasks are sent ahead as <see cref="PrefetchRule"/> says of
/// the workload's median, by offering that many slots more.
/// </summary>
internal sealed class WorkerQueues
{
    private readonly SimulationOptions _options;
    private readonly long[] _busy;
    private readonly int[] _head;
    private readonly int[] _tail;
    private readonly int[] _next;

    public WorkerQueues(SimulationOptions options, int runs)
    {
        _options = options;
        var workers = options.RoundTripUs > 0 ? options.Workers.Count : 0;
        _busy = new long[workers];
        _head = Enumerable.Repeat(-1, workers).ToArray();
        _tail = new int[workers];
        _next = new int[options.RoundTripUs > 0 ? runs : 0];
    }

    /// <summary>Slots sent ahead for, per slot.</summary>
    public int Ahead { get; init; }

    /// <summary>What the policy is told that the worker has.</summary>
    public Resources Offered(int worker)
    {
        var has = _options.Workers[worker].Has;
        return has with { Slots = has.Slots * (1 + Ahead) };
    }

    /// <summary>Whether the run may begin now; otherwise it waits here.</summary>
    public bool TryEnter(int worker, int run, long slots)
    {
        if (_head[worker] < 0 && _busy[worker] + slots <= _options.Workers[worker].Has.Slots)
        {
            _busy[worker] += slots;
            return true;
        }

        _next[run] = -1;
        if (_head[worker] < 0)
        {
            _head[worker] = run;
        }
        else
        {
            _next[_tail[worker]] = run;
        }

        _tail[worker] = run;
        return false;
    }

    public void Leave(int worker, long slots) => _busy[worker] -= slots;

    /// <summary>The next run that fits, which begins now.</summary>
    public bool TryNext(int worker, Func<int, long> slotsOf, out int run)
    {
        run = _head[worker];
        if (run < 0 || _busy[worker] + slotsOf(run) > _options.Workers[worker].Has.Slots)
        {
            return false;
        }

        _busy[worker] += slotsOf(run);
        _head[worker] = _next[run];
        return true;
    }
}
