// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>One turn never hands the journal more than may wait there, nor a record larger than it takes.</summary>
public sealed class PlmJournalLoadTests
{
    private const int Large = 100_000;

    [Fact]
    public void Snapshot_OfLargePayloads_WaitsForTheDiskBetweenThem()
    {
        var journal = new FakeJournal { BehindBytes = 1 << 20 };
        using var cell = NewCell(journal);
        var text = new string('p', Large);
        cell.Submit(null, null, Durable(cell), [.. Enumerable.Repeat(text, 100)]);
        cell.Sync();
        cell.Turn(core => core.BeginSnapshot());
        for (var turns = 0; turns < 100 && journal.Forgotten == 0; turns++)
        {
            cell.NowMs += 10;
            cell.Turn();
            Assert.InRange(journal.PendingBytes, 0, 2 << 20);
            cell.Sync();
        }

        Assert.NotEqual(0ul, journal.Forgotten);
        using var next = NewCell(journal, epoch: 2);
        Assert.Equal(100u, next.Arena.Ready.Count);
    }

    [Fact]
    public void Results_MoreInOneTurnThanMayWait_AreJudgedWhenTheDiskHasCaughtUp()
    {
        var journal = new FakeJournal { OverrunBytes = 1 << 20 };
        using var cell = NewCell(journal);
        var (ids, _) = cell.Submit(null, null, Durable(cell), [.. Enumerable.Range(0, 100).Select(n => $"{n}")]);
        cell.Sync();
        var text = new string('r', Large);
        foreach (var task in cell.Assign())
        {
            cell.Report(task, output: text);
        }

        for (var turns = 0; turns < 100 && ids.Any(id => cell.StateOf(id) != TaskState.Done); turns++)
        {
            cell.NowMs += 10;
            cell.Turn();
            Assert.InRange(journal.PendingBytes, 0, 2 << 20);
            cell.Core.CheckInvariants();

            // No worker may forget what is not judged.
            Assert.True(cell.Arena.Counter(CellCounter.FinishedSafe) < cell.Arena.Finished.WrittenTotal);
            cell.Sync();
        }

        Assert.All(ids, id => Assert.Equal(TaskState.Done, cell.StateOf(id)));
        cell.Turn();
        Assert.Equal(cell.Arena.Finished.WrittenTotal, cell.Arena.Counter(CellCounter.FinishedSafe));
    }

    [Fact]
    public void Snapshot_OfTheLargestPayloadAndResult_FitsIntoARecord()
    {
        var journal = new FakeJournal();
        using var cell = NewCell(journal);
        cell.Submit(null, null, Durable(cell), new string('s', 200_000));
        var (ids, _) = cell.Submit(null, null, Durable(cell), new string('p', TaskLimits.PayloadBytesMax));
        foreach (var task in cell.Assign().Where(task => task.Slot == new TaskId(ids[0]).Slot))
        {
            cell.Report(
                task,
                output: new string('o', TaskLimits.OutputBytesMax),
                error: new string('e', TaskLimits.ErrorBytesMax));
        }

        cell.Turn();
        cell.Sync();
        cell.Turn(core => core.BeginSnapshot());
        cell.NowMs += 10;
        cell.Turn();
        cell.Sync();
        using var next = NewCell(journal, epoch: 2);
        Assert.Equal(TaskState.Done, next.StateOf(ids[0]));
    }

    [Fact]
    public void Release_OfVeryManyAtOnce_IsSeveralRecords()
    {
        const int Count = 50_000;
        var journal = new FakeJournal();
        using var cell = NewCell(journal);
        var spec = cell.Spec((ref TaskOptionsView view) =>
        {
            view.Durability = DurabilityLevel.Durable;
            view.RetentionMs = 1_000;
        });
        var ids = Enumerable.Range(0, Count).Chunk(TaskLimits.BatchItemsMax)
            .SelectMany(chunk => cell.Submit(null, null, spec, [.. chunk.Select(n => $"{n}")]).Ids).ToArray();
        foreach (var chunk in ids.Chunk(TaskLimits.BatchItemsMax))
        {
            var answers = new CancelAnswer[chunk.Length];
            cell.Turn(core => core.Cancel(chunk, answers));
        }

        cell.Sync();
        cell.NowMs += 10_000;
        cell.Turn();
        Assert.All(ids, id => Assert.Equal(TaskState.Free, cell.StateOf(id)));
        Assert.InRange(journal.LargestBody, 0, PlmLimits.RecordBytesAim + 1_024);
    }

    private static PlmCell NewCell(FakeJournal journal, uint epoch = 1)
    {
        var limits = new ArenaLimits
        {
            TasksMax = 65_536,
            WorkersMax = 16,
            ClientsMax = 16,
            KeysMax = 16,
            PayloadBytesMax = 32 << 20,
            ResultBytesMax = 32 << 20,
        };
        var cell = new PlmCell(new PlmOptions { ReattachMs = 0 }, limits, epoch, journal);
        Assert.True(cell.Recovered.IsNone, cell.Recovered.Message);
        cell.Turn();
        return cell;
    }

    private static TaskSpec Durable(PlmCell cell) =>
        cell.Spec((ref TaskOptionsView view) => view.Durability = DurabilityLevel.Durable);
}
