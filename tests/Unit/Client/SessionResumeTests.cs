// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Muster.Client.Sessions;
using Xunit;

namespace Muster.Unit.Client;

/// <summary>Streams cut at every point: each task ends exactly once, and none is accepted twice.</summary>
public class SessionResumeTests
{
    /// <summary>How many of the six messages of a short session had arrived when the stream was cut.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Reconnect_CutAfterEachMessage_EndsEachTaskOnce(int arrived)
    {
        var plm = new PlmModel();
        var session = new LedgerSession(plm);
        session.Connect();
        var tasks = TestTask.Many(3);
        tasks.ForEach(session.Ledger.Enqueue);
        Action[] messages =
        [
            () => session.ArriveDown(),
            () => session.ArriveUp(),
            () => session.ArriveDown(),
            () => session.Receive(plm.Finish(2)),
            () => session.Send(),
            () => session.ArriveUp(),
        ];
        session.Send();
        foreach (var message in messages.Take(arrived))
        {
            message();
        }

        session.Connect();
        session.Settle();

        Assert.All(tasks, task => Assert.Equal(1, task.EndedCount));
        Assert.All(plm.AcceptedCounts.Values, count => Assert.Equal(1, count));
        Assert.Equal(0, plm.HeldCount);
    }

    [Fact]
    public void Reconnect_BatchTakenButAnswerLost_LearnsTheIds()
    {
        var session = new LedgerSession(new PlmModel());
        session.Connect();
        var tasks = TestTask.Many(3);
        tasks.ForEach(session.Ledger.Enqueue);
        session.Send();
        session.ArriveUp();

        var hello = session.Connect();

        Assert.Equal((1ul, 3ul), (hello.UnresolvedFirst, hello.UnresolvedLast));
        Assert.All(tasks, task => Assert.Equal(PendingStage.Accepted, task.Stage));
        Assert.All(tasks, task => Assert.Equal(1, task.AcceptedCount));
        Assert.Null(session.Send());
    }

    [Fact]
    public void Reconnect_BatchLost_IsSentAgainInOrderUnderRefsThatFollow()
    {
        var plm = new PlmModel();
        var session = new LedgerSession(plm);
        session.Connect();
        session.Ledger.Enqueue(TestTask.Make(50));
        session.Send();
        session.ArriveUp();
        TestTask.Many(3).ForEach(session.Ledger.Enqueue);
        session.Send();

        session.Connect();
        var again = session.Send()!.Submit;

        Assert.Equal(2ul, again.FirstRef);
        Assert.Equal([0, 1, 2], again.Items.Select(item => (int)item.Payload[0]));
    }

    [Fact]
    public void Reconnect_CellMadeAnew_AbortsWhatWasAcceptedAndRepeatsTheRest()
    {
        var session = new LedgerSession(new PlmModel());
        session.Connect();
        var once = EncodedTaskOptions.Create("test", new SubmitOptions { AttemptsMax = 1 });
        var accepted = TestTask.Make(1);
        var sent = TestTask.Make(2);
        var sentOnce = TestTask.Make(3, once);
        session.Ledger.Enqueue(accepted);
        session.Send();
        session.ArriveUp();
        session.ArriveDown();
        session.ArriveDown();
        session.Ledger.Enqueue(sent);
        session.Ledger.Enqueue(sentOnce);
        session.Send();
        session.Send();

        session.Plm = new PlmModel(cellId: 78);
        session.Connect();
        session.Settle();

        Assert.Equal(Outcome.Aborted, accepted.Outcome);
        Assert.Equal("TASK_ID_FROM_EARLIER_ARENA", accepted.Error?.Code);
        Assert.Equal(Outcome.Succeeded, sent.Outcome);
        Assert.Equal(Outcome.Aborted, sentOnce.Outcome);
    }

    [Fact]
    public void Reconnect_AfterEverythingFailed_DropsOldResultsAndConfirmsThem()
    {
        var plm = new PlmModel();
        var session = new LedgerSession(plm);
        session.Connect();
        var given = TestTask.Make(1);
        session.Ledger.Enqueue(given);
        session.Send();
        session.ArriveUp();
        session.Fail(new("UNAVAILABLE", "gone"));
        var later = TestTask.Make(2);
        session.Ledger.Enqueue(later);

        session.Connect();
        session.Settle();

        Assert.Equal(1, given.EndedCount);
        Assert.Equal(Outcome.Succeeded, later.Outcome);
        Assert.Equal(1, session.Ledger.DroppedCount);
        Assert.Equal(0, plm.HeldCount);
    }

    [Fact]
    public void Reconnect_RandomCuts_LoseNothingAndRepeatNothing()
    {
        for (var seed = 1; seed <= 500; seed++)
        {
            RunRandomly(seed);
        }
    }

    private static void RunRandomly(int seed)
    {
        var random = new Random(seed);
        var plm = new PlmModel { OutstandingMax = (uint)random.Next(5, 60) };
        plm.IsFull = index => index > 40 && random.Next(3) == 0;
        var session = new LedgerSession(plm, seed);
        session.Connect();
        var tasks = TestTask.Many(120);
        var next = 0;
        for (var step = 0; step < 600; step++)
        {
            session.NowMs += random.Next(30);
            switch (random.Next(10))
            {
                case 0 or 1 when next < tasks.Count:
                    session.Ledger.Enqueue(tasks[next++]);
                    break;
                case 2 or 3:
                    session.Send();
                    break;
                case 4 or 5 when session.Up.Count > 0:
                    session.ArriveUp();
                    break;
                case 6 or 7 when session.Down.Count > 0:
                    session.ArriveDown();
                    break;
                case 8:
                    session.Down.Enqueue(plm.Finish(random.Next(1, 4)));
                    break;
                case 9 when random.Next(6) == 0:
                    session.Connect();
                    break;
            }
        }

        tasks.Skip(next).ToList().ForEach(session.Ledger.Enqueue);
        session.Settle();
        Assert.True(
            tasks.All(task => task.EndedCount == 1 && task.Outcome == Outcome.Succeeded), $"seed {seed}: an end");
        Assert.True(tasks.All(task => task.Output.Span[0] == tasks.IndexOf(task)), $"seed {seed}: a mix-up");
        Assert.True(
            plm.AcceptedCounts.Count == 120 && plm.AcceptedCounts.Values.All(count => count == 1),
            $"seed {seed}: twice");
        Assert.True(plm.HeldCount == 0, $"seed {seed}: the server still holds {plm.HeldCount}");
    }
}
