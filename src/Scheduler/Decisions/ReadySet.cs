// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// The tasks that wait: first come, first served in each class, a heap of classes in each lane of a user, a heap of
/// users in each band. What a decision looks at is the number of classes, not of tasks. A class that did not fit is
/// blocked: out of its heap until something changed that could change the answer. Single-threaded; grows when a task is
/// added, never when one is taken.
/// </summary>
internal sealed partial class ReadySet
{
    private const int LevelShift = 40;
    private const long SequenceMask = (1L << LevelShift) - 1;

    private readonly int[] _classPositions = new int[DecisionLimits.ClassesMax];
    private readonly int[] _sharePositions = new int[DecisionLimits.UsersMax];
    private readonly IndexedHeap[] _bands = new IndexedHeap[DecisionLimits.Bands];
    private readonly List<UserShare> _shares = [];
    private readonly Dictionary<int, UserShare> _shareOf = [];
    private readonly Dictionary<ClassKey, int> _classOf = new(DecisionLimits.LaneClassesMax * 2);
    private readonly double[] _served = new double[DecisionLimits.Bands];

    private ReadyClass[] _classes = new ReadyClass[256];
    private int _classEnd;
    private int _freeClass = -1;

    private TaskEntry[] _tasks = [];
    private int[] _taskPositions = [];
    private long _sequences;
    private long _nextOverdueUs = long.MaxValue;

    private readonly Func<int, int> _shapeOf;

    /// <param name="shapeOf">The shape of a task.</param>
    public ReadySet(Func<int, int> shapeOf)
    {
        _shapeOf = shapeOf;
        for (var band = 0; band < _bands.Length; band++)
        {
            _bands[band] = new(_sharePositions, 16);
        }
    }

    /// <summary>Tasks that wait.</summary>
    public int Count { get; private set; }

    public ref readonly ReadyClass this[int number] => ref _classes[number];

    /// <summary>All tasks by number, for the policy's part; valid until the next <see cref="Reserve"/>.</summary>
    public TaskEntry[] Tasks => _tasks;

    public bool IsWaiting(int task) => _tasks[task].Class >= 0;

    public int ClassOf(int task) => _tasks[task].Class;

    public int Next(int task) => _tasks[task].Next;

    public long ReadyUs(int task) => _tasks[task].ReadyUs;

    /// <summary>Room for tasks up to this number.</summary>
    public void Reserve(int tasks)
    {
        if (tasks <= _tasks.Length)
        {
            return;
        }

        var before = _tasks.Length;
        Array.Resize(ref _tasks, Math.Max(tasks, Math.Max(64, before * 2)));
        for (var task = before; task < _tasks.Length; task++)
        {
            _tasks[task].Class = -1;
        }
    }

    /// <summary>The share of a user in a band, made when it was not there.</summary>
    public UserShare Share(int user, int band)
    {
        var key = (user * DecisionLimits.Bands) + band;
        if (!_shareOf.TryGetValue(key, out var share))
        {
            Invariant.That(user is >= 0 and < DecisionLimits.UsersMax / DecisionLimits.Bands);
            share = new(_shares.Count, user, band);
            share.Lanes[0] = new(share, share.Number * 2, _classPositions);
            share.Lanes[1] = new(share, (share.Number * 2) + 1, _classPositions);
            _shares.Add(share);
            _shareOf.Add(key, share);
        }

        return share;
    }

    /// <summary>Adds a task to the class of its lane, handler, shape and level.</summary>
    public void Add(int task, TaskOrder order, in OrderFacts facts, long nowUs)
    {
        _tasks[task].Sequence = ++_sequences;
        _tasks[task].ReadyUs = nowUs;
        Insert(task, order, facts, nowUs);
        Count++;
    }

    /// <summary>Puts a waiting task where its level now is; its place by age stays.</summary>
    public void Move(int task, TaskOrder order, in OrderFacts facts, long nowUs)
    {
        ref var from = ref _classes[_tasks[task].Class];
        if (!from.IsDynamic && from.Ordered is null && order.Level(facts) != from.Level)
        {
            Unlink(task, nowUs);
            Insert(task, order, facts, nowUs);
        }
    }

    /// <summary>Takes a task out: it starts, or was cancelled.</summary>
    public void Remove(int task, long nowUs)
    {
        Unlink(task, nowUs);
        Count--;
    }

