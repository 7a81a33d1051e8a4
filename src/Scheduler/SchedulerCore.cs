// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Scheduler.Policies;

namespace Muster.Scheduler;

/// <summary>
/// Decides which ready task runs on which worker. Single-threaded: its host lets one thread in at a time and passes the
/// time in. It owns the step Ready to Assigned and the way back; what it remembers besides is per worker row and can be
/// rebuilt: the slots say what is assigned, the workers say what they hold.
/// <para>
/// Room is derived, never stored twice: a worker's attempts in flight are those it had in hand when its stream opened,
/// plus those sent since, less those it has counted as ended since. Nothing is allocated per task.
/// </para>
/// </summary>
internal sealed partial class SchedulerCore
{
    private readonly ArenaMap _arena;
    private readonly TaskTable _tasks;
    private readonly WorkerTable _rows;
    private readonly TaskHeap _heap;
    private readonly ProfileTable _profiles;
    private readonly ISchedulerEffects _effects;
    private readonly SchedulerOptions _options;
    private readonly SchedulerPolicy _policy;
    private readonly WorkerState[] _workers;
    private readonly CapacityIndex _index;
    private readonly HandlerDurations _durations;

    // Rows that may be paused; each at most once.
    private readonly List<uint> _paused = [];

    private readonly ReadyClass[] _classes = new ReadyClass[SchedulerLimits.ClassesMax];
    private readonly TakenTask[] _taken = new TakenTask[SchedulerLimits.BatchTasksMax];
    private readonly uint[] _changed = new uint[SchedulerLimits.BatchTasksMax];
    private readonly CancelRecord[] _cancelRecords = new CancelRecord[SchedulerLimits.BatchTasksMax];
    private readonly AttemptKey[] _cancels = new AttemptKey[SchedulerLimits.BatchTasksMax];
    private readonly HashSet<AttemptKey> _held = [];

    private long _nowMs;
    private long _pausesDueMs = long.MaxValue;

    public SchedulerCore(
        ArenaMap arena, ISchedulerEffects effects, SchedulerOptions options, SchedulerPolicy? policy = null)
    {
        SchedulerLimits.Check();
        _arena = arena;
        _tasks = arena.Tasks;
        _rows = arena.Workers;
        _heap = arena.Ready;
        _profiles = arena.Profiles;
        _effects = effects;
        _options = options.Validated();
        _policy = policy ?? new SpreadPolicy();
        _workers = new WorkerState[_rows.Capacity];
        _index = new(_rows.Capacity);
        _durations = new(_tasks, arena.Handlers);
    }

    // Tasks went back to the heap since the present pass over the classes began.
    private bool _gaveBack;

    // The same since the rows were looked at: the Register does not tell of room while the heap looks empty, and what
    // is given back was not in it for a moment.
    private bool _hasGivenBack;

    /// <summary>When <see cref="Run"/> has something to do by itself; long.MaxValue: nothing.</summary>
    public long NextDueMs => Math.Min(_pausesDueMs, _strandedDueMs);

    /// <summary>
    /// Call once, before anything else: learns from the slots which workers hold something, and from the rows which
    /// workers there are. Nothing that runs is touched; the workers open their streams again by themselves.
    /// </summary>
    public void TakeOver()
    {
        var slots = _tasks.HighWater;
        for (var index = 0u; index < slots; index++)
        {
            if (_tasks.Read(index).State is TaskState.Assigned or TaskState.Running)
            {
                // None: the task ended after the look at its state, and the slot was given to another.
                var row = _tasks[index].Worker - 1;
                if (row < _workers.Length)
                {
                    _workers[row].MayHold = true;
                }
            }
        }

        for (var row = 0u; row < _rows.HighWater; row++)
        {
            _rows[row].Dispatching = 0;
            _rows[row].InFlight = 0;
            Refresh(row);
            NoteStreamless(row);
        }
    }

    /// <summary>
    /// One turn: looks at the workers that changed, passes cancellations on, and places what is ready. To be called
    /// after every event and whenever the role is woken.
    /// </summary>
    public void Run(long nowMs, long nowUnixUs)
    {
        _nowMs = nowMs;
        _hasGivenBack = false;
        RefreshChanged();
        PassCancels();
        if (nowMs >= _pausesDueMs)
        {
            EndPauses(nowMs);
        }

        if (_streamless.Count > 0)
        {
            TakeBackStranded();
        }

        Place(nowUnixUs);
        while (_hasGivenBack)
        {
            _hasGivenBack = false;
            if (RefreshChanged())
            {
                Place(nowUnixUs);
            }
        }
    }

    // Whether any had.
    private bool RefreshChanged()
    {
        var isAny = false;
        int count;
        do
        {
            count = _rows.TakeChanged(_changed);
            isAny |= count > 0;
            foreach (var row in _changed.AsSpan(0, count))
            {
                Refresh(row);
            }
        }
        while (count == _changed.Length);
        return isAny;
    }

