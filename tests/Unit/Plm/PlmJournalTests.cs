// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>What waits for the journal, and what a fresh arena gets back from it.</summary>
public sealed class PlmJournalTests
{
    private const ulong Client = 7;

    [Fact]
    public void Submit_Durable_IsReachedOnlyOnceSynced()
    {
        using var cell = NewCell();
        var receipt = cell.Turn(core =>
        {
            var fault = core.BeginBatch(null, null, 0, 1, Durable(cell));
            Assert.True(fault.IsNone, fault.Message);
            core.AddItem("x"u8);
            return core.EndBatch().Sequence;
        });
        Assert.NotEqual(0ul, receipt);
        Assert.False(cell.Core.IsReached(receipt, DurabilityLevel.Durable));
        cell.Turn(core => core.JournalReached(receipt, 0));
        Assert.True(cell.Core.IsReached(receipt, DurabilityLevel.Relaxed));
        Assert.False(cell.Core.IsReached(receipt, DurabilityLevel.Durable));
        cell.Sync();
        Assert.True(cell.Core.IsReached(receipt, DurabilityLevel.Durable));

        // Scheduling waited for nothing.
        Assert.Equal(1u, cell.Arena.Ready.Count);
    }

    [Fact]
    public void Open_RefsThatAreNotSyncedYet_AreNotCalledKnown()
    {
        var journal = new FakeJournal();
        using var cell = NewCell(journal);
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        cell.Submit(session, stream, Durable(cell), "a", "b");
        Assert.Equal(FaultCode.Unavailable, Open().Code);
        cell.Sync();
        Assert.True(Open().IsNone);

        Fault Open() => cell.Turn(core => core.OpenSession(
            new SessionHello(7, "test", 0, 1, 2), new FakeStream(cell.Arena), [], out _));
    }

    [Fact]
    public void Submit_OneAttemptOnly_IsNotReadyBeforeTheJournalHasIt()
    {
        using var cell = NewCell();
        var spec = Durable(cell, attemptsMax: 1);
        var (ids, _) = cell.Submit(null, null, spec, "x");
        Assert.Equal(TaskState.Accepted, cell.StateOf(ids[0]));
        cell.Core.CheckInvariants();
        cell.Sync();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
    }

    [Fact]
    public void Submit_WithoutJournal_DurableIsRefused()
    {
        using var cell = new PlmCell();
        var (_, faults) = cell.Submit(null, null, Durable(cell), "x");
        Assert.Equal(FaultCode.FeatureUnsupported, faults[0].Fault.Code);
    }