    /// <summary>
    /// The class whose turn it is: of the highest band, the user that had least, the lane that had least, the lowest
    /// level, the oldest. False when every class is blocked or none is there.
    /// </summary>
    public bool TryTop(out int number)
    {
        for (var band = DecisionLimits.Bands - 1; band >= 0; band--)
        {
            if (_bands[band].Count > 0)
            {
                number = _shares[_bands[band].TopId].Turn.Heap.TopId;
                return true;
            }
        }

        number = -1;
        return false;
    }

    /// <summary>The task of the class whose turn it is.</summary>
    public int Head(int number) => _classes[number].Ordered is { } ordered ? ordered.TopId : _classes[number].Head;

    /// <summary>A task of the user starts and is expected to cost this much.</summary>
    public void Charge(UserShare share, int lane, double cost)
    {
        // Where turns are: whoever has had nothing to wait for comes in here, and no earlier.
        _served[share.Band] = Math.Max(_served[share.Band], share.Pass);
        Correct(share, lane, cost);
    }

    /// <summary>Adds to what a user had, or takes from it what was not used after all.</summary>
    public void Correct(UserShare share, int lane, double cost)
    {
        share.Pass = Math.Max(0, share.Pass + (cost / share.Weight));
        share.Lanes[lane].Pass = Math.Max(0, share.Lanes[lane].Pass + cost);
        if (share.IsWaiting)
        {
            _bands[share.Band].Update(share.Number, KeyOf(share));
        }
    }

    /// <summary>Leaves a class out until <see cref="PutBack"/>.</summary>
    public void SetAside(int number) => Drop(number);

    public void PutBack(int number) => Lift(number);

    private void Insert(int task, TaskOrder order, in OrderFacts facts, long nowUs)
    {
        var share = Share(order.SharesUsers ? facts.Task.User : 0, facts.Task.Band);
        if (share.Lanes[0].Classes + share.Lanes[1].Classes == 0)
        {
            // Turns are not saved up while nothing waits. A user whose tasks all wait for room keeps its turn.
            share.Pass = Math.Max(share.Pass, _served[share.Band]);
        }

        var lane = share.Lanes[facts.IsMember ? 0 : 1];
        if (order.IsExact)
        {
            InsertOrdered(task, lane, order.Key(facts, _tasks[task].Sequence), facts, nowUs);
            return;
        }

        var level = Math.Clamp(order.Level(facts), 1, TaskOrder.LevelMax);
        var isDynamic = order.Learns && !facts.IsMember && facts.Task.GivenUs == 0;
        var bucket = !isDynamic ? level
            : facts.Task.Hint > 0 ? 1 + (int)(Math.Log2(1 + (double)facts.Task.Hint) * 2) : 0;
        var key = new ClassKey(
            lane.Number, isDynamic ? facts.Task.Handler : -1, facts.Task.Shape, facts.Task.Members, bucket);
        if (!_classOf.TryGetValue(key, out var number))
        {
            if (lane.Classes >= DecisionLimits.LaneClassesMax || _classOf.Count >= DecisionLimits.ClassesMax / 2)
            {
                InsertOrdered(task, lane, KeyOf(level, _tasks[task].Sequence), facts, nowUs);
                return;
            }

            number = NewClass(key, lane, facts, level, order.PatienceUs(facts));
            _classOf.Add(key, number);
            _classes[number].IsDynamic = isDynamic;
            if (isDynamic)
            {
                LinkHandler(number, facts.Task.Handler);
            }
        }

        Append(task, number);
        Rekey(number, nowUs);
    }

    // By age: a task that moved between levels goes before those that came after it.
    private void Append(int task, int number)
    {
        ref var ready = ref _classes[number];
        var after = ready.Tail;
        while (after >= 0 && _tasks[after].Sequence > _tasks[task].Sequence)
        {
            after = _tasks[after].Before;
        }

        var next = after >= 0 ? _tasks[after].Next : ready.Head;
        (_tasks[task].Before, _tasks[task].Next) = (after, next);
        if (after >= 0)
        {
            _tasks[after].Next = task;
        }
        else
        {
            ready.Head = task;
        }

        if (next >= 0)
        {
            _tasks[next].Before = task;
        }
        else
        {
            ready.Tail = task;
        }

        ready.Count++;
        _tasks[task].Class = number;
    }

