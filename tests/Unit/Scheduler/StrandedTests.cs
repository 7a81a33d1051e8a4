// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Scheduler;
using Xunit;

namespace Muster.Unit.Scheduler;

/// <summary>Workers that beat and do not open their Dispatch stream.</summary>
public sealed class StrandedTests
{
    private const uint GraceMs = 3_000;

    [Fact]
    public void Streamless_ForLong_GivesBackWhatItHasNotSaidToRun()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(3);
        cell.Open(row);
        TaskId[] ids = [cell.Submit(), cell.Submit(attemptsMax: 1), cell.Submit()];
        cell.Run();
        MarkRunning(cell, cell.Effects.Sent[0].Key);
        cell.Core.WorkerDispatchClosed(row, cell.LastStream);

        Pass(cell, GraceMs - 1);
        Assert.Equal(TaskState.Assigned, cell.StateOf(ids[2]));
        Pass(cell, 1);
        Assert.Equal(
            [TaskState.Running, TaskState.Assigned, TaskState.Ready], ids.Select(id => cell.StateOf(id)));

        // Another worker gets it under another attempt; the first one is told when it comes back.
        var stale = cell.Effects.Sent[2].Key;
        cell.Open(cell.AddWorker(1));
        cell.Run();
        Assert.Equal((ids[2], 1u), (cell.Effects.Sent[^1].Key.Task, cell.Effects.Sent[^1].Row));
        Assert.NotEqual(stale.Attempt, cell.Effects.Sent[^1].Key.Attempt);
        cell.Open(row, inHand: [stale]);
        Assert.Contains(cell.Effects.Cancelled, cancel => cancel.Key == stale);
    }

    [Fact]
    public void Streamless_OpensAgainInTime_KeepsEverything()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(1);
        cell.Open(row);
        var id = cell.Submit();
        cell.Run();
        cell.Core.WorkerDispatchClosed(row, cell.LastStream);
        Pass(cell, GraceMs - 100);
        cell.Open(row, inHand: [cell.Effects.Sent[0].Key]);
        Pass(cell, GraceMs);
        Assert.Equal(TaskState.Assigned, cell.StateOf(id));
        Assert.Equal(long.MaxValue, cell.Core.NextDueMs);
    }

    [Fact]
    public void Streamless_Suspect_IsLeftToTheRegister()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(1);
        cell.Open(row);
        var id = cell.Submit();
        cell.Run();
        cell.Core.WorkerDispatchClosed(row, cell.LastStream);
        cell.SetHealth(row, WorkerHealth.Suspect);
        Pass(cell, 2 * GraceMs);
        Assert.Equal(TaskState.Assigned, cell.StateOf(id));
        cell.SetHealth(row, WorkerHealth.Alive);
        Pass(cell, GraceMs);
        Assert.Equal(TaskState.Ready, cell.StateOf(id));
    }

    [Fact]
    public void Streamless_AfterATakeover_CountsFromThere()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(1);
        cell.Open(row);
        var id = cell.Submit();
        cell.Run();
        cell.Restart();
        Pass(cell, GraceMs - 1);
        Assert.Equal(TaskState.Assigned, cell.StateOf(id));
        Pass(cell, 1);
        Assert.Equal(TaskState.Ready, cell.StateOf(id));
    }

    // A look first: that is when the time begins.
    private static void Pass(SchedulerCell cell, uint ms)
    {
        cell.Run();
        cell.NowMs += ms;
        cell.Run();
    }

    private static void MarkRunning(SchedulerCell cell, AttemptKey key)
    {
        Invariant.That(cell.Arena.Tasks.TryFind(key.Task, out var index, out var word));
        Invariant.That(cell.Arena.Tasks.TryStep(Role.Register, index, word, word.With(TaskState.Running)));
    }
}