    /// <summary>Brings what is remembered of a row into line with the row.</summary>
    private void Refresh(uint row)
    {
        ref var worker = ref _workers[row];
        var health = _rows.Health(row);
        var epoch = Volatile.Read(ref _rows[row].Epoch);
        if (epoch != worker.Epoch)
        {
            DropStream(row, new(FaultCode.WorkerFenced, "the worker was given up; it must register again"));
            worker.Epoch = epoch;
            worker.PausedUntilMs = 0;
            worker.IsAlone = false;
            Unreserve(row);
        }

        if (health is WorkerHealth.Free or WorkerHealth.Lost or WorkerHealth.Gone)
        {
            _index.Leave(row);
            worker.IsListed = false;
            return;
        }

        Span<ulong> handlers = stackalloc ulong[WorkerGroup.HandlerWords];
        _rows.CopyHandlers(row, handlers);
        _index.Join(row, handlers);
        worker.IsListed = true;
        SetRoom(row);
    }

    /// <summary>Computes the row's room anew and shows it in the index.</summary>
    private void SetRoom(uint row)
    {
        ref var worker = ref _workers[row];
        if (!worker.IsListed)
        {
            return;
        }

        ref var fact = ref _rows[row];
        if (worker.Stream == 0 || !TryCountInFlight(row, out var inFlight))
        {
            fact.InFlight = 0;
            _index.SetRoom(row, 0, 0);
            return;
        }

        fact.InFlight = (uint)Math.Min(inFlight, uint.MaxValue);
        worker.IsAlone &= inFlight > 0;
        if (!MayTakeNew(row) || (inFlight > 0 && (worker.IsAlone || worker.IsReserved)))
        {
            _index.SetRoom(row, 0, 0);
            return;
        }

        ulong slots = Volatile.Read(ref fact.Slots);
        TakePace(ref worker, ended: Volatile.Read(ref fact.EndedTotal), (uint)slots);
        var limit = slots + worker.Prefetch;
        _index.SetRoom(
            row,
            inFlight < slots ? (uint)(slots - inFlight) : 0,
            inFlight < limit ? (uint)(limit - Math.Max(inFlight, slots)) : 0);
    }

    private bool MayTakeNew(uint row) =>
        _rows.Health(row) == WorkerHealth.Alive && _workers[row].PausedUntilMs == 0 && !_workers[row].IsFull;

    /// <summary>
    /// Sets how far ahead the worker is supplied: about a millisecond of its own pace, so that tasks much shorter than
    /// a round trip keep it busy, and longer ones are bound late. It grows by doubling, because the pace that is seen
    /// is bounded by what was sent ahead before.
    /// </summary>
    private void TakePace(ref WorkerState worker, ulong ended, uint slots)
    {
        var least = Math.Min(Math.Max(slots, SchedulerLimits.PrefetchMin), _options.PrefetchMax);
        var elapsedMs = _nowMs - worker.PacedAtMs;
        if (ended < worker.PacedEnded || worker.Prefetch < least)
        {
            worker.Prefetch = least;
        }
        else if (elapsedMs < SchedulerLimits.PaceWindowMs || ended == worker.PacedEnded)
        {
            return;
        }
        else
        {
            var perMs = (ended - worker.PacedEnded) / (ulong)elapsedMs;
            var most = Math.Min(worker.Prefetch * 2, _options.PrefetchMax);
            worker.Prefetch = (uint)Math.Clamp(perMs, least, Math.Max(most, least));
        }

        worker.PacedAtMs = _nowMs;
        worker.PacedEnded = ended;
    }

    /// <summary>
    /// False, and the stream is closed, when the worker counts more ended attempts than it ever had: its numbers are
    /// worth nothing, and believing them would pour every ready task into it.
    /// </summary>
    private bool TryCountInFlight(uint row, out ulong inFlight)
    {
        ref var worker = ref _workers[row];
        var ended = Math.Max(Volatile.Read(ref _rows[row].EndedTotal), worker.EndedAtHello) - worker.EndedAtHello;
        if (ended <= worker.Sent)
        {
            inFlight = worker.Sent - ended;
            return true;
        }

        inFlight = 0;
        DropStream(row, new(
            FaultCode.InvalidArgument,
            $"the worker counts {ended} ended attempts since its hello and had {worker.Sent}; open the stream again"));
        return false;
    }

    private void PassCancels()
    {
        int count;
        do
        {
            count = _arena.Cancels.Read(_cancelRecords);
            for (var first = 0; first < count;)
            {
                var row = _cancelRecords[first].WorkerRow;
                var length = 0;
                for (; first < count && _cancelRecords[first].WorkerRow == row; first++)
                {
                    _cancels[length++] = new(new(_cancelRecords[first].TaskId), new(_cancelRecords[first].Attempt));
                }

                // Without a stream the worker is told when it opens one and still has the attempt in hand.
                if (row < _workers.Length && _workers[row].Stream != 0)
                {
                    _effects.SendCancels(row, _cancels.AsSpan(0, length));
                }
            }
        }
        while (count == _cancelRecords.Length);
    }