    private void InsertOrdered(int task, Lane lane, ulong key, in OrderFacts facts, long nowUs)
    {
        if (_taskPositions.Length < _tasks.Length)
        {
            ReserveOrdered();
        }

        if (lane.OrderedClass < 0)
        {
            lane.Ordered ??= new(_taskPositions, 64);
            lane.OrderedClass = NewClass(default, lane, facts, 0, long.MaxValue);
            _classes[lane.OrderedClass].Ordered = lane.Ordered;
        }

        lane.Ordered!.Push(task, key);
        _tasks[task].Class = lane.OrderedClass;
        _classes[lane.OrderedClass].Count++;
        Rekey(lane.OrderedClass, nowUs);
    }

    private void Unlink(int task, long nowUs)
    {
        var number = _tasks[task].Class;
        ref var ready = ref _classes[number];
        _tasks[task].Class = -1;
        ready.Count--;
        if (ready.Ordered is not null)
        {
            ready.Ordered.Remove(task);
        }
        else
        {
            var (before, next) = (_tasks[task].Before, _tasks[task].Next);
            if (before >= 0)
            {
                _tasks[before].Next = next;
            }
            else
            {
                ready.Head = next;
            }

            if (next >= 0)
            {
                _tasks[next].Before = before;
            }
            else
            {
                ready.Tail = before;
            }
        }

        if (ready.Count == 0)
        {
            FreeClass(number);
        }
        else
        {
            Rekey(number, nowUs);
        }
    }

    /// <summary>The class's place by its first task; that of an overdue one is before all levels.</summary>
    private void Rekey(int number, long nowUs)
    {
        ref var ready = ref _classes[number];
        if (ready.Ordered is { } ordered)
        {
            ready.Key = ordered.TopKey;
            if (ready.IsBlocked && _shapeOf(ordered.TopId) != ready.Shape)
            {
                UnlinkBlocked(number);
                ready.IsBlocked = false;
            }
        }
        else
        {
            var readyUs = _tasks[ready.Head].ReadyUs;
            var overdueUs = readyUs + Math.Min(ready.PatienceUs, long.MaxValue - readyUs);
            ready.Key = KeyOf(overdueUs <= nowUs ? 0 : ready.Level, _tasks[ready.Head].Sequence);
            _nextOverdueUs = overdueUs > nowUs ? Math.Min(_nextOverdueUs, overdueUs) : _nextOverdueUs;
        }

        if (!ready.IsBlocked)
        {
            Lift(number);
        }
    }

    /// <summary>Into its lane's heap, or to its new place there.</summary>
    private void Lift(int number)
    {
        ref var ready = ref _classes[number];
        var lane = ready.Lane!;
        if (_classPositions[number] > 0)
        {
            lane.Heap.Update(number, ready.Key);
            return;
        }

        lane.Heap.Push(number, ready.Key);
        var share = lane.Share;
        if (!share.IsWaiting)
        {
            share.IsWaiting = true;
            _bands[share.Band].Push(share.Number, KeyOf(share));
        }
    }

    private void Drop(int number)
    {
        var lane = _classes[number].Lane!;
        lane.Heap.Remove(number);
        if (!lane.Share.HasCandidate)
        {
            lane.Share.IsWaiting = false;
            _bands[lane.Share.Band].Remove(lane.Share.Number);
        }
    }

    private int NewClass(ClassKey key, Lane lane, in OrderFacts facts, int level, long patienceUs)
    {
        var number = _freeClass;
        if (number >= 0)
        {
            _freeClass = _classes[number].BlockedNext;
        }
        else
        {
            number = _classEnd++;
            if (number == _classes.Length)
            {
                Array.Resize(ref _classes, _classes.Length * 2);
            }
        }

        _classes[number] = new()
        {
            Id = key, Lane = lane, Shape = facts.Task.Shape, Members = facts.Task.Members, Level = level, Head = -1,
            Tail = -1, PatienceUs = patienceUs, IsLive = true,
        };
        lane.Classes++;
        return number;
    }

    private void FreeClass(int number)
    {
        ref var ready = ref _classes[number];
        if (ready.IsBlocked)
        {
            UnlinkBlocked(number);
        }
        else
        {
            Drop(number);
        }

        if (ready.Ordered is not null)
        {
            ready.Lane!.OrderedClass = -1;
        }
        else
        {
            _classOf.Remove(ready.Id);
            if (ready.IsDynamic)
            {
                UnlinkHandler(number);
            }
        }

        ready.Lane!.Classes--;
        ready = new() { BlockedNext = _freeClass };
        _freeClass = number;
    }

    private static ulong KeyOf(int level, long sequence) =>
        ((ulong)level << LevelShift) | (ulong)(sequence & SequenceMask);

    private static ulong KeyOf(UserShare share) => BitConverter.DoubleToUInt64Bits(share.Pass);
}
