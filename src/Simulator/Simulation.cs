// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using Muster.Core;
using Muster.Scheduler.Decisions;

namespace Muster.Simulator;

/// <summary>
/// Runs a workload on workers that exist only as numbers, by the policy that the product would use: the same code, told
/// of the same events. Repeats exactly for the same workload, options and seed. One run per instance; single-threaded.
/// </summary>
internal sealed class Simulation
{
    private readonly Workload _workload;
    private readonly SimulationOptions _options;
    private readonly ISchedulingPolicy _policy;
    private readonly WorkerQueues _workers;
    private readonly IndexedHeap _events;
    private readonly Stage[] _stage;
    private readonly int[] _parentsLeft;
    private readonly int[] _byArrival;
    private readonly long[] _readyUs;
    private readonly long[] _startUs;
    private readonly long[] _endUs;
    private readonly long[] _copyStartUs;
    private readonly int[] _worker;
    private readonly int[] _copyWorker;
    private readonly List<int> _order;
    private int _arrived;
    private int _left;
    private long _decisions;
    private long _copies;
    private double _busyUs;

    private Simulation(Workload workload, SimulationOptions options)
    {
        _workload = workload;
        _options = options;
        _policy = options.Instead
            ?? PolicyCatalog.Create(
                options.Policy, options.Placement, options.Copies, options.Models, options.Seed)
            ?? throw new ArgumentException($"no policy is called '{options.Policy}'", nameof(options));
        var count = workload.Count;
        var runs = options.Copies ? count * 2 : count;
        _events = new(new int[runs], 1_024);
        _stage = new Stage[runs];
        _parentsLeft = new int[count];
        _byArrival = new int[count];
        _readyUs = new long[count];
        _startUs = new long[count];
        _endUs = new long[count];
        _worker = new int[count];
        _copyWorker = options.Copies ? new int[count] : [];
        _copyStartUs = options.Copies ? new long[count] : [];
        _order = new(count);
        _left = count;
        _workers = new(options, runs) { Ahead = PrefetchRule.Ahead(Median(workload), options.RoundTripUs) };
        Admit();
    }

    /// <summary>Where a run is: a task, or the second copy of one.</summary>
    private enum Stage : byte
    {
        None = 0,
        Sent = 1,
        Queued = 2,
        Running = 3,
        Reported = 4,
    }

    /// <summary>Runs the workload to its end.</summary>
    public static SimulationResult Run(Workload workload, SimulationOptions options)
    {
        var simulation = new Simulation(workload, options);
        var clock = Stopwatch.StartNew();
        simulation.RunToEnd();
        return new()
        {
            Workload = workload,
            Options = options,
            ReadyUs = simulation._readyUs,
            StartUs = simulation._startUs,
            EndUs = simulation._endUs,
            Worker = simulation._worker,
            Order = simulation._order,
            Decisions = simulation._decisions,
            Copies = simulation._copies,
            BusyUs = simulation._busyUs,
            WallSeconds = clock.Elapsed.TotalSeconds,
        };
    }

    private static long Median(Workload workload)
    {
        var sorted = (long[])workload.DurationUs.Clone();
        Array.Sort(sorted);
        return sorted.Length == 0 ? 0 : sorted[sorted.Length / 2];
    }

    private void Admit()
    {
        for (var worker = 0; worker < _options.Workers.Count; worker++)
        {
            var shape = _options.Workers[worker];
            _policy.AddWorker(worker, _workers.Offered(worker), shape.Speed);
        }

        var shapes = new int[_workload.Needs.Count];
        for (var need = 0; need < shapes.Length; need++)
        {
            shapes[need] = _policy.Intern(_workload.Needs[need]);
        }

        for (var task = _workload.Count - 1; task >= 0; task--)
        {
            _byArrival[task] = task;
            _policy.Admit(task, new()
            {
                User = _workload.User[task],
                IsIdempotent = _options.Copies,
                Handler = _workload.Handler[task],
                Shape = shapes[_workload.Need[task]],
                Members = _workload.Members[task],
                Hint = _options.UsesHints ? _workload.Hint[task] : 0,
                GivenUs = _options.KnowsDurations ? _workload.DurationUs[task] : 0,
                LimitUs = _workload.LimitUs[task],
            });
        }

        foreach (var child in _workload.Children)
        {
            _parentsLeft[child]++;
        }

        if (_workload.IsGraph)
        {
            _policy.AdmitGraph(0, _workload.ChildStart, _workload.Children);
        }

        Array.Sort((long[])_workload.ArrivalUs.Clone(), _byArrival);
        SortTies();
    }

    // Tasks that arrive together come in the order of the file.
    private void SortTies()
    {
        for (var first = 0; first < _byArrival.Length;)
        {
            var end = first + 1;
            while (end < _byArrival.Length
                && _workload.ArrivalUs[_byArrival[end]] == _workload.ArrivalUs[_byArrival[first]])
            {
                end++;
            }

            Array.Sort(_byArrival, first, end - first);
            first = end;
        }
    }

    private void RunToEnd()
    {
        var nowUs = -1L;
        while (_left > 0)
        {
            var next = Math.Max(_policy.NextDueUs, nowUs + 1);
            next = _events.Count > 0 ? Math.Min(next, (long)_events.TopKey) : next;
            next = _arrived < _byArrival.Length ? Math.Min(next, _workload.ArrivalUs[_byArrival[_arrived]]) : next;
            if (next == long.MaxValue)
            {
                throw new InvariantException($"{_left} tasks are left and nothing happens any more");
            }

            nowUs = next;
            while (_events.Count > 0 && (long)_events.TopKey == nowUs)
            {
                var run = _events.TopId;
                _events.Remove(run);
                Happen(run, nowUs);
            }

            Arrive(nowUs);
            Decide(nowUs);
            if (_options.ChecksInvariants)
            {
                _policy.CheckInvariants();
            }
        }
    }

