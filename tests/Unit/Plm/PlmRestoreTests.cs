// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>What a fresh arena gets back from the journal of the one before.</summary>
public sealed class PlmRestoreTests
{
    private const ulong Client = 7;

    [Fact]
    public void Restore_AfterPowerLoss_BringsBackWhatWasSyncedAndNothingElse()
    {
        var journal = new FakeJournal();
        ulong[] ids;
        ulong lost;
        using (var cell = NewCell(journal))
        {
            var stream = new FakeStream(cell.Arena);
            var session = cell.Open(Client, stream);
            (ids, _) = cell.Submit(session, stream, Durable(cell), "one", "two", "three");
            cell.Report(cell.Assign(1)[0], output: "result of one");
            cell.Turn();
            cell.Sync();
            Assert.Single(stream.Results);
            lost = cell.Submit(session, stream, Durable(cell), "not synced").Ids[0];
        }

        journal.LosePower();
        using var next = NewCell(journal, epoch: 2);
        Assert.True(next.Recovered.IsNone, next.Recovered.Message);
        Assert.Equal(TaskState.Done, next.StateOf(ids[0]));
        Assert.Equal(TaskState.Ready, next.StateOf(ids[1]));
        Assert.Equal(TaskState.Ready, next.StateOf(ids[2]));
        Assert.Equal(TaskState.Free, next.StateOf(lost));
        var second = new FakeStream(next.Arena);
        var resumed = next.Open(Client, second, out var known, 1, 4);
        Assert.Equal(3ul, resumed.DecidedRef);
        Assert.Equal(ids, known.Select(entry => entry.Id.Value));
        Assert.Equal("result of one", Assert.Single(second.Results).Output);

        // The others run under the new epoch, and their payloads are what they were.
        var taken = next.Assign();
        Assert.Equal(2, taken.Length);
        Assert.All(taken, task => Assert.Equal(2u, task.Word.Attempt.Epoch));
        Assert.Equal("two"u8, PayloadOf(next, ids[1]));
        foreach (var task in taken)
        {
            next.Report(task, output: "late");
        }

        next.Turn();
        next.Sync();
        Assert.Equal(3, second.Results.Count);
        next.Confirm(resumed, second, 3);
        next.DrainOthers();
        next.Core.CheckInvariants();
        Assert.Equal(0, next.Arena.Payloads.UsedBytes);
    }

    [Fact]
    public void Restore_AttemptsFailed_AreNotForgotten()
    {
        var journal = new FakeJournal();
        ulong id;
        using (var cell = NewCell(journal))
        {
            id = cell.Submit(null, null, Durable(cell, attemptsMax: 2), "x").Ids[0];
            cell.Report(cell.Assign()[0], Outcome.Failed, error: "boom");
            cell.Turn();
            cell.Sync();
        }

        using var next = NewCell(journal, epoch: 2);
        Assert.Equal(1, next.SlotOf(id).AttemptsFailed);
        next.Report(next.Assign()[0], Outcome.Failed, error: "again");
        next.Turn();
        Assert.Equal(TaskState.Done, next.StateOf(id));
    }

