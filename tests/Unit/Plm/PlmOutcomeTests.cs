// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

public sealed class PlmOutcomeTests
{
    [Fact]
    public void Failure_WithAttemptsLeft_IsRepeatedAfterDoublingDelays()
    {
        using var cell = new PlmCell();
        var spec = cell.Spec((ref TaskOptionsView view) => (view.AttemptsMax, view.RetryDelayMs) = (4, 100));
        var (ids, _) = cell.Submit(null, null, spec, "x");
        foreach (var delayMs in new[] { 100, 200, 400 })
        {
            cell.Report(Assert.Single(cell.Assign()), Outcome.Failed, error: "boom");
            cell.Turn();
            Assert.Equal(TaskState.Delayed, cell.StateOf(ids[0]));
            cell.NowMs += delayMs - 1;
            cell.Turn();
            Assert.Equal(TaskState.Delayed, cell.StateOf(ids[0]));
            cell.NowMs += 1;
            cell.Turn();
            Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        }

        var last = Assert.Single(cell.Assign());
        cell.Report(last, Outcome.Failed, output: "half", error: "last boom");
        cell.Turn();
        var result = FakeStream.ReadResult(cell.Arena, last.Slot);
        Assert.Equal((Outcome.Failed, "half", "last boom"), (result.Outcome, result.Output, result.Error));
        Assert.Equal(3ul, cell.Arena.Counter(CellCounter.Retried));
        cell.DrainOthers();
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Failure_WithoutDelay_IsReadyInTheSameTurn()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        var first = cell.Assign()[0];
        cell.Report(first, Outcome.Failed, error: "boom");
        cell.Turn();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        var second = cell.Assign()[0];
        Assert.True(second.Word.Attempt.Value > first.Word.Attempt.Value);
        cell.Report(second, output: "ok");
        cell.Turn();
        Assert.Equal((byte)Outcome.Succeeded, cell.SlotOf(ids[0]).Outcome);
        Assert.Equal(2, cell.SlotOf(ids[0]).Executions);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Timeout_AttemptsExhausted_EndsTimedOut()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec((ref TaskOptionsView view) => view.AttemptsMax = 2), "x");
        cell.Report(cell.Assign()[0], Outcome.TimedOut);
        cell.Turn();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        cell.Report(cell.Assign()[0], Outcome.TimedOut);
        cell.Turn();
        Assert.Equal((byte)Outcome.TimedOut, cell.SlotOf(ids[0]).Outcome);
        Assert.Equal(1ul, cell.Arena.Counter(CellCounter.TimedOut));
    }

    [Fact]
    public void Failure_AttemptNumbersNearlyUsedUp_EndsTheTask()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec((ref TaskOptionsView view) => view.AttemptsMax = 100), "x");
        var task = cell.Assign()[0];
        var attempt = new Attempt((cell.Arena.Epoch << Attempt.CountBits) | Attempt.RepeatableCountMax);
        var word = task.Word.With(TaskState.Assigned, attempt);
        cell.SlotOf(ids[0]).State = word.Value;
        Assert.True(cell.Report(new(task.Slot, word), Outcome.Failed, error: "boom"));
        cell.Turn();
        Assert.Equal(TaskState.Done, cell.StateOf(ids[0]));
        Assert.Equal((byte)Outcome.Failed, cell.SlotOf(ids[0]).Outcome);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Failure_RingOfFreedResultsFull_IsRepeatedOnceThereIsRoom()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x", "y");
        var taken = cell.Assign();
        FillFreed(cell);
        cell.Report(taken[0], Outcome.Failed, error: "boom");
        cell.Report(taken[1], output: "fine");
        cell.Turn();
        Assert.Equal(TaskState.Reported, cell.StateOf(ids[0]));
        Assert.Equal(1, cell.Turn(core => core.ReleaseTasks([ids[1]])));
        Assert.Equal(FaultCode.TaskNotFound, cell.Core.Find(new TaskId(ids[1]), out _, out _).Code);
        Assert.Equal(TaskState.Done, cell.StateOf(ids[1]));
        Assert.True(cell.Core.NextDueMs <= cell.NowMs + PlmLimits.RingRetryMs);
        EmptyFreed(cell, 2);
        cell.NowMs += PlmLimits.RingRetryMs;
        cell.Turn();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        Assert.Equal(TaskState.Free, cell.StateOf(ids[1]));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Cancel_FailedAttemptThatWaitsForTheRing_EndsCancelledAndKeepsItsBlock()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        FillFreed(cell);
        cell.Report(cell.Assign()[0], Outcome.Failed, error: "boom");
        cell.Turn();
        Assert.Equal(CancelAnswer.Cancelled, cell.Cancel(ids[0]));
        Assert.Equal(
            (Outcome.Cancelled, "TaskCancelled"),
            (FakeStream.ReadResult(cell.Arena, new TaskId(ids[0]).Slot).Outcome,
             FakeStream.ReadResult(cell.Arena, new TaskId(ids[0]).Slot).Error));
        EmptyFreed(cell, int.MaxValue);
        cell.Turn(core => core.ReleaseTasks([ids[0]]));
        cell.DrainOthers();
        Assert.Equal(0, cell.ResultBytesUsed);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void WorkerLost_ReturnsItsAttemptsAndNoOthers()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "a", "b", "c");
        var lost = cell.Assign(2, row: 0);
        var kept = cell.Assign(1, row: 1);
        var word = cell.Arena.Tasks.Read(lost[1].Slot);
        Assert.True(cell.Arena.Tasks.TryStep(Role.Register, lost[1].Slot, word, word.With(TaskState.Running)));
        cell.LoseWorker(0);
        cell.Turn();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[1]));
        Assert.Equal(TaskState.Assigned, cell.StateOf(ids[2]));
        Assert.False(cell.Report(lost[0], output: "late"));
        Assert.True(cell.Report(kept[0]));
        Assert.Equal(2ul, cell.Arena.Counter(CellCounter.LostAttempts));
        cell.Turn();
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void WorkerLost_RecordOfAnEarlierRegistration_LeavesTheAttemptsOfTheLivingOne()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "a");
        cell.Arena.Workers[0].Epoch = 5;
        cell.Assign(1, row: 0);
        Assert.Equal(1, cell.Arena.Finished.TryWrite([new FinishedRecord(FinishedRecord.WorkerLost, 0, 3)]));
        cell.Turn();
        Assert.Equal(TaskState.Assigned, cell.StateOf(ids[0]));
        Assert.Equal(0ul, cell.Arena.Counter(CellCounter.LostAttempts));
        cell.LoseWorker(0);
        cell.Turn();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void WorkerLost_TaskWithOneAttempt_EndsFailed()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec((ref TaskOptionsView view) => view.AttemptsMax = 1), "x");
        cell.Assign();
        cell.LoseWorker(0);
        cell.Turn();
        var result = FakeStream.ReadResult(cell.Arena, new TaskId(ids[0]).Slot);
        Assert.Equal((Outcome.Failed, "WorkerLost"), (result.Outcome, result.Error));
    }

    [Fact]
    public void WorkerLost_TooOften_EndsFailed()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        for (var losses = 0; losses < TaskLimits.LostAttemptsMax; losses++)
        {
            cell.Assign();
            cell.LoseWorker(0);
            cell.Turn();
            Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        }

        cell.Assign();
        cell.LoseWorker(0);
        cell.Turn();
        Assert.Equal(TaskState.Done, cell.StateOf(ids[0]));
        Assert.Equal((ushort)FaultCode.WorkerLost, cell.SlotOf(ids[0]).EndFault);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void WorkerLost_AttemptPlacedAfterTheScan_IsFoundByTheSweep()
    {
        using var cell = new PlmCell();
        cell.LoseWorker(0);
        cell.Turn();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        cell.Assign();
        cell.Turn();
        Assert.Equal(TaskState.Assigned, cell.StateOf(ids[0]));
        cell.NowMs += PlmLimits.OrphanSweepMs;
        cell.Turn();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
    }

    [Fact]
    public void Expiry_NotStarted_EndsExpired()
    {
        using var cell = new PlmCell();
        var spec = cell.Spec((ref TaskOptionsView view) => view.ExpiresAfterMs = 100);
        var (ids, _) = cell.Submit(null, null, spec, "x", "y");
        var started = cell.Assign(1);
        cell.NowMs += 100;
        cell.Turn();
        Assert.Equal(TaskState.Assigned, cell.StateOf(ids[0]));
        Assert.Equal((byte)Outcome.Expired, cell.SlotOf(ids[1]).Outcome);
        Assert.Equal(0ul, cell.Arena.Ready.Count);

        // It started in time, so a repetition does not expire.
        cell.Report(started[0], Outcome.Failed);
        cell.Turn();
        cell.NowMs += 1_000;
        cell.Turn();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Cancel_InEachState_AnswersAndNeverShowsALateResult()
    {
        using var cell = new PlmCell();
        var spec = cell.Spec((ref TaskOptionsView view) => view.RetryDelayMs = 1_000);
        var (ids, _) = cell.Submit(null, null, spec, "done", "delayed", "running", "assigned", "ready");
        var taken = cell.Assign(4);
        cell.Report(taken[0], output: "ok");
        cell.Report(taken[1], Outcome.Failed);
        var word = cell.Arena.Tasks.Read(taken[2].Slot);
        cell.Arena.Tasks.TryStep(Role.Register, taken[2].Slot, word, word.With(TaskState.Running));
        cell.Turn();
        Assert.Equal(CancelAnswer.AlreadyDone, cell.Cancel(ids[0]));
        foreach (var id in ids.Skip(1))
        {
            Assert.Equal(CancelAnswer.Cancelled, cell.Cancel(id));
            Assert.Equal(CancelAnswer.AlreadyCancelled, cell.Cancel(id));
        }

        Assert.Equal(CancelAnswer.NotFound, cell.Cancel(12345));
        Assert.Equal(0ul, cell.Arena.Ready.Count);
        cell.DrainOthers();
        Assert.Equal([ids[2], ids[3]], cell.Cancels.Select(cancel => cancel.TaskId));
        Assert.Equal(taken[2].Word.Attempt.Value, cell.Cancels[0].Attempt);
        Assert.False(cell.Report(taken[2], output: "late"));
        Assert.False(cell.Report(taken[3], output: "late"));
        cell.NowMs += 2_000;
        cell.Turn();
        Assert.All(ids.Skip(1), id => Assert.Equal((byte)Outcome.Cancelled, cell.SlotOf(id).Outcome));
        Assert.Equal(4ul, cell.Arena.Counter(CellCounter.Cancelled));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Cancel_SubmittedInTheSameTurn_EndsCancelled()
    {
        using var cell = new PlmCell();
        var spec = cell.Spec();
        var answers = new CancelAnswer[1];
        var ids = cell.Turn(core =>
        {
            var (made, _) = PlmCell.SubmitIn(core, null, null, spec, "x");
            core.Cancel(made, answers);
            return made;
        });
        Assert.Equal(CancelAnswer.Cancelled, answers[0]);
        Assert.Equal(TaskState.Done, cell.StateOf(ids[0]));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Cancel_ResultReportedButNotJudged_TheResultWins()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x", "y");
        var taken = cell.Assign();
        cell.Report(taken[0], output: "ok");
        cell.Report(taken[1], Outcome.Failed, error: "boom");
        Assert.Equal(CancelAnswer.AlreadyDone, cell.Cancel(ids[0]));
        Assert.Equal(CancelAnswer.Cancelled, cell.Cancel(ids[1]));
        Assert.Equal((byte)Outcome.Succeeded, cell.SlotOf(ids[0]).Outcome);
        cell.Turn();
        cell.Core.CheckInvariants();
    }

    private static void FillFreed(PlmCell cell)
    {
        while (cell.Arena.Freed.TryWrite([new FreedRecord(0, 0, 0)]) == 1)
        {
        }
    }

    private static void EmptyFreed(PlmCell cell, int count)
    {
        var record = new FreedRecord[1];
        while (count-- > 0 && cell.Arena.Freed.Read(record) == 1)
        {
            Assert.Equal(0u, record[0].Block);
        }
    }
}
