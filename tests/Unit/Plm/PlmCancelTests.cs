// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>Cancellation and the end of a task's time in every state that a task can be in.</summary>
public sealed class PlmCancelTests
{
    /// <summary>State, what the answer is, how the task ends, whether its worker is told.</summary>
    public static TheoryData<string, string, string, bool> States => new()
    {
        { "unknown", "NotFound", "None", false },
        { "accepted", "Cancelled", "Cancelled", false },
        { "ready", "Cancelled", "Cancelled", false },
        { "assigned", "Cancelled", "Cancelled", true },
        { "running", "Cancelled", "Cancelled", true },
        { "reported success", "AlreadyDone", "Succeeded", false },
        { "reported failure with attempts left", "Cancelled", "Cancelled", false },
        { "reported failure with none left", "AlreadyDone", "Failed", false },
        { "reported failure to be delayed", "Cancelled", "Cancelled", false },
        { "delayed", "Cancelled", "Cancelled", false },
        { "done", "AlreadyDone", "Succeeded", false },
        { "cancelled", "AlreadyCancelled", "Cancelled", false },
        { "expired", "AlreadyDone", "Expired", false },
        { "released", "NotFound", "None", false },
    };

    [Theory]
    [MemberData(nameof(States))]
    public void Cancel_InEachState_DoesWhatTheTableSays(string state, string answer, string outcome, bool isTold)
    {
        using var cell = NewCell();
        var id = Bring(cell, state, totalTimeoutMs: 0);
        cell.DrainOthers();
        cell.Cancels.Clear();
        Assert.Equal(Enum.Parse<CancelAnswer>(answer), cell.Cancel(id, "by the test"));
        AssertEnded(cell, id, Enum.Parse<Outcome>(outcome));
        cell.DrainOthers();
        Assert.Equal(isTold ? 1 : 0, cell.Cancels.Count);

        // Asked again, nothing changes, whatever the first answer was.
        var again = answer == "Cancelled" ? "AlreadyCancelled" : answer;
        Assert.Equal(Enum.Parse<CancelAnswer>(again), cell.Cancel(id));
        AssertEnded(cell, id, Enum.Parse<Outcome>(outcome));
        cell.DrainOthers();
        Assert.Equal(isTold ? 1 : 0, cell.Cancels.Count);
        cell.Core.CheckInvariants();
        cell.Restart();
        AssertEnded(cell, id, Enum.Parse<Outcome>(outcome));
    }

