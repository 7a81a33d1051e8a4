// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>What the journal keeps of idempotency keys, and what a fresh arena gets back.</summary>
public sealed class PlmKeyJournalTests
{
    private const long Day = 86_400_000;

    [Fact]
    public void Submit_KeyOfATaskNotYetSynced_IsAnsweredNoSoonerThanTheFirst()
    {
        using var cell = NewCell(new FakeJournal());
        cell.SubmitKeyed(null, null, Durable(cell), ("x", "k"));
        var (_, _, duplicates, sequence) = cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k"));
        Assert.Single(duplicates);
        Assert.False(cell.Core.IsReached(sequence, DurabilityLevel.Durable));
        cell.Sync();
        Assert.True(cell.Core.IsReached(sequence, DurabilityLevel.Durable));
        Assert.Equal(0ul, cell.SubmitKeyed(null, null, Durable(cell), ("x", "k")).Sequence);
    }

    [Fact]
    public void Restore_FreshArena_KnowsKeysOfWaitingEndedAndFreedTasks()
    {
        var journal = new FakeJournal();
        ulong[] ids;
        using (var cell = NewCell(journal))
        {
            ids = SubmitThree(cell);
            Assert.Contains(journal.Texts, text => text.Contains("3 with keys", StringComparison.Ordinal));
        }

        journal.LosePower();
        using var next = NewCell(journal, epoch: 2);
        AssertKnown(next, ids);
        Assert.Equal("done", FakeStream.ReadResult(next.Arena, new TaskId(ids[1]).Slot).Output);
    }

    [Fact]
    public void Restore_AfterASnapshot_KnowsTheSame()
    {
        var journal = new FakeJournal();
        ulong[] ids;
        using (var cell = NewCell(journal))
        {
            ids = SubmitThree(cell);
            Snapshot(cell);
            Assert.True(journal.Forgotten > 0);
            Assert.Contains(journal.Texts, text => text.Contains("key ", StringComparison.Ordinal));
        }

        using (var second = NewCell(journal, epoch: 2))
        {
            AssertKnown(second, ids);
            Snapshot(second);
        }

        using var third = NewCell(journal, epoch: 3);
        AssertKnown(third, ids);

        // A day after the ends, and not after the restore.
        PlmKeyTests.Pass(third, Day + 1);
        Assert.Equal(1, third.Core.KeyCount);
    }

    [Fact]
    public void Restore_ExpiredMeanwhile_ForgetsTheKey()
    {
        var journal = new FakeJournal();
        ulong[] ids;
        using (var cell = NewCell(journal))
        {
            ids = SubmitThree(cell);
        }

        using var next = new PlmCell(
            ArenaFile.CreatePrivate(PlmKeyTests.Limits(1_024), 2), journal, nowMs: 2 * Day);
        var again = next.SubmitKeyed(null, null, Durable(next), ("a", "k0"), ("b", "k1"), ("c", "k2"));
        Assert.Equal(ids[0], again.Ids[0]);
        Assert.Equal([0], again.Duplicates);
    }

    [Fact]
    public void Restore_KeyUsedAgainAfterItsTime_NamesTheLaterTask()
    {
        var journal = new FakeJournal();
        ulong later;
        using (var cell = NewCell(journal))
        {
            var (ids, _, _, _) = cell.SubmitKeyed(null, null, Durable(cell), ("x", "k"));
            cell.Cancel(ids[0]);
            cell.Sync();
            cell.NowMs += Day;
            later = cell.SubmitKeyed(null, null, Durable(cell), ("y", "k")).Ids[0];
            cell.Sync();
        }

        using var next = NewCell(journal, epoch: 2);
        Assert.Equal(later, next.SubmitKeyed(null, null, Durable(next), ("y", "k")).Ids[0]);
    }

    [Fact]
    public void Restore_DiesInTheMiddle_TheSuccessorComesToTheSameKeys()
    {
        var journal = new FakeJournal();
        ulong[] ids;
        ulong later;
        using (var cell = NewCell(journal))
        {
            ids = SubmitThree(cell);
            cell.NowMs += Day;
            later = cell.SubmitKeyed(null, null, Durable(cell), ("second", "k2")).Ids[0];
            cell.Cancel(later);
            cell.Sync();
        }

        using var next = new PlmCell(
            ArenaFile.CreatePrivate(PlmKeyTests.Limits(1_024), 2), journal, nowMs: Day + 2_000);
        next.Arena.Set(CellCounter.Populated, 0);
        next.Restart();
        Assert.True(next.Recovered.IsNone, next.Recovered.Message);
        var again = next.SubmitKeyed(null, null, Durable(next), ("a", "k0"), ("second", "k2"));
        Assert.Equal([ids[0], later], again.Ids);

        // A day after the end, and not after the restore.
        PlmKeyTests.Pass(next, Day - 900);
        Assert.Equal(1, next.Core.KeyCount);
    }

    [Fact]
    public void Restore_DiesAfterALaterTaskOfTheSlot_TheSuccessorKnowsTheKeyOfTheEarlier()
    {
        var journal = new FakeJournal();
        ulong[] ids;
        using (var cell = NewCell(journal))
        {
            ids = SubmitThree(cell);
            var later = cell.Submit(null, null, Durable(cell), "in the slot of the one that is gone").Ids[0];
            Assert.Equal(new TaskId(ids[2]).Slot, new TaskId(later).Slot);
            cell.Sync();
        }

        using var next = NewCell(journal, epoch: 2);
        next.Arena.Set(CellCounter.Populated, 0);
        next.Restart();
        AssertKnown(next, ids);
    }

