// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// Binds late: every waiting task stays in one ordered set until a worker has room for it. What goes first is the
/// order's business, where it goes the placement's; both hold for every policy by name but the two that deal tasks out.
/// Owner of all it decides with; one caller; see <see cref="ISchedulingPolicy"/>.
/// </summary>
internal sealed partial class CentralPolicy : ISchedulingPolicy
{
    private const int NoWorker = -1;

    private readonly TaskOrder _order;
    private readonly Placement _placement;
    private readonly bool _copies;
    private readonly ReadySet _ready;
    private readonly WorkerIndex _index = new();
    private readonly ClassModels _models;
    private readonly GraphRanks _ranks;
    private readonly ShapeTable _shapes = new();

    private long[] _rankUs = [];
    private int[] _running = new int[64];
    private int _runningCount;
    private long _nowUs;

    public CentralPolicy(
        TaskOrder order, Placement placement = Placement.Pack, bool copies = false, ClassModels? models = null)
    {
        DecisionLimits.Check();
        _order = order;
        _placement = placement;
        _copies = copies;
        _models = models ?? new();
        _ready = new(task => Task(task).Facts.Shape);
        _ranks = new(task => Expect(task), Ranked);
        _groupEnds = new IndexedHeap[DecisionLimits.SpeedGroupsMax];
    }

    public string Name => _order.Name;

    public int Waiting => _ready.Count;

    /// <summary>What was learned; may be given to the next policy.</summary>
    public ClassModels Models => _models;

    public int Running => _runningCount;

    public int Intern(Resources need)
    {
        var shape = _shapes.Intern(need);
        _ready.ReserveNumbers(shape + 1, 0);
        return shape;
    }

    /// <summary>The user's share against others of its band, 1 unless it is told.</summary>
    public void SetWeight(int user, int band, double weight)
    {
        Invariant.That(weight > 0);
        _ready.Share(user, band).Weight = weight;
    }

    public void AddWorker(int worker, Resources has, double speed)
    {
        ReleaseHolds();
        var groups = _index.Groups;
        _index.Add(worker, has, speed);
        if (_index.Groups != groups && _index.Groups > 1)
        {
            PrepareGroups();
        }

        _ready.UnblockAll();
    }

    public void RemoveWorker(int worker)
    {
        ReleaseHolds();
        _index.Remove(worker);
        _ready.UnblockAll();
    }

    public void Admit(int task, in TaskFacts facts)
    {
        Invariant.That(facts.Members >= 1 && facts.Band < DecisionLimits.Bands);
        Reserve(task + 1);
        _ready.ReserveNumbers(0, facts.Handler + 1);
        _models.Add(facts.Handler);
        Task(task).Facts = facts;
        Task(task).Graph = -1;
        _rankUs[task] = 0;
        Task(task).Worker = NoWorker;
        _copyWorker[task] = NoWorker;
    }

    public void AdmitGraph(int first, int[] childStart, int[] children)
    {
        var graph = _ranks.Admit(first, childStart, children);
        for (var task = first; task < first + childStart.Length - 1; task++)
        {
            Task(task).Graph = graph;
        }
    }

    public void Ready(int task, long nowUs)
    {
        _nowUs = nowUs;
        Invariant.That(!_ready.IsWaiting(task) && Task(task).Worker == NoWorker);
        _ready.Add(task, _order, FactsOf(task), nowUs);
    }

    public void Withdraw(int task)
    {
        ReleaseHoldOf(task);
        _ready.Remove(task, _nowUs);
    }

    public bool TryStart(long nowUs, out Start start)
    {
        _nowUs = nowUs;
        if (_ranks.IsBehind)
        {
            _ranks.Step(DecisionLimits.RankEdgesMax);
        }

        start = default;
        if (_ready.Count == 0)
        {
            return false;
        }

        _ready.Age(nowUs);
        if (_isAnyStale && TryStartHeld(nowUs, out start))
        {
            return true;
        }

        return _index.Groups > 1 && _order.WeighsSpeeds
            ? TryStartWeighed(nowUs, out start)
            : TryStartFirst(nowUs, out start);
    }

