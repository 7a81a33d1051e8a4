// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Google.Protobuf;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Muster.Plm.Attempts;
using Muster.V1;
using Xunit;
using Outcome = Muster.Outcome;
using TaskState = Muster.Core.Tasks.TaskState;

namespace Muster.Unit.Plm;

/// <summary>Whether an attempt is repeated and when, and what is remembered of it.</summary>
public sealed class PlmRetryTests
{
    [Theory]
    [InlineData(150u, 0ul, new long[] { 100, 150, 225, 337 })]
    [InlineData(100u, 0ul, new long[] { 100, 100, 100, 100 })]
    [InlineData(1_000u, 2_500ul, new long[] { 100, 1_000, 2_500, 2_500 })]
    public void Wait_WithFactorAndCap_GrowsAsDocumented(uint factorPercent, ulong maxMs, long[] waits)
    {
        using var cell = new PlmCell();
        var spec = cell.Spec((ref TaskOptionsView view) =>
        {
            (view.AttemptsMax, view.RetryDelayMs) = (10, 100);
            (view.Rare.RetryFactorPercent, view.Rare.RetryDelayMaxMs) = (factorPercent, maxMs);
        });
        var (ids, _) = cell.Submit(null, null, spec, "x");
        Assert.Equal(waits, waits.Select(_ => FailAndMeasure(cell, ids[0], new TaskError { Code = "X" })));
    }

    [Fact]
    public void Wait_WithJitter_IsSpreadBelowTheFullWaitAndTheSameForASuccessor()
    {
        using var cell = new PlmCell();
        var spec = cell.Spec((ref TaskOptionsView view) =>
            (view.AttemptsMax, view.RetryDelayMs, view.Rare.RetryJitterPercent) = (2, 1_000, 50));
        var (ids, _) = cell.Submit(null, null, spec, [.. Enumerable.Repeat("x", 200)]);
        foreach (var taken in cell.Assign())
        {
            cell.Report(taken, Outcome.Failed, "", new TaskError { Code = "X" }.ToByteArray());
        }

        cell.Turn();
        var waits = ids.Select(id => (long)cell.SlotOf(id).DueUnixMs - (cell.Now.UnixUs / 1_000)).ToList();
        Assert.All(waits, wait => Assert.InRange(wait, 500, 1_000));
        Assert.InRange(waits.Average(), 700, 800);
        Assert.True(waits.Distinct().Count() > 100);

        cell.Restart();
        cell.NowMs += waits.Min() - 1;
        cell.Turn();
        Assert.All(ids, id => Assert.Equal(TaskState.Delayed, cell.StateOf(id)));
        cell.NowMs += 501;
        cell.Turn();
        Assert.All(ids, id => Assert.Equal(TaskState.Ready, cell.StateOf(id)));
    }

    [Fact]
    public void Wait_ThatTheHandlerAskedFor_TakesThePlaceOfTheBackOffAlsoAfterATakeover()
    {
        using var cell = new PlmCell();
        var spec = cell.Spec((ref TaskOptionsView view) => (view.AttemptsMax, view.RetryDelayMs) = (5, 100));
        var (ids, _) = cell.Submit(null, null, spec, "x");
        Assert.Equal(7_000, FailAndMeasure(cell, ids[0], new TaskError { Code = "BUSY", RetryAfterMs = 7_000 }));
        Assert.Equal(200, FailAndMeasure(cell, ids[0], new TaskError { Code = "X" }));

        cell.Report(cell.Assign()[0], Outcome.Failed, "", new TaskError { RetryAfterMs = 90_000 }.ToByteArray());
        cell.Turn();
        cell.Restart();
        cell.NowMs += 89_999;
        cell.Turn();
        Assert.Equal(TaskState.Delayed, cell.StateOf(ids[0]));
        cell.NowMs += 1;
        cell.Turn();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
    }

