// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Linq;
using Google.Protobuf;
using Muster.Client.Sessions;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Client;

public class SessionLedgerTests
{
    [Fact]
    public void Send_ManyQueued_GoInBatchesWithContiguousRefs()
    {
        var session = Connected(out _);
        TestTask.Many(600).ForEach(session.Ledger.Enqueue);

        var batches = new[] { session.Send(), session.Send(), session.Send() };

        Assert.Equal([256, 256, 88], batches.Select(batch => batch!.Submit.Items.Count));
        Assert.Equal([1UL, 257UL, 513UL], batches.Select(batch => batch!.Submit.FirstRef));
        Assert.Null(session.Send());
    }

    [Fact]
    public void Send_LargePayloads_EndABatchEarly()
    {
        var session = Connected(out _);
        var options = EncodedTaskOptions.Create("test", SubmitOptions.Default);
        for (var index = 0; index < 4; index++)
        {
            session.Ledger.Enqueue(new TestTask(options, new byte[100_000]));
        }

        Assert.Equal(2, session.Send()!.Submit.Items.Count);
        Assert.Equal(2, session.Send()!.Submit.Items.Count);
    }

    [Fact]
    public void Send_OtherOptions_StartAnotherBatch()
    {
        var session = Connected(out _);
        var urgent = EncodedTaskOptions.Create("test", new SubmitOptions { Priority = 0, AttemptsMax = 7 });
        session.Ledger.Enqueue(TestTask.Make());
        session.Ledger.Enqueue(TestTask.Make(2, urgent));

        Assert.Equal(4, session.Send()!.Submit.Options.Priority);
        var second = session.Send()!.Submit.Options;
        Assert.True(second.HasPriority);
        Assert.Equal(0, second.Priority);
        Assert.Equal(7u, second.AttemptsMax);
    }

    [Fact]
    public void Send_OutstandingLimitReached_WaitsForConfirmation()
    {
        var session = Connected(out var plm, outstandingMax: 10);
        TestTask.Many(15).ForEach(session.Ledger.Enqueue);

        Assert.Equal(10, session.Send()!.Submit.Items.Count);
        Assert.Null(session.Send());
        session.ArriveUp();
        session.Receive(plm.Finish(4));
        session.ArriveDown();

        // Four results are here but not confirmed yet: they still count, until the message after the confirmation.
        var confirmation = session.Send()!;
        Assert.Equal(4ul, confirmation.ConfirmedTotal);
        Assert.Null(confirmation.Submit);
        Assert.Equal(4, session.Send()!.Submit.Items.Count);
    }

    [Fact]
    public void Receive_Results_AreConfirmedInOneMessageWithTheNextBatch()
    {
        var session = Connected(out var plm);
        var tasks = TestTask.Many(3);
        tasks.ForEach(session.Ledger.Enqueue);
        session.Send();
        session.ArriveUp();
        session.Receive(plm.Finish(2));
        session.Ledger.Enqueue(TestTask.Make(9));

        var next = session.Send()!;

        Assert.Equal(2ul, next.ConfirmedTotal);
        Assert.Single(next.Submit.Items);
        Assert.Equal(2, tasks.Sum(task => task.EndedCount));
        Assert.Equal(250, tasks[2].RanUs);
        Assert.Equal([2], tasks[2].Output.ToArray());
    }

    [Fact]
    public void Send_FewResults_AreConfirmedWithTheNextBatchOrWhenTheirTimeIsOver()
    {
        var session = Connected(out var plm, confirmHoldMs: 5);
        TestTask.Many(3).ForEach(session.Ledger.Enqueue);
        session.Send();
        session.ArriveUp();
        Assert.Equal(long.MaxValue, session.Ledger.NextDueMs(session.NowMs));

        session.Receive(plm.Finish(1));
        Assert.Null(session.Send());
        Assert.Equal(session.NowMs + 5, session.Ledger.NextDueMs(session.NowMs));
        session.NowMs += 4;
        session.Ledger.Enqueue(TestTask.Make(9));
        Assert.Equal(1ul, session.Send()!.ConfirmedTotal);

        // Its time begins with it, not with the one before.
        session.NowMs += 4;
        session.Receive(plm.Finish(1));
        Assert.Null(session.Send());
        session.NowMs += 4;
        Assert.Null(session.Send());
        session.NowMs += 1;
        var late = session.Send()!;
        Assert.Equal(2ul, late.ConfirmedTotal);
        Assert.Null(late.Submit);
        Assert.Null(session.Send());
        Assert.Equal(long.MaxValue, session.Ledger.NextDueMs(session.NowMs));
    }