    private void Arrive(long nowUs)
    {
        for (; _arrived < _byArrival.Length && _workload.ArrivalUs[_byArrival[_arrived]] <= nowUs; _arrived++)
        {
            if (_parentsLeft[_byArrival[_arrived]] == 0)
            {
                MakeReady(_byArrival[_arrived], nowUs);
            }
        }
    }

    private void MakeReady(int task, long nowUs)
    {
        _readyUs[task] = nowUs;
        _policy.Ready(task, nowUs);
    }

    private void Decide(long nowUs)
    {
        while (_policy.TryStart(nowUs, out var start))
        {
            _decisions++;
            _order.Add(start.Task);
            _worker[start.Task] = start.Worker;
            Send(start.Task, nowUs);
        }

        while (_options.Copies && _policy.TryCopy(nowUs, out var copy))
        {
            _copies++;
            _copyWorker[copy.Task] = copy.Worker;
            Send(copy.Task + _workload.Count, nowUs);
        }
    }

    private void Send(int run, long nowUs)
    {
        if (_options.RoundTripUs == 0)
        {
            Begin(run, nowUs);
            return;
        }

        _stage[run] = Stage.Sent;
        _events.Push(run, (ulong)(nowUs + (_options.RoundTripUs / 2)));
    }

    private void Happen(int run, long nowUs)
    {
        switch (_stage[run])
        {
            case Stage.Sent:
                if (_workers.TryEnter(WorkerOf(run), run, SlotsOf(run)))
                {
                    Begin(run, nowUs);
                }
                else
                {
                    _stage[run] = Stage.Queued;
                }

                break;
            case Stage.Running when _options.RoundTripUs > 0:
                _stage[run] = Stage.Reported;
                NoteEnd(run, nowUs);
                _events.Push(run, (ulong)(nowUs + _options.RoundTripUs - (_options.RoundTripUs / 2)));
                Leave(run, nowUs);
                break;
            default:
                NoteEnd(run, nowUs);
                Report(run, nowUs);
                break;
        }
    }

    private void Leave(int run, long nowUs)
    {
        _workers.Leave(WorkerOf(run), SlotsOf(run));
        while (_workers.TryNext(WorkerOf(run), SlotsOf, out var next))
        {
            Begin(next, nowUs);
        }
    }

    private void Begin(int run, long nowUs)
    {
        _stage[run] = Stage.Running;
        (IsCopy(run) ? ref _copyStartUs[TaskOf(run)] : ref _startUs[run]) = nowUs;
        var tookUs = _workload.DurationUs[TaskOf(run)] / _options.Workers[WorkerOf(run)].Speed;
        tookUs *= IsSlow(run) ? _options.SlowFactor : 1;
        _events.Push(run, (ulong)(nowUs + Math.Max(1, (long)Math.Round(tookUs))));
    }

    private void NoteEnd(int run, long nowUs)
    {
        var task = TaskOf(run);
        _busyUs += (double)(nowUs - (IsCopy(run) ? _copyStartUs[task] : _startUs[task])) * SlotsOf(run);
        if (_endUs[task] == 0)
        {
            _endUs[task] = nowUs;
        }
    }

    /// <summary>The policy hears of the end; the other copy, if one runs, is stopped where it is.</summary>
    private void Report(int run, long nowUs)
    {
        var task = TaskOf(run);
        var other = IsCopy(run) ? task : task + _workload.Count;
        if (_options.Copies && _stage[other] is Stage.Sent or Stage.Running)
        {
            _events.Remove(other);
            if (_stage[other] == Stage.Running)
            {
                NoteEnd(other, nowUs);
                if (_options.RoundTripUs > 0)
                {
                    Leave(other, nowUs);
                }
            }

            _stage[other] = Stage.None;
        }

        var startUs = IsCopy(run) ? _copyStartUs[task] : _startUs[task];
        _stage[run] = Stage.None;
        _policy.Ended(task, WorkerOf(run), Math.Max(1, _endUs[task] - startUs), nowUs);
        _worker[task] = WorkerOf(run);
        _startUs[task] = startUs;
        _left--;
        for (var edge = _workload.ChildStart[task]; edge < _workload.ChildStart[task + 1]; edge++)
        {
            var child = _workload.Children[edge];
            if (--_parentsLeft[child] == 0 && _workload.ArrivalUs[child] <= nowUs)
            {
                MakeReady(child, nowUs);
            }
        }
    }

    private bool IsSlow(int run) => _options.SlowPart > 0
        && (Mix(_options.Seed ^ ((ulong)run * 0x9E3779B97F4A7C15UL)) >> 11) * (1.0 / (1UL << 53)) < _options.SlowPart;

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }

    private bool IsCopy(int run) => run >= _workload.Count;

    private int TaskOf(int run) => IsCopy(run) ? run - _workload.Count : run;

    private int WorkerOf(int run) => IsCopy(run) ? _copyWorker[TaskOf(run)] : _worker[run];

    private long SlotsOf(int run) => _workload.SlotsOf(TaskOf(run));
}