    public void Ended(int task, int worker, long ranUs, long nowUs)
    {
        _nowUs = nowUs;
        Invariant.That(Task(task).Worker != NoWorker);
        ref var facts = ref Task(task).Facts;
        var speed = _index.SpeedOf(worker);
        EndCopy(task, ranUs, nowUs);
        Vacate(task);
        Correct(task, nowUs);
        var isNews = _models.Observe(facts, Math.Max(1, (long)(ranUs * speed)));
        if (isNews && facts.GivenUs == 0 && _order.Learns)
        {
            Relevel(facts.Handler, nowUs);
            _ranks.Invalidate();
        }
    }

    public int Places(int task, Span<Place> places)
    {
        if (Task(task).Worker >= 0)
        {
            places[0] = new(Task(task).Worker, 1);
            return 1;
        }

        return _gangs.Copy(GangOf(task), places);
    }

    private bool TryStartFirst(long nowUs, out Start start)
    {
        start = default;
        for (var tried = 0; tried < DecisionLimits.BackfillClassesMax; tried++)
        {
            if ((_index.IdleWorkers == 0 && !HasHeldRoom()) || !_ready.TryTop(out var number))
            {
                return false;
            }

            var task = _ready.Head(number);
            if (TryPlace(task, nowUs, out start))
            {
                return true;
            }

            if (!_order.Backfills)
            {
                return false;
            }

            _ready.Block(number);
            if (MayHold(task))
            {
                Hold(task, nowUs);
            }
        }

        return false;
    }

    private bool TryPlace(int task, long nowUs, out Start start)
    {
        start = default;
        ref readonly var need = ref _shapes[Task(task).Facts.Shape];
        if (Task(task).Facts.Members > 1)
        {
            return TryPlaceGang(task, nowUs, out start);
        }

        if (!_index.TryFind(need, _placement, out var worker) && !TryBackfill(task, need, nowUs, out worker))
        {
            return false;
        }

        start = StartOn(task, worker, nowUs);
        return true;
    }

    private Start StartOn(int task, int worker, long nowUs)
    {
        _index.Take(worker, _shapes[Task(task).Facts.Shape]);
        Task(task).Worker = worker;
        Begin(task, worker, nowUs);
        return new(task, worker);
    }

    private void Begin(int task, int worker, long nowUs)
    {
        var share = ShareOf(task);
        _ready.Remove(task, nowUs);
        ReleaseHoldOf(task);

        if (Task(task).Graph >= 0)
        {
            _ranks.Started(Task(task).Graph);
        }

        var expectedUs = Math.Max(1, (long)(Expect(task) / _index.SpeedOf(worker)));
        Task(task).StartUs = nowUs;
        Task(task).ExpectedUs = expectedUs;
        Task(task).Charged = DominantShare(task) * expectedUs;
        _ready.Charge(share, LaneOf(task), Task(task).Charged);
        if (_runningCount == _running.Length)
        {
            Array.Resize(ref _running, _runningCount * 2);
        }

        _running[_runningCount] = task;
        Task(task).RunPosition = _runningCount++;
        NoteGroupEnd(task, worker, nowUs);
        Watch(task, nowUs);
    }

    /// <summary>Gives back what the task held, and tries again what this may have made room for.</summary>
    private void Vacate(int task)
    {
        var last = _running[--_runningCount];
        _running[Task(task).RunPosition] = last;
        Task(last).RunPosition = Task(task).RunPosition;
        ForgetGroupEnd(task);
        ref readonly var need = ref _shapes[Task(task).Facts.Shape];
        if (Task(task).Worker >= 0)
        {
            _index.Give(Task(task).Worker, need);
            NoteFreed(Task(task).Worker);
        }
        else
        {
            VacateGang(task, need);
        }

        Task(task).Worker = NoWorker;
    }

