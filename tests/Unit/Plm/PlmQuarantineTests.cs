// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>Tasks whose workers die under them.</summary>
public sealed class PlmQuarantineTests
{
    private const ulong Client = 7;

    [Fact]
    public void Crash_ThreeWorkers_QuarantinesWithWhatIsKnown()
    {
        using var cell = NewCell(slots: 1);
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "poison");
        Crash(cell, row: 0);
        Assert.Equal((TaskState.Ready, 1), (cell.StateOf(ids[0]), cell.SlotOf(ids[0]).Crashes));
        Crash(cell, row: 1);
        Crash(cell, row: 0);

        Assert.Equal(TaskState.Done, cell.StateOf(ids[0]));
        var result = FakeStream.ReadResult(cell.Arena, new TaskId(ids[0]).Slot);
        Assert.Equal(Outcome.Quarantined, result.Outcome);
        Assert.Contains("TASK_QUARANTINED", result.Error, StringComparison.Ordinal);
        Assert.Contains("3 worker processes died", result.Error, StringComparison.Ordinal);
        Assert.Equal(3, result.Error.Split("(process 4711 on host").Length - 1);
        Assert.Equal(1ul, cell.Arena.Counter(CellCounter.Quarantined));
        Assert.Equal(0, cell.SlotOf(ids[0]).AttemptsFailed);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Crash_AfterTheFirst_RunsAlone()
    {
        using var cell = NewCell(slots: 1);
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "suspect");
        Assert.False(ClassOf(cell, ids[0]).IsAlone);
        Crash(cell, row: 0);
        Assert.True(ClassOf(cell, ids[0]).IsAlone);
        Assert.Equal(ids[0], cell.Arena.Tasks.IdOf(Assert.Single(cell.Assign()).Slot).Value);
    }

    [Fact]
    public void Crash_TasksThatWaitedOnTheWorker_AreNotCharged()
    {
        using var cell = NewCell(slots: 2);
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "a", "b", "c", "d");
        cell.Assign(2);
        cell.NowMs += 5;
        cell.Assign(2);
        Die(cell, row: 0);
        cell.Turn();
        Assert.Equal([1, 1, 0, 0], ids.Select(id => (int)cell.SlotOf(id).Crashes));
        Assert.Equal([0, 0, 1, 1], ids.Select(id => (int)cell.SlotOf(id).AttemptsLost));
        Assert.All(ids, id => Assert.Equal(TaskState.Ready, cell.StateOf(id)));
    }

    [Fact]
    public void Crash_TaskThatWasSaidToRun_IsChargedBeforeOlderOnes()
    {
        using var cell = NewCell(slots: 1);
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "a", "b");
        cell.Assign(1);
        cell.NowMs += 5;
        var second = Assert.Single(cell.Assign(1));
        Assert.True(cell.Arena.Tasks.TryStep(
            Role.Register, second.Slot, second.Word, second.Word.With(TaskState.Running)));
        Die(cell, row: 0);
        cell.Turn();
        Assert.Equal([0, 1], ids.Select(id => (int)cell.SlotOf(id).Crashes));
    }

    [Fact]
    public void Loss_WithoutADeadProcess_ChargesNobody()
    {
        using var cell = NewCell(slots: 1);
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        cell.Assign();
        cell.Arena.Workers[0].HealthReason = (uint)WorkerReason.LeaseExpired;
        cell.LoseWorker(0);
        cell.Turn();
        Assert.Equal((0, 1), (cell.SlotOf(ids[0]).Crashes, cell.SlotOf(ids[0]).AttemptsLost));
    }

    [Fact]
    public void Crash_ProcessLivesAfterAll_IsNotHeldAgainstTheTask()
    {
        using var cell = NewCell(slots: 1);
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        for (var round = 1; round <= 4; round++)
        {
            Crash(cell, row: 0, WorkerReason.ConnectionsClosed);
            Assert.Equal((1, round - 1), (cell.SlotOf(ids[0]).Crashes, cell.SlotOf(ids[0]).AttemptsLost));
            Live(cell, row: 0);
            Assert.Equal((0, round), (cell.SlotOf(ids[0]).Crashes, cell.SlotOf(ids[0]).AttemptsLost));
        }

        // Said again, or of a row that nobody died on, it changes nothing.
        Live(cell, row: 0);
        Live(cell, row: 1);
        Assert.Equal((0, 4), (cell.SlotOf(ids[0]).Crashes, cell.SlotOf(ids[0]).AttemptsLost));
        Crash(cell, row: 0);
        Crash(cell, row: 1, WorkerReason.ConnectionsClosed);
        Crash(cell, row: 0);
        Assert.Equal((byte)Outcome.Quarantined, cell.SlotOf(ids[0]).Outcome);
        Live(cell, row: 1);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Crash_PlacedAfterTheDeath_ChargesNobody()
    {
        using var cell = NewCell(slots: 1);
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        Die(cell, row: 0);
        cell.NowMs += 1;
        cell.Assign();
        cell.Turn();
        Assert.Equal((0, 1), (cell.SlotOf(ids[0]).Crashes, cell.SlotOf(ids[0]).AttemptsLost));
    }

    [Fact]
    public void Crash_OneAttemptOnly_EndsLostAndNotQuarantined()
    {
        using var cell = NewCell(slots: 1);
        var (ids, _) = cell.Submit(null, null, cell.Spec((ref TaskOptionsView view) => view.AttemptsMax = 1), "x");
        Crash(cell, row: 0);
        Assert.Equal((byte)Outcome.Failed, cell.SlotOf(ids[0]).Outcome);
        Assert.Equal((ushort)FaultCode.WorkerLost, cell.SlotOf(ids[0]).EndFault);
    }

    [Fact]
    public void Quarantine_OfASession_OutlivesItsConfirmation()
    {
        using var cell = NewCell(slots: 1);
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(Client, stream);
        var (ids, _) = cell.Submit(session, stream, cell.Spec(), "poison");
        Poison(cell);
        Assert.Equal(Outcome.Quarantined, Assert.Single(stream.Results).Outcome);
        Assert.True(cell.Confirm(session, stream, 1).IsNone);
        Assert.Equal(TaskState.Done, cell.StateOf(ids[0]));
        Assert.Equal(0u, session.Outstanding);
        cell.Core.CheckInvariants();

        cell.NowMs += new PlmOptions().QuarantineKeptMs;
        cell.Turn();
        Assert.Equal(TaskState.Free, cell.StateOf(ids[0]));
        Assert.Equal(0, cell.Arena.Payloads.UsedBytes);
    }

    [Fact]
    public void Quarantine_Released_IsForgottenAtOnce()
    {
        using var cell = NewCell(slots: 1);
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "poison");
        Poison(cell);
        Assert.Equal(1, cell.Turn(core => core.ReleaseTasks([ids[0]])));
        Assert.Equal(TaskState.Free, cell.StateOf(ids[0]));
        Assert.Equal(0, cell.Arena.Payloads.UsedBytes);
    }

    [Theory]
    [InlineData("poison")]
    [InlineData("")]
    public void Retry_Quarantined_IsANewTaskWithItsPayloadAndNothingHeldAgainstIt(string payload)
    {
        using var cell = NewCell(slots: 1);
        var spec = cell.Spec((ref TaskOptionsView view) =>
            (view.AttemptsMax, view.TimeoutMs, view.HasPriority, view.Priority) = (5, 1_234, true, 6));
        var (ids, _) = cell.Submit(null, null, spec, payload);
        Poison(cell);
        var newId = Retry(cell, ids[0]);
        Assert.Equal(TaskState.Free, cell.StateOf(ids[0]));

        ref var slot = ref cell.SlotOf(newId);
        var profile = cell.Arena.Profiles[slot.Profile];
        Assert.Equal((0, 5, 1_234u, 6), (slot.Crashes, profile.AttemptsMax, profile.TimeoutMs, profile.Priority));
        Assert.False(ClassOf(cell, newId).IsAlone);
        Assert.Equal(
            payload,
            Encoding.UTF8.GetString(cell.Arena.Payloads.Bytes(slot.PayloadBlock, (int)slot.PayloadBytes)));
        cell.Report(Assert.Single(cell.Assign()), output: "fine");
        cell.Turn();
        Assert.Equal((byte)Outcome.Succeeded, slot.Outcome);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Retry_AskedAgain_AnswersTheSameTask()
    {
        using var cell = NewCell(slots: 1);
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "poison");
        Poison(cell);
        var newId = Retry(cell, ids[0]);
        Assert.Equal(newId, Retry(cell, ids[0]));
        Assert.Equal(1u, cell.Arena.Ready.Count);
    }

    [Fact]
    public void Retry_NotQuarantined_IsRefused()
    {
        using var cell = NewCell(slots: 1);
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        Assert.Equal(
            FaultCode.InvalidArgument, cell.Turn(core => core.Retry(new TaskId(ids[0]), out _, out _)).Code);
        Assert.Equal(FaultCode.TaskNotFound, cell.Turn(core => core.Retry(new TaskId(99), out _, out _)).Code);
    }

    [Fact]
    public void Retry_ClientHasNotConfirmed_ForgetsTheTaskWithTheConfirmation()
    {
        using var cell = NewCell(slots: 1);
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(Client, stream);
        var (ids, _) = cell.Submit(session, stream, cell.Spec(), "poison");
        Poison(cell);
        var newId = Retry(cell, ids[0]);
        Assert.Equal(TaskState.Done, cell.StateOf(ids[0]));
        cell.Confirm(session, stream, 1);
        Assert.Equal((TaskState.Free, TaskState.Ready), (cell.StateOf(ids[0]), cell.StateOf(newId)));
    }

    [Fact]
    public void Quarantine_PlmDiesBetweenItsStores_EndsTheSame()
    {
        using var cell = NewCell(slots: 1);
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "poison");
        Poison(cell);
        var before = FakeStream.ReadResult(cell.Arena, new TaskId(ids[0]).Slot);

        // As if the predecessor had come to the step and the new block, and no further.
        ref var slot = ref cell.SlotOf(ids[0]);
        (slot.Outcome, slot.Flags, slot.EndFault) = (0, 0, (ushort)FaultCode.TaskQuarantined);
        cell.Restart();
        Assert.Equal(before, FakeStream.ReadResult(cell.Arena, new TaskId(ids[0]).Slot));

        // And as if it had come to the step alone: the payload lies where it did.
        (slot.Outcome, slot.Flags, slot.EndFault) = (0, 0, (ushort)FaultCode.TaskQuarantined);
        Encoding.UTF8.GetBytes("raw").CopyTo(cell.Arena.Payloads.Bytes(slot.PayloadBlock, 3));
        slot.SetPayload(slot.PayloadBlock, slot.PayloadBytes);
        cell.Restart();
        Assert.Equal((byte)Outcome.Quarantined, slot.Outcome);
        Assert.Contains(
            "before the PLM was restarted",
            FakeStream.ReadResult(cell.Arena, new TaskId(ids[0]).Slot).Error,
            StringComparison.Ordinal);
        cell.Turn();
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Crash_ArenaMadeAnew_IsCountedOn()
    {
        var journal = new FakeJournal();
        ulong id;
        using (var cell = NewCell(slots: 1, journal))
        {
            id = cell.Submit(null, null, Durable(cell), "poison").Ids[0];
            cell.Sync();
            Crash(cell, row: 0);
            Crash(cell, row: 1);
            cell.Sync();
        }

        using var next = NewCell(slots: 1, journal, epoch: 2);
        next.Arena.Add(CellCounter.RegisterStarts, 1);
        next.Turn();
        next.NowMs += new PlmOptions().ReattachMs;
        next.Turn();
        Assert.Equal((TaskState.Ready, 2), (next.StateOf(id), next.SlotOf(id).Crashes));
        Assert.True(ClassOf(next, id).IsAlone);
        Crash(next, row: 0);
        next.Sync();
        Assert.Equal((byte)Outcome.Quarantined, next.SlotOf(id).Outcome);
    }

    [Fact]
    public void Crash_ProcessLivesAfterAll_IsNotHeldAgainstTheTaskInANewArenaEither()
    {
        var journal = new FakeJournal();
        ulong id;
        using (var cell = NewCell(slots: 1, journal))
        {
            id = cell.Submit(null, null, Durable(cell), "x").Ids[0];
            cell.Sync();
            Crash(cell, row: 0);
            Crash(cell, row: 1, WorkerReason.ConnectionsClosed);
            Live(cell, row: 1);
            cell.Sync();
        }

        using var next = NewCell(slots: 1, journal, epoch: 2);
        Assert.Equal((1, 1), (next.SlotOf(id).Crashes, next.SlotOf(id).AttemptsLost));
    }

    [Fact]
    public void Quarantine_ArenaMadeAnew_IsKeptAndCanBeRetried()
    {
        var journal = new FakeJournal();
        ulong id;
        using (var cell = NewCell(slots: 1, journal))
        {
            id = cell.Submit(null, null, Durable(cell), "poison").Ids[0];
            cell.Sync();
            Poison(cell);
            cell.Sync();
        }

        using var next = NewCell(slots: 1, journal, epoch: 2);
        next.Turn();
        Assert.Equal((byte)Outcome.Quarantined, next.SlotOf(id).Outcome);
        var newId = Retry(next, id);
        ref var slot = ref next.SlotOf(newId);
        Assert.Equal("poison", Encoding.UTF8.GetString(next.Arena.Payloads.Bytes(slot.PayloadBlock, 6)));
    }

    [Fact]
    public void Failure_Journaled_NamesTheAttemptThatIsOver()
    {
        var journal = new FakeJournal();
        TakenTask failed;
        ulong id;
        using (var cell = NewCell(slots: 1, journal))
        {
            id = cell.Submit(null, null, Durable(cell), "x").Ids[0];
            cell.Sync();
            failed = Assert.Single(cell.Assign());
            cell.Report(failed, Outcome.Failed, error: "boom");
            cell.Turn();
            cell.Sync();
        }

        // A worker that outlived the arena may claim a later attempt, never the one that was counted.
        using var next = NewCell(slots: 1, journal, epoch: 2);
        Assert.True(next.Arena.Tasks.TryFind(new TaskId(id), out _, out var word));
        Assert.Equal((TaskState.Accepted, failed.Word.Attempt), (word.State, word.Attempt));
        Assert.Equal(1, next.SlotOf(id).AttemptsFailed);
    }

    private static PlmCell NewCell(uint slots, FakeJournal? journal = null, uint epoch = 1)
    {
        var cell = new PlmCell(epoch: epoch, journal: journal);
        for (var row = 0u; row < 2; row++)
        {
            cell.Arena.Workers[row].Slots = slots;
            cell.Arena.Workers[row].Pid = 4711;
            cell.Arena.Workers.SetTexts(row, $"worker-{row}", "host", "1");
        }

        return cell;
    }

    private static TaskSpec Durable(PlmCell cell) =>
        cell.Spec((ref TaskOptionsView view) => view.Durability = DurabilityLevel.Durable);

    // Places all that is ready on the row's worker, which dies at once and is replaced.
    private static void Crash(PlmCell cell, uint row, WorkerReason reason = WorkerReason.ProcessExited)
    {
        cell.NowMs += 10;
        cell.Assign(row: row);
        cell.NowMs += 10;
        Die(cell, row, reason);
        cell.Turn();
        cell.Arena.Workers[row].Health = (uint)WorkerHealth.Alive;
        cell.Arena.Workers[row].HealthReason = (uint)WorkerReason.Registered;
    }

    private static void Poison(PlmCell cell)
    {
        Crash(cell, row: 0);
        Crash(cell, row: 1);
        Crash(cell, row: 0);
    }

    private static void Live(PlmCell cell, uint row)
    {
        var record = new FinishedRecord(FinishedRecord.WorkerLived, row, cell.Arena.Workers[row].Epoch - 1);
        Assert.Equal(1, cell.Arena.Finished.TryWrite([record]));
        cell.Turn();
    }

    private static void Die(PlmCell cell, uint row, WorkerReason reason = WorkerReason.ProcessExited)
    {
        ref var worker = ref cell.Arena.Workers[row];
        var old = worker.Epoch++;
        worker.Health = (uint)WorkerHealth.Gone;
        worker.HealthReason = (uint)reason;
        worker.HealthSinceUnixUs = cell.Now.UnixUs;
        Assert.Equal(1, cell.Arena.Finished.TryWrite([new FinishedRecord(FinishedRecord.WorkerLost, row, old)]));
    }

    private static ulong Retry(PlmCell cell, ulong id)
    {
        ulong newId = 0;
        var fault = cell.Turn(core => core.Retry(new TaskId(id), out newId, out _));
        Assert.True(fault.IsNone, fault.Message);
        return newId;
    }

    private static TaskClass ClassOf(PlmCell cell, ulong id) => cell.Arena.Ready.ClassOf(cell.SlotOf(id).Class);
}
