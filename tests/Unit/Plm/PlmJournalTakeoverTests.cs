// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Journal;
using Muster.Plm;
using Muster.Plm.Facts;
using Muster.Server.PlmHosting;
using Muster.Shared.Journal;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>What a takeover tells the journal, and that nobody commits it meanwhile but itself.</summary>
public sealed class PlmJournalTakeoverTests
{
    private const ulong Client = 7;

    [Fact]
    public void Append_MoreThanMayWait_IsWrittenMeanwhile()
    {
        const int Records = 100;
        var disk = new MemoryDisk();
        var options = new JournalOptions { SegmentBytes = 8 << 20, UnixUs = () => 1, NextRandom = () => 5 };
        var fault = FileJournal.TryOpen(disk, options, out var log);
        Assert.True(fault.IsNone, fault.Message);
        var journal = new PlmJournal(log!, snapshotBytesMin: 1 << 20);
        var body = new byte[1 << 20];
        for (var record = 0; record < Records; record++)
        {
            journal.Append(RecordKind.Turn, body);
            Assert.False(journal.IsOverrun);
        }

        // Then it is the thread's alone.
        journal.LeaveCommits();
        var written = log!.WrittenSequence;
        journal.Append(RecordKind.Turn, body);
        journal.Append(RecordKind.Turn, body);
        Assert.Equal(written, log.WrittenSequence);
        log.Close();
        log.Dispose();
        Assert.True(FileJournal.TryOpen(disk, options, out log).IsNone);
        var replayed = 0;
        Assert.True(log!.Replay((in JournalRecord _) => replayed++).IsNone);
        Assert.Equal(Records + 2, replayed);
        log.Dispose();
    }

    [Fact]
    public void Takeover_OfTheLivingArena_TellsAgainWhatMayNotHaveBeenSynced()
    {
        var journal = new FakeJournal();
        using var cell = NewCell(journal);
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(Client, stream);
        var (ids, _) = cell.Submit(session, stream, Durable(cell), "safe", "not safe");
        cell.Sync();
        var unsafeId = cell.Submit(session, stream, Durable(cell), "not synced").Ids[0];
        cell.Report(cell.Assign(1)[0], output: "r");
        cell.Turn();

        // The process dies, and what it had appended with it; the arena lives.
        journal.LosePower();
        cell.Restart();
        var second = new FakeStream(cell.Arena);
        cell.Open(Client, second);
        Assert.Empty(second.Results);
        cell.Sync();
        Assert.Equal("r", Assert.Single(second.Results).Output);
        cell.Core.CheckInvariants();

        using var next = NewCell(journal, epoch: 2);
        Assert.Equal(TaskState.Done, next.StateOf(ids[0]));
        Assert.Equal(TaskState.Ready, next.StateOf(unsafeId));
    }

    [Fact]
    public void Takeover_JournalWasReplaced_TellsEverything()
    {
        using var cell = NewCell();
        var (ids, _) = cell.Submit(null, null, Durable(cell), "a", "b");
        cell.Sync();
        var other = new FakeJournal { Lineage = 78 };
        using var again = new PlmCell(cell.Arena, other);
        again.Restart();
        Assert.True(again.Core.TellEverything);
        again.Sync();
        again.Turn();
        Assert.False(again.Core.TellEverything);

        // What it may hold of its own is not ours to forget.
        Assert.Equal(0ul, other.Forgotten);

        // The epoch too, so that no arena after it gives its ids again.
        using var low = NewCell(other, epoch: 1);
        Assert.Equal(FaultCode.StateFolderUnusable, low.Recovered.Code);
        using var next = NewCell(other, epoch: 2);
        Assert.All(ids, id => Assert.Equal(TaskState.Ready, next.StateOf(id)));
    }

    [Fact]
    public void Takeover_JournalOfAnotherCell_IsRefusedAndNothingIsChanged()
    {
        var other = new FakeJournal { Lineage = 78 };
        using (var elsewhere = NewCell(other))
        {
            elsewhere.Submit(null, null, Durable(elsewhere), "theirs");
            elsewhere.Sync();
        }

        var journal = new FakeJournal();
        using var cell = NewCell(journal);
        var id = cell.Submit(null, null, Durable(cell), "ours").Ids[0];
        cell.Sync();
        var told = other.Texts.Count();
        using var wrong = new PlmCell(cell.Arena, other);
        wrong.Restart();
        Assert.Equal(FaultCode.StateFolderUnusable, wrong.Recovered.Code);
        Assert.Equal(told, other.Texts.Count());
        Assert.Equal(journal.Lineage, cell.Arena.Counter(CellCounter.JournalLineage));

        // With its own journal it goes on.
        cell.Restart();
        cell.Turn();
        Assert.True(cell.Recovered.IsNone, cell.Recovered.Message);
        Assert.Equal(TaskState.Ready, cell.StateOf(id));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Takeover_FailureThatWasNotSynced_IsToldAgain()
    {
        var journal = new FakeJournal();
        using var cell = NewCell(journal);
        var id = cell.Submit(null, null, Durable(cell, attemptsMax: 3), "x").Ids[0];
        cell.Sync();
        cell.Report(Assert.Single(cell.Assign()), Outcome.Failed, error: "boom");
        cell.Turn();
        Assert.Equal(1, cell.SlotOf(id).AttemptsFailed);

        // Nobody waits for that fact, so nobody would tell it again.
        journal.LosePower();
        cell.Restart();
        cell.Sync();
        using var next = NewCell(journal, epoch: 2);
        Assert.Equal((TaskState.Ready, 1), (next.StateOf(id), next.SlotOf(id).AttemptsFailed));
    }

    [Fact]
    public void Takeover_JournalWasCut_DoesNotBringBackWhatIsGone()
    {
        var journal = new FakeJournal();
        using var cell = NewCell(journal);
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(Client, stream);
        var (ids, _) = cell.Submit(session, stream, Durable(cell), "ends", "stays");
        cell.Sync();
        var cut = journal.LastSequence;
        cell.Report(cell.Assign(1)[0], output: "r");
        cell.Turn();
        cell.Sync();
        cell.Confirm(session, stream, 1);
        cell.Sync();
        Assert.Equal(TaskState.Free, cell.StateOf(ids[0]));

        // A repair cuts off that it ended. Whoever dies before all is told leaves it to the next.
        journal.Synced = cut;
        journal.LosePower();
        cell.Restart();
        Assert.True(cell.Core.TellEverything);
        journal.LosePower();
        cell.Restart();
        Assert.True(cell.Core.TellEverything);
        cell.Sync();
        cell.Turn();
        Assert.False(cell.Core.TellEverything);
        Assert.NotEqual(0ul, journal.Forgotten);
        cell.Restart();
        Assert.False(cell.Core.TellEverything);

        using var next = NewCell(journal, epoch: 2);
        Assert.Equal((TaskState.Free, TaskState.Ready), (next.StateOf(ids[0]), next.StateOf(ids[1])));
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
}