    private void UnblockFitting(int worker)
    {
        for (var i = _ready.BlockedShapes.Length - 1; i >= 0; i--)
        {
            // Unblocking a shape moves the last one into its place, which was looked at already.
            var shape = _ready.BlockedShapes[i];
            if (_index.Fits(worker, _shapes[shape]))
            {
                _ready.Unblock(shape);
            }
        }
    }

    /// <summary>The user had what the task took, not what it was expected to take.</summary>
    private void Correct(int task, long nowUs)
    {
        var cost = Task(task).Charged / Task(task).ExpectedUs * (nowUs - Task(task).StartUs);
        _ready.Correct(ShareOf(task), LaneOf(task), cost - Task(task).Charged);
    }

    private void Relevel(int handler, long nowUs)
    {
        for (var number = _ready.FirstOfHandler(handler); number >= 0; number = _ready[number].HandlerNext)
        {
            var facts = FactsOf(_ready.Head(number));
            _ready.Relevel(number, _order.Level(facts), _order.PatienceUs(facts), nowUs);
        }
    }

    private void Ranked(int task, long rankUs)
    {
        _rankUs[task] = rankUs;
        if (_ready.IsWaiting(task))
        {
            _ready.Move(task, _order, FactsOf(task), _nowUs);
        }
    }

    private long Expect(int task)
    {
        ref readonly var facts = ref Task(task).Facts;
        return _order.Learns || facts.GivenUs > 0 || facts.LimitUs == 0 ? _models.Expect(facts) : facts.LimitUs;
    }

    /// <summary>When a running task is expected to end. One that is late is expected to take as long again.</summary>
    private long EstimatedEndUs(int task, long nowUs)
    {
        var endUs = Task(task).StartUs + Task(task).ExpectedUs;
        if (endUs > nowUs)
        {
            return endUs;
        }

        var againUs = nowUs + Math.Max(1, nowUs - Task(task).StartUs);
        var limitUs = Task(task).Facts.LimitUs > 0 ? Task(task).StartUs + Task(task).Facts.LimitUs : long.MaxValue;
        return limitUs > nowUs ? Math.Min(againUs, limitUs) : againUs;
    }

    private OrderFacts FactsOf(int task) => new(
        ref Task(task).Facts,
        Expect(task),
        Task(task).Graph >= 0 ? Math.Max(_rankUs[task], 1) : 0,
        Task(task).Graph >= 0 ? _ranks.LengthUs(Task(task).Graph) : 0,
        (long)_shapes[Task(task).Facts.Shape].Slots * Task(task).Facts.Members);

    private ref TaskEntry Task(int task) => ref _ready.Tasks[task];

    private UserShare ShareOf(int task) =>
        _ready.Share(_order.SharesUsers ? Task(task).Facts.User : 0, Task(task).Facts.Band);

    private int LaneOf(int task) => Task(task).Graph >= 0 ? 0 : 1;

    private double DominantShare(int task)
    {
        ref readonly var need = ref _shapes[Task(task).Facts.Shape];
        var share = 0.0;
        for (var kind = 0; kind < Resources.Kinds; kind++)
        {
            share = need[kind] > 0 ? Math.Max(share, (double)need[kind] / _index.Sum(kind)) : share;
        }

        return share * Task(task).Facts.Members;
    }

    private void Reserve(int tasks)
    {
        _ready.Reserve(tasks);
        var length = _ready.Tasks.Length;
        if (length == _rankUs.Length)
        {
            return;
        }

        Array.Resize(ref _rankUs, length);
        Array.Resize(ref _copyWorker, length);
        Array.Resize(ref _copyStartUs, length);
        ReservePositions(length);
    }

    public void CheckInvariants()
    {
        _ready.CheckInvariants();
        _index.CheckInvariants();
        for (var at = 0; at < _runningCount; at++)
        {
            Invariant.That(Task(_running[at]).RunPosition == at && Task(_running[at]).Worker != NoWorker);
        }

        for (var i = 0; i < _holdCount; i++)
        {
            Invariant.That(_ready.IsWaiting(_holds[i].Task) && _holds[i].Count > 0);
        }
    }
}