    private void Place(long nowUnixUs)
    {
        while (_index.HasRoom && _heap.Count > 0)
        {
            _gaveBack = false;
            var count = _heap.ReadyClasses(_classes);
            var placed = PlaceAlone(_classes.AsSpan(0, count), nowUnixUs);
            for (var i = 0; i < count && _index.HasRoom; i++)
            {
                placed += _classes[i].Class.IsAlone ? 0 : PlaceClass(_classes[i], nowUnixUs);
            }

            _index.ReleaseCredit();
            if ((count < _classes.Length && !_gaveBack) || placed == 0)
            {
                // Every class was tried; what became ready meanwhile comes with a signal. What was given back here
                // does not, and another worker may have room for it; the one that did not take it has none any more.
                return;
            }
        }
    }

    private long PlaceClass(ReadyClass ready, long nowUnixUs)
    {
        var handler = ready.Class.Handler;

        var mayPrefetch = _durations.IsShort(handler, nowUnixUs);
        var left = ready.Count;
        while (left > 0 && _policy.TryPick(_index, handler, left, mayPrefetch, out var pick))
        {
            Invariant.That(pick.Tasks > 0 && pick.Tasks <= left);
            var wanted = _taken.AsSpan(0, (int)Math.Min(pick.Tasks, SchedulerLimits.BatchTasksMax));
            var count = _heap.Take(ready.Id, pick.Row, _arena.Epoch, nowUnixUs, wanted);
            if (count > 0)
            {
                _durations.Watch(handler, wanted[0]);
                Dispatch(pick.Row, wanted[..count]);
                left -= (uint)count;
            }

            if (count < wanted.Length)
            {
                return ready.Count - left;
            }
        }

        if (left > 0 && !mayPrefetch)
        {
            _index.HoldCredit(handler);
        }

        return ready.Count - left;
    }

    /// <summary>
    /// Sends what was taken for the row, or gives it back when the row's worker was fenced meanwhile.
    /// </summary>
    private void Dispatch(uint row, ReadOnlySpan<TakenTask> taken)
    {
        // Pairs with the Register, which raises the epoch before it has the PLM look for the worker's slots: either the
        // epoch is seen here, or the PLM sees these slots. The steps of Take are the full fence in between.
        ref var worker = ref _workers[row];
        if (Volatile.Read(ref _rows[row].Epoch) != worker.Epoch)
        {
            GiveBack(taken);
            Refresh(row);
            return;
        }

        worker.MayHold = true;
        CrashPoint.Hit("scheduler.assign.taken");
        var outcome = Send(row, taken);
        CrashPoint.Hit("scheduler.assign.sent");
        worker.Sent += (ulong)outcome.Sent;
        _arena.Add(CellCounter.Assigned, outcome.Handled);
        if (outcome.Handled < taken.Length)
        {
            worker.IsFull = true;
            GiveBack(taken[outcome.Handled..]);
        }

        SetRoom(row);
    }

    /// <summary>Sends tasks, those with the same terms together.</summary>
    private SendOutcome Send(uint row, ReadOnlySpan<TakenTask> tasks)
    {
        int handled = 0, sent = 0;
        while (handled < tasks.Length)
        {
            var profile = _tasks[tasks[handled].Slot].Profile;
            var terms = AssignmentTerms.Of(_profiles[profile]);
            var end = handled + 1;
            while (end < tasks.Length && HasTerms(tasks[end].Slot, profile, terms))
            {
                end++;
            }

            var run = _effects.SendAssignments(row, terms, tasks[handled..end]);
            Invariant.That(run.Sent >= 0 && run.Sent <= run.Handled && run.Handled <= end - handled);
            handled += run.Handled;
            sent += run.Sent;
            if (handled < end)
            {
                break;
            }
        }

        return new(handled, sent);
    }

    private bool HasTerms(uint slot, ushort profile, in AssignmentTerms terms)
    {
        var other = _tasks[slot].Profile;
        return other == profile || AssignmentTerms.Of(_profiles[other]) == terms;
    }

    /// <summary>Assigned to Ready, for attempts that never started: they do not count as executions.</summary>
    private int GiveBack(ReadOnlySpan<TakenTask> tasks)
    {
        foreach (var task in tasks)
        {
            ref var slot = ref _tasks[task.Slot];
            slot.Executions = (ushort)Math.Max(slot.Executions - 1, 0);
        }

        _gaveBack = true;
        _hasGivenBack = true;
        var count = _heap.Push(Role.Scheduler, tasks);
        _arena.Add(CellCounter.Returned, count);
        return count;
    }
}
