// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// Second copies of tasks that run far longer than their like, when a worker is idle for which nothing waits. The first
/// to end counts. Only tasks that were declared idempotent, one copy each, within a budget of all work done.
/// </summary>
internal sealed partial class CentralPolicy
{
    /// <summary>A task is late after this many times what nine in ten of its class take.</summary>
    private const double LateFactor = 1.2;

    /// <summary>Copies may take this part of the work that was done, and one task's worth.</summary>
    private const double BudgetPart = 0.025;

    private const int ObservedLeast = 3;

    private readonly IndexedHeap _watched = new([], 64);
    private int[] _watchPositions = [];
    private int[] _copyWorker = [];
    private long[] _copyStartUs = [];
    private double _doneUs;
    private double _copiedUs;

    public long NextDueUs => _watched.Count > 0 && _index.IdleWorkers > 0 ? (long)_watched.TopKey : long.MaxValue;

    public bool TryCopy(long nowUs, out Start start)
    {
        start = default;
        while (_watched.Count > 0 && _index.IdleWorkers > 0 && _watched.TopKey <= (ulong)nowUs)
        {
            var task = _watched.TopId;
            var lateUs = LateUs(task);
            if (lateUs > nowUs)
            {
                _watched.Update(task, (ulong)lateUs);
                continue;
            }

            // One that the budget or its own worker forbids is looked at again when it has run half as long again.
            var againUs = (ulong)(nowUs + Math.Max(1, (nowUs - Task(task).StartUs) / 2));
            ref readonly var need = ref _shapes[Task(task).Facts.Shape];
            var costUs = Expect(task);
            if (_copiedUs + costUs > (BudgetPart * _doneUs) + costUs
                || !_index.TryFind(need, _placement, out var worker) || worker == Task(task).Worker)
            {
                _watched.Update(task, againUs);
                continue;
            }

            _watched.Remove(task);
            _index.Take(worker, need);
            _copyWorker[task] = worker;
            _copyStartUs[task] = nowUs;
            start = new(task, worker, IsCopy: true);
            return true;
        }

        return false;
    }

    private void Watch(int task, long nowUs)
    {
        if (_copies && Task(task).Facts.IsIdempotent && Task(task).Worker >= 0)
        {
            _watched.Push(task, (ulong)Math.Max(LateUs(task), nowUs + 1));
        }
    }

    /// <summary>When the task will be late; as long again from now when nothing is known of its class.</summary>
    private long LateUs(int task)
    {
        ref readonly var facts = ref Task(task).Facts;
        ref readonly var model = ref _models[facts.Handler];
        double usualUs = facts.GivenUs;
        if (usualUs == 0)
        {
            if (model.Observed < ObservedLeast)
            {
                return _nowUs + Math.Max(1_000, _nowUs - Task(task).StartUs);
            }

            usualUs = Math.Max(model.Expect(facts.Hint) * model.P90Factor, facts.Hint > 0 ? 0 : model.P90Us);
        }

        return Task(task).StartUs + (long)(usualUs * LateFactor / _index.SpeedOf(Task(task).Worker));
    }

    private void EndCopy(int task, long ranUs, long nowUs)
    {
        _doneUs += ranUs;
        if (_watchPositions[task] > 0)
        {
            _watched.Remove(task);
        }

        if (_copyWorker[task] == NoWorker)
        {
            return;
        }

        _copiedUs += nowUs - _copyStartUs[task];
        _index.Give(_copyWorker[task], _shapes[Task(task).Facts.Shape]);
        NoteFreed(_copyWorker[task]);
        _copyWorker[task] = NoWorker;
    }
}