    [Fact]
    public void Restore_OneAttemptOnly_EndsAsLostBecauseItMayHaveStarted()
    {
        var journal = new FakeJournal();
        ulong id;
        using (var cell = NewCell(journal))
        {
            id = cell.Submit(null, null, Durable(cell, attemptsMax: 1), "x").Ids[0];
            cell.Sync();
            cell.Assign();
        }

        using var next = NewCell(journal, epoch: 2);
        Assert.Equal(TaskState.Done, next.StateOf(id));
        Assert.Equal((ushort)FaultCode.WorkerLost, next.SlotOf(id).EndFault);
        Assert.Equal(0u, next.Arena.Ready.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Restore_HeldBackTasks_WaitForTheirWorkersAndThenRunAnew(bool plmDies)
    {
        var journal = new FakeJournal();
        ulong once;
        ulong again;
        using (var cell = NewCell(journal))
        {
            once = cell.Submit(null, null, Durable(cell, attemptsMax: 1), "x").Ids[0];
            again = cell.Submit(null, null, Durable(cell), "y").Ids[0];
            cell.Sync();
        }

        using var next = NewCell(journal, epoch: 2, reattachMs: 3_000);
        Assert.Equal(TaskState.Accepted, next.StateOf(once));
        Assert.Equal(TaskState.Accepted, next.StateOf(again));

        // Without a Register nobody could claim them.
        next.NowMs += 60_000;
        next.Turn();
        Assert.Equal(TaskState.Accepted, next.StateOf(again));
        next.Arena.Add(CellCounter.RegisterStarts, 1);
        next.NowMs += 100;
        next.Turn();
        next.NowMs += 2_900;
        next.Turn();
        if (plmDies)
        {
            next.Restart();
            next.Turn();
            next.NowMs += 2_900;
            next.Turn();
        }

        Assert.Equal(TaskState.Accepted, next.StateOf(again));

        // New work waits for nobody.
        var fresh = next.Submit(null, null, Durable(next), "z").Ids[0];
        Assert.Equal(TaskState.Ready, next.StateOf(fresh));
        next.NowMs += 200;
        next.Turn();
        Assert.Equal(TaskState.Done, next.StateOf(once));
        Assert.Equal(TaskState.Ready, next.StateOf(again));
        next.Core.CheckInvariants();
    }

    [Fact]
    public void Restore_TaskClaimedByItsWorker_IsNotRunAgain()
    {
        var journal = new FakeJournal();
        ulong id;
        Attempt attempt;
        using (var cell = NewCell(journal))
        {
            id = cell.Submit(null, null, Durable(cell, attemptsMax: 1), "x").Ids[0];
            cell.Sync();
            attempt = cell.Assign()[0].Word.Attempt;
        }

        using var next = NewCell(journal, epoch: 2, reattachMs: 3_000);
        var index = new TaskId(id).Slot;
        var word = next.Arena.Tasks.Read(index);
        var claimed = word.With(TaskState.Assigned, attempt);
        Assert.True(next.Arena.Tasks.TryStep(Role.Register, index, word, claimed));
        next.NowMs += 3_000;
        next.Turn();
        Assert.Equal(TaskState.Assigned, next.StateOf(id));
        next.Report(new(index, claimed), output: "from before");
        next.Turn();
        next.Sync();
        Assert.Equal("from before", FakeStream.ReadResult(next.Arena, index).Output);
    }

    [Fact]
    public void Restore_ReleasedTasks_StayGone()
    {
        var journal = new FakeJournal();
        ulong[] ids;
        using (var cell = NewCell(journal))
        {
            var stream = new FakeStream(cell.Arena);
            var session = cell.Open(Client, stream);
            (ids, _) = cell.Submit(session, stream, Durable(cell), "a", "b");
            foreach (var task in cell.Assign())
            {
                cell.Report(task, output: "r");
            }

            cell.Turn();
            cell.Sync();
            cell.Confirm(session, stream, 2);
            cell.DrainOthers();

            // The slots hold other tasks now.
            cell.Submit(session, stream, Durable(cell), "c");
            cell.Sync();
        }

        using var next = NewCell(journal, epoch: 2);
        Assert.All(ids, id => Assert.Equal(TaskState.Free, next.StateOf(id)));
        Assert.Equal(1u, next.Arena.Ready.Count);
        next.Core.CheckInvariants();
    }

    [Fact]
    public void Restore_MoreClientsThanRows_TasksStayWithTheirOwn()
    {
        var journal = new FakeJournal();
        ulong id;
        using (var cell = NewCell(journal))
        {
            var stream = new FakeStream(cell.Arena);
            var session = cell.Open(Client, stream);
            id = cell.Submit(session, stream, Durable(cell), "waits").Ids[0];
            var taken = cell.Assign();
            for (var other = 100ul; other < 100 + (2 * cell.Arena.Clients.Capacity); other++)
            {
                // Programs that come, have one task done, and go.
                var brief = new FakeStream(cell.Arena);
                var guest = cell.Open(other, brief);
                cell.Submit(guest, brief, Durable(cell), "passes");
                cell.Report(cell.Assign()[0]);
                cell.Turn();
                cell.Sync();
                cell.Confirm(guest, brief, 1);
                cell.Turn(core => core.LeaveSession(guest, brief));
                cell.DrainOthers();
            }

            Assert.Single(taken);
            cell.Sync();
        }

        using var next = NewCell(journal, epoch: 2);
        Assert.True(next.Recovered.IsNone, next.Recovered.Message);
        var again = new FakeStream(next.Arena);
        var resumed = next.Open(Client, again, out var known, 1, 1);
        Assert.Equal(id, Assert.Single(known).Id.Value);
        Assert.Equal(1ul, resumed.DecidedRef);
        next.Core.CheckInvariants();
    }

    [Fact]
    public void Restore_DiesInTheMiddle_TheSuccessorDoesItAgain()
    {
        var journal = new FakeJournal();
        using (var cell = NewCell(journal))
        {
            cell.Submit(null, null, Durable(cell), "a", "b");
            cell.Sync();
        }

        using var next = new PlmCell(new PlmOptions { ReattachMs = 0 }, epoch: 2, journal: journal);
        next.Arena.Set(CellCounter.Populated, 0);
        next.Restart();
        next.Turn();
        Assert.True(next.Recovered.IsNone);
        Assert.Equal(2u, next.Arena.Ready.Count);
    }

    [Fact]
    public void Restore_DiesBetweenFillingASlotAndItsStep_TheSuccessorFillsItAgain()
    {
        var journal = new FakeJournal();
        ulong id;
        using (var cell = NewCell(journal))
        {
            id = cell.Submit(null, null, Durable(cell), "a").Ids[0];
            cell.Sync();
        }

        using var next = NewCell(journal, epoch: 2);
        next.NowMs += 10_000;
        next.Turn();
        var slot = new TaskId(id).Slot;
        Assert.True(next.Arena.Ready.Remove(slot, next.Arena.Tasks.Read(slot)));
        var word = next.Arena.Tasks.Read(slot);
        Assert.True(next.Arena.Tasks.TryStep(
            Role.Plm, slot, word, word.With(TaskState.Free, Attempt.None)));
        next.Arena.Set(CellCounter.Populated, 0);
        next.Restart();
        next.NowMs += 10_000;
        next.Turn();
        Assert.Equal(TaskState.Ready, next.StateOf(id));
        next.Core.CheckInvariants();
    }

    [Fact]
    public void Restore_ArenaTooSmall_IsRefused()
    {
        var journal = new FakeJournal();
        var limits = new ArenaLimits
        {
            TasksMax = 4_096,
            WorkersMax = 16,
            ClientsMax = 16,
            PayloadBytesMax = 1 << 20,
            ResultBytesMax = 8 << 20,
        };
        using (var cell = new PlmCell(limits: limits, journal: journal))
        {
            cell.Submit(null, null, Durable(cell), Enumerable.Range(0, 2_000).Select(n => $"{n}").ToArray());
            cell.Sync();
        }

        using var next = NewCell(journal, epoch: 2);
        Assert.Equal(FaultCode.ArenaTooSmall, next.Recovered.Code);
    }

    [Fact]
    public void Restore_EpochNotAboveTheJournals_IsRefused()
    {
        var journal = new FakeJournal();
        using (NewCell(journal, epoch: 5))
        {
        }

        using var next = NewCell(journal, epoch: 5);
        Assert.Equal(FaultCode.StateFolderUnusable, next.Recovered.Code);
    }

    // Nobody claims what is held back, so it goes to the heap in the first turn.
    private static PlmCell NewCell(FakeJournal? journal = null, uint epoch = 1, long reattachMs = 0)
    {
        var options = new PlmOptions { ReattachMs = reattachMs };
        var cell = new PlmCell(options, epoch: epoch, journal: journal ?? new FakeJournal());
        cell.Turn();
        return cell;
    }

    private static TaskSpec Durable(PlmCell cell, uint attemptsMax = 0) =>
        cell.Spec((ref TaskOptionsView view) =>
        {
            view.Durability = DurabilityLevel.Durable;
            view.AttemptsMax = attemptsMax;
        });

    private static System.ReadOnlySpan<byte> PayloadOf(PlmCell cell, ulong id)
    {
        ref var slot = ref cell.SlotOf(id);
        return cell.Arena.Payloads.Bytes(slot.PayloadBlock, (int)slot.PayloadBytes);
    }
}