    [Fact]
    public void Send_ManyResultsOrAnEndingClient_AreConfirmedAtOnce()
    {
        var session = Connected(out var plm, confirmHoldMs: 5);
        TestTask.Many(100).ForEach(session.Ledger.Enqueue);
        session.Send();
        session.ArriveUp();
        session.Receive(plm.Finish(64));
        Assert.Equal(64ul, session.Send()!.ConfirmedTotal);

        session.Receive(plm.Finish(1));
        Assert.Null(session.Send());
        session.Ledger.ConfirmNow();
        Assert.Equal(65ul, session.Send()!.ConfirmedTotal);
        Assert.Null(session.Send());
    }

    [Fact]
    public void Send_UnconfirmedResultsTakeTheRoom_AreConfirmedAtOnce()
    {
        var session = Connected(out var plm, outstandingMax: 2, confirmHoldMs: 5);
        TestTask.Many(3).ForEach(session.Ledger.Enqueue);
        Assert.Equal(2, session.Send()!.Submit.Items.Count);
        session.ArriveUp();
        session.Receive(plm.Finish(2));
        Assert.Equal(2ul, session.Send()!.ConfirmedTotal);
        Assert.Single(session.Send()!.Submit.Items);
    }

    [Fact]
    public void Receive_SameResultTwice_TellsOnceAndConfirmsBoth()
    {
        var session = Connected(out var plm);
        var task = TestTask.Make();
        session.Ledger.Enqueue(task);
        session.Send();
        session.ArriveUp();
        session.ArriveDown();
        session.ArriveDown();
        var result = plm.Finish(1);

        session.Receive(result);
        session.Receive(result);

        Assert.Equal(1, task.EndedCount);
        Assert.Equal(1, session.Ledger.DroppedCount);
        Assert.Equal(2ul, session.Send()!.ConfirmedTotal);
    }

    [Fact]
    public void Receive_ResultOfAnotherTaskUnderTheSameRef_IsDropped()
    {
        var session = Connected(out _);
        var task = TestTask.Make();
        session.Ledger.Enqueue(task);
        session.Send();
        session.ArriveUp();
        session.ArriveDown();
        session.ArriveDown();

        var other = new TaskResult { TaskId = 12_345, Ref = 1, Outcome = V1.Outcome.Succeeded };
        session.Receive(new() { Results = { other } });

        Assert.Equal(0, task.EndedCount);
        Assert.Equal(1, session.Ledger.DroppedCount);
    }

    [Fact]
    public void Receive_ArenaFull_HoldsThenProbesWithOneBatch()
    {
        var session = Connected(out var plm);
        var tasks = TestTask.Many(400);
        tasks.ForEach(session.Ledger.Enqueue);
        plm.IsFull = index => index >= 100;
        session.Send();
        session.ArriveUp();
        session.ArriveDown();
        session.ArriveDown();

        Assert.InRange(session.Ledger.HoldUntilMs, session.NowMs + 20, session.NowMs + 30);
        Assert.Null(session.Send());
        session.NowMs = session.Ledger.HoldUntilMs;
        Assert.Equal(256, session.Send()!.Submit.Items.Count);
        Assert.Null(session.Send());
        plm.IsFull = _ => false;
        session.Settle();
        Assert.All(tasks, task => Assert.Equal(1, task.EndedCount));
        Assert.All(tasks, task => Assert.Equal(Muster.Outcome.Succeeded, task.Outcome));
    }

