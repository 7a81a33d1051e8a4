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
