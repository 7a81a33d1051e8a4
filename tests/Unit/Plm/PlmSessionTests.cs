// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

public sealed class PlmSessionTests
{
    [Fact]
    public void Open_BadHello_IsRefused()
    {
        using var cell = new PlmCell();
        foreach (var hello in new SessionHello[]
            { new(0, "", 0, 0, 0), new(1, "", 0, 3, 2), new(1, "", 0, 0, 2), new(1, "", 70_000, 0, 0) })
        {
            var fault = cell.Turn(core => Open(core, hello, new FakeStream(cell.Arena)));
            Assert.Equal(FaultCode.InvalidArgument, fault.Code);
        }

        Assert.Equal(0ul, cell.Arena.Clients[0].ClientId);
    }

    [Fact]
    public void Resume_BatchDecidedButAnswerLost_KnowsTheAcceptedRefs()
    {
        using var cell = new PlmCell(new PlmOptions { OutstandingMax = 2 });
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var (ids, _) = cell.Submit(session, stream, cell.Spec(), "a", "b", "refused");
        cell.Turn(core => core.LeaveSession(session, stream));
        var again = cell.Open(7, new FakeStream(cell.Arena), out var known, first: 1, last: 5);
        Assert.Same(session, again);
        Assert.Equal(3ul, again.DecidedRef);
        Assert.Equal([new KnownRef(1, new TaskId(ids[0])), new KnownRef(2, new TaskId(ids[1]))], known);
    }

    [Fact]
    public void Resume_ResultsLost_RepeatsExactlyThoseNotConfirmed()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        cell.Submit(session, stream, cell.Spec(), "a", "b", "c", "d");
        foreach (var task in cell.Assign(3))
        {
            cell.Report(task, output: "out");
        }

        cell.Turn();
        Assert.Equal(3, stream.Results.Count);
        cell.Confirm(session, stream, 1);
        cell.Turn(core => core.LeaveSession(session, stream));
        var second = new FakeStream(cell.Arena);
        cell.Open(7, second);
        Assert.Equal(stream.Results.Skip(1), second.Results);

        // Counting starts anew with the stream.
        Assert.True(cell.Confirm(session, second, 2).IsNone);
        cell.Report(cell.Assign()[0]);
        cell.Turn();
        Assert.Equal(4ul, second.Results[^1].Ref);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Open_SecondStreamOfTheSameClient_TakesOverAndClosesTheFirst()
    {
        using var cell = new PlmCell();
        var first = new FakeStream(cell.Arena);
        var session = cell.Open(7, first);
        cell.Submit(session, first, cell.Spec(), "a");
        var second = new FakeStream(cell.Arena);
        cell.Open(7, second);
        Assert.Equal(FaultCode.SessionTakenOver, first.Closed.Code);
        Assert.Equal(FaultCode.SessionTakenOver, cell.Confirm(session, first, 0).Code);
        cell.Turn(core =>
        {
            Assert.Equal(FaultCode.SessionTakenOver, core.BeginBatch(session, first, 2, 1, default).Code);
            core.LeaveSession(session, first);
        });
        cell.Report(cell.Assign()[0]);
        cell.Turn();
        Assert.Empty(first.Results);
        Assert.Single(second.Results);
        Assert.Equal(1ul, cell.Arena.Counter(CellCounter.ClientsNow));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Open_HelloOvertakenByALaterStream_DoesNotTakeTheSessionBack()
    {
        using var cell = new PlmCell();
        var (early, late) = (new FakeStream(cell.Arena), new FakeStream(cell.Arena));
        Assert.True(Open(late, 2).IsNone);
        Assert.Equal(FaultCode.SessionTakenOver, Open(early, 1).Code);
        Assert.True(late.Closed.IsNone);

        // Without numbers the last to arrive has it.
        Assert.True(Open(early, 0).IsNone);
        Assert.Equal(FaultCode.SessionTakenOver, late.Closed.Code);

        Fault Open(FakeStream stream, ulong number) => cell.Turn(core => core.OpenSession(
            new SessionHello(7, "test", 0, 0, 0, StreamNumber: number), stream, [], out _));
    }

    [Fact]
    public void Confirm_MoreThanSentOrLessThanBefore_IsRefused()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        cell.Submit(session, stream, cell.Spec(), "a", "b");
        cell.Report(cell.Assign(1)[0]);
        cell.Turn();
        Assert.Equal(FaultCode.InvalidArgument, cell.Confirm(session, stream, 2).Code);
        Assert.True(cell.Confirm(session, stream, 1).IsNone);
        Assert.Equal(FaultCode.InvalidArgument, cell.Confirm(session, stream, 0).Code);
        Assert.Equal(1u, session.Outstanding);
    }