    [Theory]
    [InlineData("HANDLER_FAILED", "System.ArgumentException", false, true)]
    [InlineData("COMMAND_NOT_FOUND", "", false, true)]
    [InlineData("HANDLER_FAILED", "System.IO.IOException", false, false)]
    [InlineData("HANDLER_FAILED", "System.IO.IOException", true, true)]
    [InlineData("HANDLER_FAILED", "Other.My.Problem", false, false)]
    [InlineData("HANDLER_FAILED", "My.Problem", false, true)]
    public void Failure_ThatIsFinal_EndsTheTaskAtOnce(string code, string type, bool isFinal, bool ends)
    {
        using var cell = new PlmCell();
        var spec = cell.Spec((ref TaskOptionsView view) =>
        {
            view.Rare.FinalErrors.Add("COMMAND_NOT_FOUND"u8);
            view.Rare.FinalErrors.Add("ArgumentException"u8);
            view.Rare.FinalErrors.Add("My.Problem"u8);
        });
        var (ids, _) = cell.Submit(null, null, spec, "x");
        var error = new TaskError { Code = code, Type = type, IsFinal = isFinal };
        cell.Report(cell.Assign()[0], Outcome.Failed, "", error.ToByteArray());
        cell.Turn();
        Assert.Equal(ends ? TaskState.Done : TaskState.Ready, cell.StateOf(ids[0]));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Failure_WhoseRepeatWouldBeginBeyondTheBudget_IsTheLast()
    {
        using var cell = new PlmCell();
        var spec = cell.Spec((ref TaskOptionsView view) =>
            (view.AttemptsMax, view.RetryDelayMs, view.Rare.RetryBudgetMs) = (100, 1_000, 4_000));
        var (ids, _) = cell.Submit(null, null, spec, "x");
        Assert.Equal(1_000, FailAndMeasure(cell, ids[0], new TaskError { Code = "X" }));
        Assert.Equal(2_000, FailAndMeasure(cell, ids[0], new TaskError { Code = "X" }));
        cell.Report(cell.Assign()[0], Outcome.Failed, "", new TaskError { Code = "X" }.ToByteArray());
        cell.Turn();
        Assert.Equal(TaskState.Done, cell.StateOf(ids[0]));
        Assert.Equal(2, cell.SlotOf(ids[0]).AttemptsFailed);
    }

    [Fact]
    public void History_HoldsTheLastFiveAttemptsAndSurvivesATakeover()
    {
        using var cell = new PlmCell();
        var before = cell.Arena.Payloads.UsedBytes;
        var (ids, _) = cell.Submit(null, null, cell.Spec((ref TaskOptionsView view) => view.AttemptsMax = 9), "x");
        for (var attempt = 1; attempt <= 7; attempt++)
        {
            Fail(cell, $"failure {attempt}");
            if (attempt == 4)
            {
                cell.Restart();
            }
        }

        cell.Restart();
        var attempts = AttemptsOf(cell, ids[0]);
        Assert.Equal(
            ["failure 3", "failure 4", "failure 5", "failure 6", "failure 7"], attempts.Select(each => each.Message));
        Assert.All(attempts, each => Assert.Equal(("X", V1.Outcome.Failed), (each.Code, each.Outcome)));
        Assert.Equal("the tail", attempts[^1].OutputTail);

        // All of it goes with the task.
        cell.Report(cell.Assign()[0]);
        cell.Turn();
        Assert.Equal(1, cell.Turn(core => core.ReleaseTasks(ids)));
        Assert.Equal(before, cell.Arena.Payloads.UsedBytes);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void History_OfAWorkerThatWasLost_SaysSo()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        cell.Assign();
        cell.LoseWorker(PlmCell.WorkerRow);
        cell.Turn();
        Assert.Equal("WORKER_LOST", Assert.Single(AttemptsOf(cell, ids[0])).Code);
        Assert.Equal(0, cell.SlotOf(ids[0]).AttemptsFailed);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void History_OfATaskInTheJournal_ComesBackWithIt()
    {
        var journal = new FakeJournal();
        using var cell = new PlmCell(journal: journal);
        var (ids, _) = cell.Submit(null, null, Durable(cell), "x");
        cell.Sync();
        Fail(cell, "one");
        Fail(cell, "two");
        cell.Sync();
        AssertRestored(journal.Copy(), ids[0]);

        // A snapshot tells it too, after which what came before is not needed.
        cell.Turn(core => core.BeginSnapshot());
        for (var turn = 0; turn < 8; turn++)
        {
            cell.NowMs += 100;
            cell.Turn();
            cell.Sync();
        }

        AssertRestored(journal.Copy(), ids[0]);
    }

    private static void AssertRestored(FakeJournal journal, ulong id)
    {
        using var next = new PlmCell(epoch: 2, journal: journal);
        Assert.True(next.Recovered.IsNone, next.Recovered.Message);
        Assert.Equal(["one", "two"], AttemptsOf(next, id).Select(each => each.Message));
        Assert.Equal(2, next.SlotOf(id).AttemptsFailed);
        var profile = next.Arena.Profiles[next.SlotOf(id).Profile];
        Assert.Equal((7, 350, 77_000u), (profile.AttemptsMax, profile.RetryFactorPercent, profile.TotalTimeoutMs));
        Assert.Equal("NO\n", Encoding.UTF8.GetString(profile.FinalErrors));
        next.Core.CheckInvariants();
    }

    private static TaskSpec Durable(PlmCell cell) => cell.Spec((ref TaskOptionsView view) =>
    {
        view.Durability = 3;
        (view.AttemptsMax, view.Rare.RetryFactorPercent, view.Rare.TotalTimeoutMs) = (7, 350, 77_000);
        view.Rare.FinalErrors.Add("NO"u8);
    });

    private static void Fail(PlmCell cell, string message)
    {
        var error = new TaskError { Code = "X", Message = message, OutputTail = "the tail" };
        cell.Report(Assert.Single(cell.Assign()), Outcome.Failed, "", error.ToByteArray());
        cell.Turn();
        cell.DrainOthers();
    }

    private static long FailAndMeasure(PlmCell cell, ulong id, TaskError error)
    {
        cell.Report(Assert.Single(cell.Assign()), Outcome.Failed, "", error.ToByteArray());
        cell.Turn();
        cell.DrainOthers();
        var begun = cell.NowMs;
        while (cell.StateOf(id) == TaskState.Delayed)
        {
            cell.NowMs++;
            cell.Turn();
        }

        return cell.NowMs - begun;
    }

    private static List<AttemptInfo> AttemptsOf(PlmCell cell, ulong id)
    {
        var attempts = new List<AttemptInfo>();
        var entries = TaskHistory.EntriesOf(cell.Arena, cell.SlotOf(id).HistoryBlock);
        while (HistoryBytes.TryNext(ref entries, out var kind, out var attempt, out var bytes))
        {
            Assert.Equal(HistoryBytes.KindAttempt, kind);
            attempts.Add(AttemptInfo.Parser.ParseFrom(bytes));
            Assert.Equal(attempt, attempts[^1].Attempt);
        }

        return attempts;
    }
}