    [Fact]
    public void Restore_ConfirmedKeyedTask_IsThereAndNotDeliveredAgain()
    {
        var journal = new FakeJournal();
        ulong id;
        using (var cell = NewCell(journal))
        {
            var stream = new FakeStream(cell.Arena);
            var session = cell.Open(7, stream);
            id = cell.SubmitKeyed(session, stream, Durable(cell), ("x", "k")).Ids[0];
            cell.Report(cell.Assign()[0], output: "done");
            cell.Turn();
            cell.Sync();
            cell.Confirm(session, stream, 1);
            cell.Sync();
            Assert.Contains(journal.Texts, text => text.Contains("kept ", StringComparison.Ordinal));
        }

        using var next = NewCell(journal, epoch: 2);
        var resumed = new FakeStream(next.Arena);
        next.Open(7, resumed);
        Assert.Empty(resumed.Results);
        Assert.Equal(id, next.SubmitKeyed(null, null, Durable(next), ("x", "k")).Ids[0]);
        Assert.Equal("done", FakeStream.ReadResult(next.Arena, new TaskId(id).Slot).Output);
    }

    [Fact]
    public void Restore_MemoryTask_IsGoneWithItsKey()
    {
        var journal = new FakeJournal();
        using (var cell = NewCell(journal))
        {
            cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k"));
            Snapshot(cell);
        }

        using var next = NewCell(journal, epoch: 2);
        Assert.Equal(0, next.Core.KeyCount);
    }

    [Fact]
    public void Restore_TableTooSmall_IsRefused()
    {
        var journal = new FakeJournal();
        using (var cell = NewCell(journal))
        {
            var items = Enumerable.Range(0, 20).Select(n => ("x", (string?)$"k{n}")).ToArray();
            cell.SubmitKeyed(null, null, Durable(cell), items);
            cell.Sync();
        }

        using var next = new PlmCell(limits: PlmKeyTests.Limits(16), epoch: 2, journal: journal);
        Assert.Equal(FaultCode.ArenaTooSmall, next.Recovered.Code);
        Assert.Contains("--keys-max", next.Recovered.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Takeover_NothingWasSynced_TellsTheKeysAgain()
    {
        var journal = new FakeJournal();
        using var cell = NewCell(journal);
        cell.Sync();
        var (ids, _, _, _) = cell.SubmitKeyed(null, null, Durable(cell), ("x", "k"), ("y", "l"));
        cell.Report(cell.Assign(1)[0], output: "r");
        cell.Turn();
        journal.LosePower();
        cell.Restart();
        cell.Sync();
        using var next = NewCell(journal, epoch: 2);
        var again = next.SubmitKeyed(null, null, Durable(next), ("x", "k"), ("y", "l"));
        Assert.Equal(ids, again.Ids);
    }

    [Fact]
    public void Takeover_JournalWasReplaced_TellsTheKeysOfFreedTasksToo()
    {
        using var cell = NewCell(new FakeJournal());
        var ids = SubmitThree(cell);
        var other = new FakeJournal { Lineage = 78 };
        using var again = new PlmCell(cell.Arena, other, cell.NowMs);
        again.Sync();
        using var next = NewCell(other, epoch: 2);
        AssertKnown(next, ids);
    }

    // One that waits, one that has ended, one that has ended and is gone.
    private static ulong[] SubmitThree(PlmCell cell)
    {
        var (ids, _, _, _) = cell.SubmitKeyed(null, null, Durable(cell), ("a", "k0"), ("b", "k1"), ("c", "k2"));
        foreach (var task in cell.Assign())
        {
            if (task.Slot != new TaskId(ids[0]).Slot)
            {
                cell.Report(task, output: "done");
            }
        }

        cell.Turn();
        cell.Sync();
        Assert.Equal(1, cell.Turn(core => core.ReleaseTasks([ids[2]])));
        cell.Sync();
        Assert.Equal(TaskState.Free, cell.StateOf(ids[2]));
        return ids;
    }

    private static void AssertKnown(PlmCell cell, ulong[] ids)
    {
        Assert.True(cell.Recovered.IsNone, cell.Recovered.Message);
        var again = cell.SubmitKeyed(null, null, Durable(cell), ("a", "k0"), ("b", "k1"), ("c", "k2"), ("z", "k2"));
        Assert.Equal(ids, again.Ids[..3]);
        Assert.Equal([0, 1, 2], again.Duplicates);
        Assert.Equal(FaultCode.IdempotencyKeyReused, Assert.Single(again.Faults).Fault.Code);
        cell.Core.CheckInvariants();
    }

    private static void Snapshot(PlmCell cell)
    {
        cell.Turn(core => core.BeginSnapshot());
        for (var turn = 0; turn < 4; turn++)
        {
            cell.NowMs += 10;
            cell.Turn();
            cell.Sync();
        }
    }

    private static PlmCell NewCell(FakeJournal journal, uint epoch = 1) => new(epoch: epoch, journal: journal);

    private static TaskSpec Durable(PlmCell cell) =>
        cell.Spec((ref TaskOptionsView view) => view.Durability = DurabilityLevel.Durable);
}