    [Fact]
    public void Deliver_UnconfirmedMaxReached_WaitsForConfirmations()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream, unconfirmedMax: 2);
        SubmitAndReport(cell, session, stream, 5);
        Assert.Equal(2, stream.Results.Count);
        cell.Confirm(session, stream, 1);
        Assert.Equal(3, stream.Results.Count);
        cell.Confirm(session, stream, 3);
        Assert.Equal([1ul, 2, 3, 4, 5], stream.Results.Select(result => result.Ref));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Deliver_StreamHasNoRoom_GoesOnWhenItHas()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena) { Room = 2 };
        var session = cell.Open(7, stream);
        SubmitAndReport(cell, session, stream, 5);
        Assert.Equal(2, stream.Results.Count);
        cell.Turn();
        Assert.Equal(2, stream.Results.Count);
        cell.Core.CheckInvariants();
        stream.Room = int.MaxValue;
        cell.Turn(core => core.ResumeDelivery(session, stream));
        Assert.Equal([1ul, 2, 3, 4, 5], stream.Results.Select(result => result.Ref));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Session_LeftForAnHour_IsForgottenAndItsRunningTaskFreedWhenItEnds()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var (ids, _) = cell.Submit(session, stream, cell.Spec(), "ended", "running");
        var taken = cell.Assign();
        cell.Report(taken[0], output: "unseen");
        cell.Turn(core => core.LeaveSession(session, stream));
        cell.NowMs += 3_600_000 - 1;
        cell.Turn();
        Assert.False(session.IsForgotten);
        cell.NowMs += PlmLimits.SessionSweepMs + 1;
        cell.Turn();
        Assert.True(session.IsForgotten);
        Assert.Equal(TaskState.Free, cell.StateOf(ids[0]));
        Assert.Equal(TaskState.Assigned, cell.StateOf(ids[1]));
        Assert.Equal(FaultCode.SessionUnknown, cell.Confirm(session, stream, 0).Code);
        cell.Report(taken[1], output: "nobody waits");
        cell.Turn();
        Assert.Equal(TaskState.Free, cell.StateOf(ids[1]));
        cell.DrainOthers();
        Assert.Equal(0, cell.ResultBytesUsed);
        Assert.Equal(0ul, cell.Arena.Clients[session.Row].ClientId);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Open_AllRowsTaken_MakesRoomOfAnIdleOneOrRefuses()
    {
        using var cell = new PlmCell();
        var streams = new List<(PlmSession Session, FakeStream Stream)>();
        for (ulong client = 1; client <= 16; client++)
        {
            var stream = new FakeStream(cell.Arena);
            streams.Add((cell.Open(client, stream), stream));
        }

        var late = new SessionHello(99, "late", 0, 0, 0);
        Assert.Equal(FaultCode.TooManyClients, cell.Turn(core => Open(core, late, new FakeStream(cell.Arena))).Code);

        // One that left with work outstanding is kept, one that left with nothing is not.
        cell.Submit(streams[3].Session, streams[3].Stream, cell.Spec(), "x");
        cell.Turn(core => core.LeaveSession(streams[3].Session, streams[3].Stream));
        Assert.Equal(FaultCode.TooManyClients, cell.Turn(core => Open(core, late, new FakeStream(cell.Arena))).Code);
        cell.Turn(core => core.LeaveSession(streams[5].Session, streams[5].Stream));
        Assert.True(cell.Turn(core => Open(core, late, new FakeStream(cell.Arena))).IsNone);
        Assert.True(streams[5].Session.IsForgotten);
        cell.Core.CheckInvariants();
    }

    private static Fault Open(PlmCore core, SessionHello hello, FakeStream stream) =>
        core.OpenSession(hello, stream, [], out _);

    private static void SubmitAndReport(PlmCell cell, PlmSession session, FakeStream stream, int count)
    {
        cell.Submit(session, stream, cell.Spec(), [.. Enumerable.Repeat("x", count)]);
        foreach (var task in cell.Assign())
        {
            cell.Report(task, output: "out");
        }

        cell.Turn();
    }
}
