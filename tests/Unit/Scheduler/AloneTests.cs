// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Xunit;

namespace Muster.Unit.Scheduler;

/// <summary>Tasks that have a worker to themselves.</summary>
public sealed class AloneTests
{
    [Fact]
    public void Alone_IdleWorker_GetsItAndNothingElseUntilItEnds()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(4);
        cell.Open(row);
        var alone = SubmitAlone(cell);
        cell.Submit(6);
        cell.Run();
        Assert.Equal(alone, Assert.Single(cell.Effects.Sent).Key.Task);

        cell.FinishAll(row);
        cell.Run();
        Assert.Equal(4, cell.Effects.Sent.Count);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Alone_BusyWorker_IsKeptFreeUntilItIsIdle()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(2);
        cell.Open(row);
        cell.Submit(1);
        cell.Run();
        var alone = SubmitAlone(cell);
        cell.Submit(2);
        cell.Run();
        Assert.Single(cell.Effects.Sent);

        cell.FinishAll(row);
        cell.Run();
        Assert.Equal(alone, Assert.Single(cell.Effects.Sent).Key.Task);
        cell.FinishAll(row);
        cell.Run();
        Assert.Equal(2, cell.Effects.Sent.Count);
    }

    [Fact]
    public void Alone_SeveralWorkers_KeepsOnlyOneFree()
    {
        using var cell = new SchedulerCell();
        uint[] rows = [cell.AddWorker(2), cell.AddWorker(2), cell.AddWorker(2)];
        foreach (var row in rows)
        {
            cell.Open(row);
        }

        cell.Submit(3);
        cell.Run();
        Assert.Equal(3, cell.Effects.Sent.Select(sent => sent.Row).Distinct().Count());
        SubmitAlone(cell);
        SubmitAlone(cell);
        cell.Submit(3);
        cell.Run();

        // One keeps its free slot until the other is free too; the two others take what there is.
        Assert.Equal(5, cell.Effects.Sent.Count);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Alone_NoneLeft_KeepsNothingFree()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(2);
        cell.Open(row);
        cell.Submit(1);
        cell.Run();
        var alone = SubmitAlone(cell);
        cell.Run();

        // Another worker comes and takes it.
        var other = cell.AddWorker(1);
        cell.Open(other);
        cell.Run();
        Assert.Equal((other, alone), (cell.Effects.Sent[^1].Row, cell.Effects.Sent[^1].Key.Task));
        cell.Submit(1);
        cell.Run();
        Assert.Equal((3, row), (cell.Effects.Sent.Count, cell.Effects.Sent[^1].Row));
        cell.Core.CheckInvariants();
    }

    private static TaskId SubmitAlone(SchedulerCell cell) => cell.Submit(alone: true);
}