    [Fact]
    public void Submit_JournalTakesNothing_IsRefusedAndLeavesNothing()
    {
        using var cell = NewCell();
        cell.Journal!.Refusal = new(FaultCode.DiskFull, "full", 50);
        var (ids, faults) = cell.Submit(null, null, Durable(cell), "x", "y");
        Assert.All(ids, id => Assert.Equal(0ul, id));
        Assert.All(faults, fault => Assert.Equal(FaultCode.DiskFull, fault.Fault.Code));
        Assert.Equal(0u, cell.Arena.Ready.Count);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Result_Durable_IsDeliveredOnlyOnceSynced()
    {
        using var cell = NewCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(Client, stream);
        cell.Submit(session, stream, Durable(cell), "x");
        cell.Sync();
        cell.Report(cell.Assign()[0], output: "y");
        cell.Turn();
        Assert.Empty(stream.Results);
        Assert.True(cell.Arena.Finished.ReadTotal > cell.Arena.Counter(CellCounter.FinishedSafe));
        cell.Core.CheckInvariants();
        cell.Sync();
        Assert.Equal("y", Assert.Single(stream.Results).Output);
        Assert.Equal(cell.Arena.Finished.ReadTotal, cell.Arena.Counter(CellCounter.FinishedSafe));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Result_JournalFarBehindItsDisk_StaysWithTheRegister()
    {
        using var cell = NewCell();
        var (ids, _) = cell.Submit(null, null, Durable(cell), "x");
        cell.Report(cell.Assign()[0]);
        cell.Journal!.IsOverrun = true;
        cell.Turn();
        Assert.Equal(TaskState.Reported, cell.StateOf(ids[0]));
        Assert.True(cell.Core.NextDueMs <= cell.NowMs + PlmLimits.RingRetryMs);
        cell.Journal.IsOverrun = false;
        cell.Turn();
        Assert.Equal(TaskState.Done, cell.StateOf(ids[0]));
    }

    [Fact]
    public void Result_MemoryWhileTheJournalIsOverrun_IsDeliveredAndTheOthersFollowInTheirOrder()
    {
        using var cell = NewCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(Client, stream);
        cell.Submit(session, stream, Durable(cell), "d1");
        cell.Submit(session, stream, cell.Spec(), "m");
        cell.Submit(session, stream, Durable(cell), "d2");
        cell.Sync();
        foreach (var task in cell.Assign())
        {
            cell.Report(task, output: $"{cell.Arena.Tasks[task.Slot].Ref}");
        }

        cell.Journal!.IsOverrun = true;
        cell.Turn();
        Assert.Equal("2", Assert.Single(stream.Results).Output);
        Assert.True(cell.Arena.Counter(CellCounter.FinishedSafe) < cell.Arena.Finished.WrittenTotal);

        // A Register that took over tells of them again.
        FinishedRecord again = new(FinishedRecord.Reported, 0, cell.Arena.Tasks[0].Generation);
        Assert.Equal(1, cell.Arena.Finished.TryWrite([again]));
        cell.Turn();
        cell.Journal.IsOverrun = false;
        cell.Turn();
        cell.Sync();
        Assert.Equal(["2", "1", "3"], stream.Results.Select(result => result.Output));
        cell.Turn();
        Assert.Equal(cell.Arena.Finished.WrittenTotal, cell.Arena.Counter(CellCounter.FinishedSafe));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Result_MemoryInACellWithAJournal_WaitsForNothing()
    {
        using var cell = NewCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(Client, stream);
        cell.Sync();
        cell.Submit(session, stream, cell.Spec(), "x");
        cell.Report(cell.Assign()[0], output: "y");
        cell.Turn();
        Assert.Single(stream.Results);
        Assert.Equal(cell.Arena.Finished.ReadTotal, cell.Arena.Counter(CellCounter.FinishedSafe));
        Assert.DoesNotContain(cell.Journal!.Texts, text => text.Contains("submitted", System.StringComparison.Ordinal));
    }

    [Fact]
    public void Await_EndedButNotSynced_Waits()
    {
        using var cell = NewCell();
        var (ids, _) = cell.Submit(null, null, Durable(cell), "x");
        cell.Report(cell.Assign()[0]);
        cell.Turn();
        var awaiter = new FakeAwaiter();
        var isDone = cell.Turn(core =>
        {
            Assert.True(core.Await(new TaskId(ids[0]), awaiter, out _, out var done).IsNone);
            return done;
        });
        Assert.False(isDone);
        cell.Sync();
        Assert.Equal(1, awaiter.Resolved);
    }

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

    [Fact]
    public void Snapshot_TellsWhatLives_SoThatOlderRecordsMayGo()
    {
        var journal = new FakeJournal();
        ulong[] ids;
        using (var cell = NewCell(journal))
        {
            var stream = new FakeStream(cell.Arena);
            var session = cell.Open(Client, stream);
            (ids, _) = cell.Submit(session, stream, Durable(cell), "a", "b", "c");
            foreach (var task in cell.Assign(2))
            {
                cell.Report(task, output: "r");
            }

            cell.Turn();
            cell.Sync();
            cell.Confirm(session, stream, 1);
            cell.Arena.Handlers.MeanUs(cell.Spec().Handler) = 250;
            cell.Turn(core => core.BeginSnapshot());
            cell.NowMs += 10;
            cell.Turn();
            cell.Sync();
            cell.Turn();
            Assert.NotEqual(0ul, journal.Forgotten);
        }

        using var next = NewCell(journal, epoch: 2);
        Assert.True(next.Recovered.IsNone, next.Recovered.Message);
        Assert.Equal(TaskState.Free, next.StateOf(ids[0]));
        Assert.Equal(TaskState.Done, next.StateOf(ids[1]));
        Assert.Equal(TaskState.Ready, next.StateOf(ids[2]));
        Assert.Equal("c"u8, PayloadOf(next, ids[2]));
        Assert.Equal(250, next.Arena.Handlers.MeanUs(next.Spec().Handler));
        var resumed = next.Open(Client, new FakeStream(next.Arena));
        Assert.Equal(3ul, resumed.DecidedRef);
    }

    [Fact]
    public void Snapshot_OfATaskThatCameBackEnded_KeepsItsResult()
    {
        var journal = new FakeJournal();
        ulong id;
        using (var cell = NewCell(journal))
        {
            id = cell.Submit(null, null, Durable(cell), "a").Ids[0];
            cell.Report(cell.Assign()[0], output: "kept");
            cell.Turn();
            cell.Sync();
        }

        using (var second = NewCell(journal, epoch: 2))
        {
            second.Turn(core => core.BeginSnapshot());
            second.NowMs += 10;
            second.Turn();
            second.Sync();
            second.Turn();
        }

        using var third = NewCell(journal, epoch: 3);
        Assert.Equal(TaskState.Done, third.StateOf(id));
        Assert.Equal("kept", FakeStream.ReadResult(third.Arena, new TaskId(id).Slot).Output);
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
