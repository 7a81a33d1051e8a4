// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Arena.Tables;
using Muster.Core.Tasks;
using Muster.Scheduler;
using Xunit;

namespace Muster.Unit.Scheduler;

public sealed class PlacementTests
{
    private static readonly SchedulerOptions s_noPrefetch = new() { PrefetchMax = 0 };

    [Fact]
    public void Place_HigherPriority_GoesFirst()
    {
        using var cell = new SchedulerCell(s_noPrefetch);
        var low = cell.Submit(priority: 1);
        var high = cell.Submit(priority: 6);
        cell.Open(cell.AddWorker(1));
        cell.Run();
        Assert.Equal(high, Assert.Single(cell.Effects.Sent).Key.Task);
        Assert.Equal(TaskState.Ready, cell.StateOf(low));
    }

    [Fact]
    public void Place_SamePriority_LongestWaitingHeadGoesFirst()
    {
        using var cell = new SchedulerCell(s_noPrefetch);
        var first = cell.Submit("b");
        cell.NowMs += 10;
        cell.Submit("a");
        cell.Open(cell.AddWorker(1, "a", "b"));
        cell.Run();
        Assert.Equal(first, Assert.Single(cell.Effects.Sent).Key.Task);
    }

    [Fact]
    public void Place_OneClass_KeepsTheOrderOfSubmission()
    {
        using var cell = new SchedulerCell(s_noPrefetch);
        var ids = cell.Submit(5);
        cell.Open(cell.AddWorker(5));
        cell.Run();
        Assert.Equal(ids, cell.Effects.Sent.Select(sent => sent.Key.Task));
    }

    [Fact]
    public void Place_HandlerNobodyOffers_IsSkippedAndExplained()
    {
        using var cell = new SchedulerCell();
        var held = cell.Submit("unknown", priority: 7);
        var other = cell.Submit("work", priority: 0);
        cell.Open(cell.AddWorker(4, "work"));
        cell.Run();
        Assert.Equal(other, Assert.Single(cell.Effects.Sent).Key.Task);
        Assert.Equal(TaskState.Ready, cell.StateOf(held));
        Assert.Equal(PlacementReason.NoWorkerOffers, cell.Core.Explain(cell.Handler("unknown")));

        cell.Open(cell.AddWorker(2, "unknown"));
        cell.Run();
        Assert.Equal(held, cell.Effects.Sent[^1].Key.Task);
        Assert.Equal(PlacementReason.None, cell.Core.Explain(cell.Handler("unknown")));
    }

    [Theory]
    [InlineData(8, 4, 8)]
    [InlineData(5, 4, 8)]
    [InlineData(3, 4, 8)]
    [InlineData(13, 3, 6)]
    public void Place_FewerTasksThanSlots_SpreadsEvenly(int tasks, int workers, uint slots)
    {
        using var cell = new SchedulerCell();
        for (var i = 0; i < workers; i++)
        {
            cell.Open(cell.AddWorker(slots));
        }

        cell.Submit(tasks);
        cell.Run();
        var counts = Enumerable.Range(0, workers)
            .Select(row => cell.Effects.Sent.Count(sent => sent.Row == row))
            .ToList();
        Assert.Equal(tasks, counts.Sum());
        Assert.True(counts.Max() - counts.Min() <= 1, string.Join(' ', counts));
    }

    [Fact]
    public void Place_IdleSlotsElsewhere_AreFilledBeforeCredit()
    {
        using var cell = new SchedulerCell();
        cell.Open(cell.AddWorker(2));
        cell.Teach(row: 0, ranUs: 10);
        cell.Submit(2);
        cell.Run();
        cell.Open(cell.AddWorker(2));
        cell.Submit(2);
        cell.Run();
        Assert.Equal([0u, 0u, 1u, 1u], cell.Effects.Sent.Select(sent => sent.Row));

        cell.Submit(10);
        cell.Run();
        Assert.Equal(4, cell.Effects.Sent.Count(sent => sent.Row == 0));
        Assert.Equal(4, cell.Effects.Sent.Count(sent => sent.Row == 1));
        Assert.Equal(PlacementReason.WorkersBusy, cell.Core.Explain(cell.Handler("work")));
    }

