// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>
/// A successor takes the arena over from a core that stopped anywhere; nothing of the old core is used again.
/// </summary>
public sealed class PlmRecoverTests
{
    [Fact]
    public void Recover_CrashAfterEndBatchBeforeThePush_PushesInOrderAndKnowsTheRefs()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var spec = cell.Spec();
        cell.Core.BeginTurn(cell.Now);
        var (ids, _) = PlmCell.SubmitIn(cell.Core, session, stream, spec, "a", "b");
        Assert.Equal(TaskState.Accepted, cell.StateOf(ids[0]));
        cell.Restart();
        Assert.Equal(2u, cell.Arena.Ready.Count);
        Assert.True(cell.Effects.SchedulerSignals > 0);
        var resumed = cell.Open(7, new FakeStream(cell.Arena), out var known, first: 1, last: 2);
        Assert.Equal(2ul, resumed.DecidedRef);
        Assert.Equal(ids, known.Select(entry => entry.Id.Value));
        Assert.Equal(ids, cell.Assign().Select(task => cell.Core.IdOf(task.Slot).Value));
    }

    [Fact]
    public void Recover_CrashInsideTheCancellationOfAFailedAttempt_JudgesItAnew()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        cell.Report(cell.Assign()[0], Outcome.Failed, error: "boom");
        ref var slot = ref cell.SlotOf(ids[0]);
        slot.EndFault = (ushort)FaultCode.TaskCancelled;
        slot.Flags = TaskSlot.FlagOutcomeIsResult;
        slot.Outcome = (byte)Outcome.Cancelled;
        cell.Restart();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        Assert.Equal(CancelAnswer.Cancelled, cell.Cancel(ids[0]));
        cell.Turn(core => core.ReleaseTasks([ids[0]]));
        cell.DrainOthers();
        Assert.Equal(0, cell.ResultBytesUsed);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Recover_CrashInTheMiddleOfABatch_DecidesWhatWasWritten()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var spec = cell.Spec();
        cell.Core.BeginTurn(cell.Now);
        Assert.True(cell.Core.BeginBatch(session, stream, 1, 10, spec).IsNone);
        cell.Core.AddItem("a"u8);
        cell.Core.AddItem("b"u8);
        cell.Restart();
        var second = new FakeStream(cell.Arena);
        var resumed = cell.Open(7, second, out var known, first: 1, last: 10);
        Assert.Equal(2ul, resumed.DecidedRef);
        Assert.Equal([1ul, 2ul], known.Select(entry => entry.Ref));

        // The client goes on from there.
        cell.Submit(resumed, second, spec, "c");
        Assert.Equal(3u, cell.Arena.Ready.Count);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Recover_CrashAfterTheGenerationWasWritten_PassesItOver()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        cell.Cancel(ids[0]);
        cell.Turn(core => core.ReleaseTasks([ids[0]]));
        cell.Arena.Tasks[0].Generation++;
        cell.Restart();
        var (next, _) = cell.Submit(null, null, cell.Spec(), "y");
        Assert.Equal(new TaskId(ids[0]).Generation + 2, new TaskId(next[0]).Generation);
    }

    [Fact]
    public void Recover_ReportedAndRecordLost_JudgesIt()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var spec = cell.Spec((ref TaskOptionsView view) => view.RetryDelayMs = 500);
        var (ids, _) = cell.Submit(session, stream, spec, "good", "bad");
        var taken = cell.Assign();
        cell.Report(taken[0], output: "ok");
        cell.Report(taken[1], Outcome.Failed, error: "boom");
        cell.Arena.Finished.Read(new FinishedRecord[8]);
        cell.Restart();
        Assert.Equal(TaskState.Done, cell.StateOf(ids[0]));
        Assert.Equal(TaskState.Delayed, cell.StateOf(ids[1]));
        var second = new FakeStream(cell.Arena);
        cell.Open(7, second);
        Assert.Equal("ok", Assert.Single(second.Results).Output);
        cell.NowMs += 500;
        cell.Turn();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[1]));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Recover_RecordsRepeatedByTheRing_ChangeNothing()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        cell.Report(cell.Assign()[0], Outcome.Failed, error: "boom");
        cell.Restart();
        FinishedRecord again = new(FinishedRecord.Reported, new TaskId(ids[0]).Slot, new TaskId(ids[0]).Generation);
        cell.Arena.Finished.TryWrite([again, again]);
        cell.Turn();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        Assert.Equal(1, cell.SlotOf(ids[0]).AttemptsFailed);
        cell.DrainOthers();
        Assert.Equal(0, cell.ResultBytesUsed);
    }

    [Fact]
    public void Recover_CrashBetweenFreedRecordAndRetry_DoesNotFreeTwice()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x", "other");
        var taken = cell.Assign();
        cell.Report(taken[0], Outcome.Failed, error: "boom");

        // The turn gets as far as the mark and the record, and dies before the push.
        cell.Core.BeginTurn(cell.Now);
        cell.Core.DrainFinished();
        Assert.Equal(TaskState.Reported, cell.StateOf(ids[0]));
        cell.DrainOthers();

        // The block goes to another task before the successor looks.
        cell.Report(taken[1], output: "mine");
        cell.Restart();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        cell.DrainOthers();
        Assert.Equal("mine", FakeStream.ReadResult(cell.Arena, taken[1].Slot).Output);
        Assert.NotEqual(0, cell.ResultBytesUsed);
        cell.Report(cell.Assign()[0], output: "ok");
        cell.Turn();
        Assert.Equal("ok", FakeStream.ReadResult(cell.Arena, taken[0].Slot).Output);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Recover_CrashWhileResultsAreDelivered_RepeatsThem()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        cell.Submit(session, stream, cell.Spec(), "a", "b", "c");
        foreach (var task in cell.Assign())
        {
            cell.Report(task, output: "out");
        }

        cell.Turn();
        cell.Confirm(session, stream, 1);
        cell.Restart();
        var second = new FakeStream(cell.Arena);
        var resumed = cell.Open(7, second);
        Assert.Equal([2ul, 3ul], second.Results.Select(result => result.Ref).Order());
        Assert.Equal(3ul, resumed.DecidedRef);
        cell.Confirm(resumed, second, 2);
        cell.DrainOthers();
        Assert.Equal(0, cell.ResultBytesUsed);
        Assert.Equal(0, cell.Arena.Payloads.UsedBytes);
        Assert.Equal(0ul, cell.Arena.Counter(CellCounter.DoneNow));
        cell.Core.CheckInvariants();
    }

    [Theory]
    [InlineData(SlotFlags.Released)]
    [InlineData(SlotFlags.Released | SlotFlags.Returned)]
    public void Recover_CrashWhileFreeing_NeverDeliversAgainAndFreesTheSlot(int flags)
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var (ids, _) = cell.Submit(session, stream, cell.Spec(), "a");
        cell.Report(cell.Assign()[0], output: "out");
        cell.Turn();
        cell.SlotOf(ids[0]).Flags |= (byte)flags;
        cell.Restart();
        var second = new FakeStream(cell.Arena);
        cell.Open(7, second);
        Assert.Empty(second.Results);
        Assert.Equal(TaskState.Free, cell.StateOf(ids[0]));
        Assert.Equal((flags & SlotFlags.Returned) == 0 ? 1 : 0, cell.Arena.Freed.Count);
        Assert.Equal(0, cell.Arena.Payloads.UsedBytes);
        cell.Core.CheckInvariants();
    }

    [Theory]
    [InlineData(FaultCode.TaskCancelled, Outcome.Cancelled)]
    [InlineData(FaultCode.TaskExpired, Outcome.Expired)]
    [InlineData(FaultCode.WorkerLost, Outcome.Failed)]
    internal void Recover_DoneWithoutOutcome_IsCompletedFromTheFault(FaultCode fault, Outcome outcome)
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var (ids, _) = cell.Submit(session, stream, cell.Spec(), "a");
        var slot = new TaskId(ids[0]).Slot;
        cell.SlotOf(ids[0]).EndFault = (ushort)fault;
        Assert.True(cell.Arena.Ready.Remove(slot, cell.Arena.Tasks.Read(slot)));
        cell.Restart();
        var second = new FakeStream(cell.Arena);
        cell.Open(7, second);
        Assert.Equal((outcome, fault.ToString()), (second.Results[0].Outcome, second.Results[0].Error));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Recover_TimersAndGauges_GoOn()
    {
        using var cell = new PlmCell();
        var spec = cell.Spec((ref TaskOptionsView view) =>
            (view.ExpiresAfterMs, view.RetryDelayMs, view.RetentionMs) = (1_000, 400, 300));
        var (ids, _) = cell.Submit(null, null, spec, "delayed", "done", "expires");
        var taken = cell.Assign(2);
        cell.Report(taken[0], Outcome.Failed);
        cell.Report(taken[1], output: "kept");
        cell.Turn();
        cell.NowMs += 250;
        cell.Restart();
        Assert.Equal(1ul, cell.Arena.Counter(CellCounter.DelayedNow));
        Assert.Equal(1ul, cell.Arena.Counter(CellCounter.DoneNow));
        Assert.Equal(3ul, cell.Arena.Counter(CellCounter.TasksNow));
        cell.NowMs += 50;
        cell.Turn();
        Assert.Equal(TaskState.Free, cell.StateOf(ids[1]));
        Assert.Equal(TaskState.Delayed, cell.StateOf(ids[0]));
        cell.NowMs += 100;
        cell.Turn();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        cell.NowMs += 600;
        cell.Turn();
        Assert.Equal((byte)Outcome.Expired, cell.SlotOf(ids[2]).Outcome);
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        cell.Core.CheckInvariants();
    }

    [Theory]
    [InlineData(-7_200_000)]
    [InlineData(7_200_000)]
    public void Recover_WallClockJumped_NoTimerWaitsLongerThanItWasSetFor(long jumpMs)
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec((ref TaskOptionsView view) =>
        {
            view.AttemptsMax = 2;
            view.RetryDelayMs = 300;
        }), "retried");
        var (late, _) = cell.Submit(
            null, null, cell.Spec((ref TaskOptionsView view) => view.ExpiresAfterMs = 500), "expires");
        cell.Report(cell.Assign(1)[0], Outcome.Failed, error: "boom");
        cell.Turn();
        Assert.Equal(TaskState.Delayed, cell.StateOf(ids[0]));
        cell.WallJumpMs = jumpMs;
        cell.Restart();
        cell.NowMs += 601;
        cell.Turn();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        Assert.Equal(TaskState.Done, cell.StateOf(late[0]));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Recover_WorkerLostWhileThePlmWasDown_ReturnsTheAttempt()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        cell.Assign();
        cell.LoseWorker(0);
        cell.Arena.Finished.Read(new FinishedRecord[8]);
        cell.Restart();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
    }

    [Fact]
    public void Recover_CrashWhileForgettingASession_LeavesNoOrphans()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var (ids, _) = cell.Submit(session, stream, cell.Spec(), "a", "b");
        cell.Arena.Clients[session.Row].ClientId = 0;
        cell.Restart();
        foreach (var task in cell.Assign())
        {
            cell.Report(task);
        }

        cell.Turn();
        Assert.All(ids, id => Assert.Equal(TaskState.Free, cell.StateOf(id)));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Recover_WallClockSetForward_AbsentClientsStillHaveTimeToComeBack()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        cell.Turn(core => core.LeaveSession(session, stream));
        cell.WallJumpMs = 7_200_000;
        cell.Restart();
        cell.NowMs += PlmLimits.SessionSweepMs + 1;
        cell.Turn();
        Assert.Equal(7ul, cell.Arena.Clients[session.Row].ClientId);
    }

    [Fact]
    public void Recover_AwayTimeOfAnAbsentClient_CountsOn()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        cell.Turn(core => core.LeaveSession(session, stream));
        cell.NowMs += 3_000_000;
        cell.Restart();
        cell.NowMs += 600_000;
        cell.Turn();
        Assert.Equal(0ul, cell.Arena.Clients[session.Row].ClientId);
    }
}