    [Fact]
    public void Receive_RefusedAgainAndAgain_WaitsLongerUpToALimit()
    {
        var session = Connected(out var plm);
        session.Ledger.Enqueue(TestTask.Make());
        plm.IsFull = _ => true;
        long last = 0;
        for (var round = 0; round < 12; round++)
        {
            session.Send();
            session.ArriveUp();
            while (session.Down.Count > 0)
            {
                session.ArriveDown();
            }

            last = session.Ledger.HoldUntilMs - session.NowMs;
            session.NowMs = session.Ledger.HoldUntilMs;
        }

        Assert.InRange(last, 20 << 5, SessionLimits.HoldMsMax);
    }

    [Fact]
    public void Receive_RefusedForGood_EndsWithItsCode()
    {
        var session = Connected(out _);
        var task = TestTask.Make();
        session.Ledger.Enqueue(task);
        session.Send();

        session.Receive(new()
        {
            Accepted =
            {
                new Accepted
                {
                    FirstRef = 1,
                    TaskIds = { 0 },
                    Errors = { new ItemError { Code = "FEATURE_UNSUPPORTED", Message = "no queues yet" } },
                },
            },
        });

        var refusal = Assert.Throws<MusterException>(task.ThrowIfRefused);
        Assert.Equal("FEATURE_UNSUPPORTED", refusal.Code);
        Assert.Equal(1, task.EndedCount);
    }

    [Fact]
    public void Cancel_AtEachStage_EndsTheTaskOnce()
    {
        var session = Connected(out _);
        var tasks = TestTask.Many(3);
        session.Ledger.Enqueue(tasks[0]);
        session.Send();
        session.ArriveUp();
        session.ArriveDown();
        session.ArriveDown();
        session.Ledger.Enqueue(tasks[1]);
        session.Send();
        session.Ledger.Enqueue(tasks[2]);

        tasks.ForEach(session.Ledger.WantCancel);
        session.Settle();

        Assert.All(tasks, task => Assert.Equal(1, task.EndedCount));
        Assert.Equal(Muster.Outcome.Cancelled, tasks[0].Outcome);
        Assert.Equal(Muster.Outcome.Cancelled, tasks[2].Outcome);
        Assert.Equal(TaskId.None, tasks[2].Id);
    }

    [Fact]
    public void Receive_UnpackedNumbersAndUnknownFields_AreUnderstood()
    {
        var session = Connected(out _);
        var task = TestTask.Make();
        session.Ledger.Enqueue(task);
        session.Send();

        // Accepted { first_ref 1, task_ids as a single fixed64, unknown field 15 }.
        byte[] accepted = [0x08, 1, 0x11, 7, 0, 0, 0x10, 0, 0, 0, 0, 0x7a, 1, 9];
        byte[] message = [0x12, (byte)accepted.Length, .. accepted];
        session.Receive(SessionResponse.Parser.ParseFrom(message));

        Assert.Equal(PendingStage.Accepted, task.Stage);
        Assert.Equal(new TaskId(0x1000_0007), task.Id);
    }

    [Fact]
    public void Receive_DamagedResult_LeavesTheTaskForTheNextStream()
    {
        var session = Connected(out var plm);
        var task = TestTask.Make();
        session.Ledger.Enqueue(task);
        session.Send();
        session.ArriveUp();
        session.ArriveDown();
        session.ArriveDown();
        var id = task.Id.Value;

        // A result of the task with an output that is longer than the message.
        var events = new SessionEvents();
        var message = new byte[] { 0x1a, 13, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0x32, 0x7f };
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(3), id);
        Assert.Throws<Muster.Transport.Wire.WireFormatException>(
            () => session.Ledger.Receive(message, session.NowMs, events));

        plm.Finish(1);
        session.Connect();
        session.Settle();
        Assert.Equal(1, task.EndedCount);
        Assert.Equal(Muster.Outcome.Succeeded, task.Outcome);
    }

    private static LedgerSession Connected(
        out PlmModel plm, uint outstandingMax = 10_000, long confirmHoldMs = 0)
    {
        plm = new() { OutstandingMax = outstandingMax };
        var session = new LedgerSession(plm, confirmHoldMs: confirmHoldMs);
        session.Connect();
        return session;
    }
}