    [Fact]
    public void Place_Commands_AreNeverSentAhead()
    {
        using var cell = new SchedulerCell();
        cell.Open(cell.AddWorker(2, "muster.command"));
        cell.Submit(9, "muster.command");
        cell.Run();
        Assert.Equal(2, cell.Effects.Sent.Count);
        cell.Ended(0, 1);
        cell.Run();
        Assert.Equal(3, cell.Effects.Sent.Count);
    }

    [Theory]
    [InlineData(10, 4)]
    [InlineData(1_900, 4)]
    [InlineData(50_000, 2)]
    public void Place_KnownLength_DecidesWhetherTasksAreSentAhead(float ranUs, int expected)
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(2);
        cell.Open(row);
        cell.Teach(row, ranUs);
        cell.Submit(10);
        cell.Run();
        Assert.Equal(expected, cell.Effects.Sent.Count);
    }

    [Fact]
    public void Place_HandlerThatBecameSlow_IsNotSentAheadAnyMore()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(2);
        cell.Open(row);
        cell.Teach(row, ranUs: 10);
        cell.Submit(100);
        cell.Run();
        Assert.Equal(4, cell.Effects.Sent.Count);
        cell.NowMs += 50;
        cell.Ended(row, 3);
        cell.Run();
        Assert.Equal(4, cell.Effects.Sent.Count);
    }

    [Fact]
    public void Place_FastWorker_IsSuppliedByItsPace()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(2);
        cell.Open(row);
        cell.Teach(row, ranUs: 1);
        for (var window = 0; window < 12; window++)
        {
            // Whatever it holds, it ends within half a millisecond.
            cell.Submit(600);
            cell.NowMs += SchedulerLimits.PaceWindowMs;
            for (var beat = 0; beat < 8; beat++)
            {
                cell.Run();
                cell.FinishAll(row);
            }
        }

        cell.Submit(600);
        cell.Run();
        Assert.InRange(cell.Effects.Sent.Count, 64, 600);
    }

    [Fact]
    public void Place_CommandsBesideShortTasks_AreNotStarvedByPrefetch()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(2, "muster.command", "work");
        cell.Open(row);
        cell.Teach(row, ranUs: 10);
        cell.Submit(100, "work", priority: 4);
        cell.Run();
        Assert.Equal(4, cell.Effects.Sent.Count);
        var command = cell.Submit("muster.command", priority: 6);
        for (ulong ended = 1; ended <= 3; ended++)
        {
            cell.Ended(row, ended + 2);
            cell.Run();
        }

        // Nothing was sent ahead of it, and once it had its slot the credit was free again.
        Assert.Equal(command, cell.Effects.Sent[4].Key.Task);
        Assert.Equal(7, cell.Effects.Sent.Count);
    }

    [Theory]
    [InlineData(nameof(WorkerHealth.Suspect))]
    [InlineData(nameof(WorkerHealth.Draining))]
    public void Place_WorkerNotAlive_GetsNothingNewAndKeepsItsStream(string name)
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(4);
        cell.Open(row);
        cell.SetHealth(row, System.Enum.Parse<WorkerHealth>(name));
        cell.Submit(2);
        cell.Run();
        Assert.Empty(cell.Effects.Sent);
        Assert.Empty(cell.Effects.Closed);
        Assert.Equal(PlacementReason.WorkersNotConnected, cell.Core.Explain(cell.Handler("work")));

        cell.SetHealth(row, WorkerHealth.Alive);
        cell.Run();
        Assert.Equal(2, cell.Effects.Sent.Count);
    }

    [Fact]
    public void Place_DifferentTimeLimits_AreSentApart()
    {
        using var cell = new SchedulerCell();
        cell.Open(cell.AddWorker(8));
        cell.Submit(timeoutMs: 5);
        cell.Submit(timeoutMs: 5);
        cell.Submit(timeoutMs: 7);
        cell.Run();
        Assert.Equal([5u, 5u, 7u], cell.Effects.Sent.Select(sent => sent.TimeoutMs));
    }

    [Fact]
    public void Place_MoreTasksThanOneBatch_FillsLargeWorkersWhole()
    {
        using var cell = new SchedulerCell(s_noPrefetch);
        cell.Open(cell.AddWorker(1_000));
        cell.Open(cell.AddWorker(3));
        cell.Submit(1_500);
        cell.Run();
        Assert.Equal(1_003, cell.Effects.Sent.Count);
        Assert.Equal(1_000ul, cell.Core.InFlight(0));
        Assert.Equal(3u, cell.Arena.Workers[1].InFlight);
    }
}