    [Theory]
    [InlineData("ready", true)]
    [InlineData("assigned", true)]
    [InlineData("running", true)]
    [InlineData("reported success", false)]
    [InlineData("reported failure with attempts left", true)]
    [InlineData("delayed", true)]
    [InlineData("done", false)]
    [InlineData("cancelled", false)]
    public void TotalTime_OverInEachState_EndsTheTaskWithinTheMillisecond(string state, bool ends)
    {
        using var cell = NewCell();
        var begun = cell.NowMs;
        var id = Bring(cell, state, totalTimeoutMs: 60_000);
        var before = cell.StateOf(id);
        cell.NowMs = begun + 59_999;
        cell.Turn(core => Assert.True(!ends || core.NextDueMs <= begun + 60_000));
        Assert.NotEqual(Outcome.TimedOut, (Outcome)cell.SlotOf(id).Outcome);
        Assert.True(before is TaskState.Reported || cell.StateOf(id) == before);
        cell.NowMs = begun + 60_000;
        cell.Turn();
        Assert.Equal(ends, (Outcome)cell.SlotOf(id).Outcome == Outcome.TimedOut);
        Assert.Equal(ends ? (ushort)FaultCode.TaskTimedOut : 0, ends ? cell.SlotOf(id).EndFault : 0);
        cell.DrainOthers();
        Assert.Equal(state is "assigned" or "running" ? 1 : 0, cell.Cancels.Count);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void TotalTime_AfterATakeover_EndsWhenItWouldHave()
    {
        using var cell = NewCell();
        var begun = cell.NowMs;
        var id = Bring(cell, "running", totalTimeoutMs: 5_000);
        cell.NowMs += 3_000;
        cell.Restart();
        cell.NowMs = begun + 4_999;
        cell.Turn();
        Assert.Equal(TaskState.Running, cell.StateOf(id));
        cell.NowMs = begun + 5_000;
        cell.Turn();
        Assert.Equal((byte)Outcome.TimedOut, cell.SlotOf(id).Outcome);
    }

    [Fact]
    public void Cancel_WithAReason_IsRememberedAndComesBackFromTheJournal()
    {
        var journal = new FakeJournal();
        using var cell = NewCell(journal);
        var spec = cell.Spec((ref TaskOptionsView view) => view.Durability = 3);
        var (ids, _) = cell.Submit(null, null, spec, "a", "b");
        cell.Sync();
        Assert.Equal(CancelAnswer.Cancelled, cell.Cancel(ids[0], "cancelled by me: too slow"));
        cell.Sync();
        Assert.Equal("cancelled by me: too slow", TextOf(cell, ids[0]));
        cell.Restart();
        Assert.Equal("cancelled by me: too slow", TextOf(cell, ids[0]));

        using var next = new PlmCell(epoch: 2, journal: journal.Copy());
        Assert.True(next.Recovered.IsNone, next.Recovered.Message);
        Assert.Equal((byte)Outcome.Cancelled, next.SlotOf(ids[0]).Outcome);
        Assert.Equal("cancelled by me: too slow", TextOf(next, ids[0]));
        Assert.Equal("", TextOf(next, ids[1]));
        next.Core.CheckInvariants();
    }

    [Fact]
    public void Cancel_LateResultOfTheStoppedAttempt_IsNotTaken()
    {
        using var cell = NewCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        var taken = cell.Assign()[0];
        Assert.Equal(CancelAnswer.Cancelled, cell.Cancel(ids[0]));
        Assert.False(cell.Report(taken, output: "late"));
        cell.Turn();
        Assert.Equal((byte)Outcome.Cancelled, cell.SlotOf(ids[0]).Outcome);
    }

    private static PlmCell NewCell(FakeJournal? journal = null) =>
        new(new PlmOptions { ReattachMs = 0 }, journal: journal);

    private static string TextOf(PlmCell cell, ulong id) =>
        Encoding.UTF8.GetString(TaskHistory.EndTextOf(cell.Arena, in cell.SlotOf(id)));

    private static void AssertEnded(PlmCell cell, ulong id, Outcome outcome)
    {
        if (outcome == Outcome.None)
        {
            Assert.Equal(TaskState.Free, cell.StateOf(id));
            return;
        }

        Assert.Equal(TaskState.Done, cell.StateOf(id));
        Assert.Equal(outcome, (Outcome)cell.SlotOf(id).Outcome);
    }

    private static ulong Bring(PlmCell cell, string state, ulong totalTimeoutMs)
    {
        if (state == "unknown")
        {
            return 12_345;
        }

        var spec = cell.Spec((ref TaskOptionsView view) =>
        {
            view.AttemptsMax = state == "reported failure with none left" ? 1u : 3;
            view.RetryDelayMs = state.Contains("delayed", StringComparison.Ordinal) ? 100_000ul : 0;
            view.Rare.RetryDelayMaxMs = view.RetryDelayMs;
            view.ExpiresAfterMs = state == "expired" ? 1ul : 0;
            view.Rare.TotalTimeoutMs = totalTimeoutMs;
        });
        var id = cell.Submit(null, null, spec, "x").Ids[0];
        switch (state)
        {
            case "accepted":
                // As a predecessor leaves it that dies before the push.
                var word = cell.Arena.Tasks.Read(0);
                Assert.True(cell.Arena.Ready.Remove(0, word));
                StepTo(cell, TaskState.Free);
                StepTo(cell, TaskState.Accepted);
                break;
            case "ready":
                break;
            case "expired":
                cell.NowMs += 1;
                cell.Turn();
                break;
            case "cancelled":
                cell.Cancel(id);
                break;
            default:
                Run(cell, state, id);
                break;
        }

        return id;
    }

    private static void Run(PlmCell cell, string state, ulong id)
    {
        var taken = cell.Assign()[0];
        var word = cell.Arena.Tasks.Read(taken.Slot);
        switch (state)
        {
            case "assigned":
                return;
            case "running":
                Assert.True(cell.Arena.Tasks.TryStep(
                    Role.Register, taken.Slot, word, word.With(TaskState.Running)));
                return;
        }

        cell.Report(taken, state.Contains("failure", StringComparison.Ordinal) || state == "delayed"
            ? Outcome.Failed
            : Outcome.Succeeded);
        if (!state.StartsWith("reported", StringComparison.Ordinal))
        {
            cell.Turn();
        }

        if (state == "released")
        {
            Assert.Equal(1, cell.Turn(core => core.ReleaseTasks([id])));
        }
    }

    private static void StepTo(PlmCell cell, TaskState state)
    {
        var word = cell.Arena.Tasks.Read(0);
        var next = new StateWord(state, Attempt.None, word.GenerationLow);
        Assert.True(cell.Arena.Tasks.TryStep(Role.Plm, 0, word, next));
    }
}
