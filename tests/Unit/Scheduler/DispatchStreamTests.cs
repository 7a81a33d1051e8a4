// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Scheduler;
using Xunit;

namespace Muster.Unit.Scheduler;

public sealed class DispatchStreamTests
{
    [Fact]
    public void Open_UnknownWorker_IsRefused()
    {
        using var cell = new SchedulerCell();
        cell.AddWorker(1);
        var facts = new DispatchFacts { WorkerId = 9, Nonce = 1 };
        Assert.Equal(FaultCode.WorkerUnknown, cell.Core.WorkerDispatchOpened(77, facts, out _).Code);
    }

    [Fact]
    public void Open_WrongNonceOrOldEpoch_IsFenced()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(1);
        Assert.Equal(FaultCode.WorkerFenced, cell.Open(row, nonce: 5).Code);
        var old = new DispatchFacts { WorkerId = cell.Arena.Workers.IdOf(row), Nonce = cell.Arena.Workers[row].Nonce };
        cell.Lose(row);
        Assert.Equal(FaultCode.WorkerFenced, cell.Core.WorkerDispatchOpened(77, old, out _).Code);
        Assert.Equal(FaultCode.WorkerFenced, cell.Open(row).Code);
    }

    [Fact]
    public void Reopen_AttemptNeverReceived_IsSentAgainUnderTheSameAttempt()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(4);
        cell.Open(row);
        cell.Submit(3);
        cell.Run();
        var keys = cell.Effects.Sent.Select(sent => sent.Key).ToArray();
        cell.Core.WorkerDispatchClosed(row, cell.LastStream);
        cell.Effects.Sent.Clear();

        cell.Open(row, inHand: [keys[0]], unconfirmed: [keys[1]], ended: 1);
        Assert.Equal(keys[2], Assert.Single(cell.Effects.Sent).Key);
        Assert.Equal(2ul, cell.Core.InFlight(row));
        Assert.Empty(cell.Effects.Cancelled);
    }

    [Fact]
    public void Reopen_AttemptOfSomebodyElse_IsCancelled()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(4);
        cell.Open(row);
        var id = cell.Submit();
        cell.Run();
        var key = cell.Effects.Sent[0].Key;
        cell.Core.WorkerDispatchClosed(row, cell.LastStream);
        Assert.True(cell.Cancel(id));
        cell.Run();
        Assert.Empty(cell.Effects.Cancelled);

        cell.Open(row, inHand: [key]);
        Assert.Equal((row, key), Assert.Single(cell.Effects.Cancelled));
        Assert.Equal(1ul, cell.Core.InFlight(row));
        cell.Ended(row, 1);
        cell.Run();
        Assert.Equal(0ul, cell.Core.InFlight(row));
    }

    [Fact]
    public void Cancel_OpenStream_IsPassedOn()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(4);
        cell.Open(row);
        var id = cell.Submit();
        cell.Run();
        Assert.True(cell.Cancel(id));
        cell.Run();
        Assert.Equal((row, cell.Effects.Sent[0].Key), Assert.Single(cell.Effects.Cancelled));
    }

    [Fact]
    public void Open_Twice_ClosesTheOlderStreamAndIgnoresItsEnd()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(1);
        cell.Open(row);
        var older = cell.LastStream;
        cell.Open(row);
        Assert.Equal((row, older, FaultCode.Unavailable), Assert.Single(cell.Effects.Closed));
        cell.Core.WorkerDispatchClosed(row, older);
        cell.Submit();
        cell.Run();
        Assert.Single(cell.Effects.Sent);
        Assert.Equal(1u, cell.Arena.Workers[row].Dispatching);
    }

    [Fact]
    public void Restart_RunningWork_IsLeftAlone()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(4);
        cell.Open(row);
        cell.Submit(2);
        cell.Run();
        var keys = cell.Effects.Sent.Select(sent => sent.Key).ToArray();
        cell.Effects.Sent.Clear();
        cell.Restart();
        Assert.Equal(0u, cell.Arena.Workers[row].Dispatching);
        cell.Open(row, inHand: keys);
        cell.Run();
        Assert.Empty(cell.Effects.Sent);
        Assert.Equal(2ul, cell.Core.InFlight(row));
    }

    [Fact]
    public void Fence_SeenBetweenTakeAndSend_GivesTheTaskBack()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(4);
        cell.Open(row);
        cell.Run();
        var id = cell.Submit();

        // The epoch is raised, but the mark has not been seen.
        cell.Arena.Workers[row].Epoch++;
        cell.Arena.Workers[row].Health = (uint)WorkerHealth.Lost;
        cell.Run();
        Assert.Empty(cell.Effects.Sent);
        Assert.Equal(TaskState.Ready, cell.StateOf(id));
        Assert.Equal(FaultCode.WorkerFenced, Assert.Single(cell.Effects.Closed).Code);
        Assert.Equal(0, cell.Arena.Tasks[id.Slot].Executions);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Returned_CurrentAttempt_IsReadyAgainAndThePauseHolds()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(1);
        cell.Open(row);
        var id = cell.Submit();
        cell.Run();
        var key = cell.Effects.Sent[0].Key;
        Assert.True(cell.Core.AttemptsReturned(row, cell.LastStream, [key], cell.NowMs).IsNone);
        cell.Run();
        Assert.Equal(TaskState.Ready, cell.StateOf(id));
        Assert.Equal(0ul, cell.Core.InFlight(row));
        Assert.Equal(cell.NowMs + 1_000, cell.Core.NextDueMs);

        cell.NowMs += 1_000;
        cell.Run();
        Assert.Equal(2, cell.Effects.Sent.Count);
        Assert.True(cell.Effects.Sent[1].Key.Attempt.Value > key.Attempt.Value);
        Assert.Equal(long.MaxValue, cell.Core.NextDueMs);
    }

    [Fact]
    public void Returned_MoreThanHeld_EndsTheStream()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(1);
        cell.Open(row);
        AttemptKey[] garbage = [new(new(123), new(5))];
        Assert.Equal(
            FaultCode.InvalidArgument, cell.Core.AttemptsReturned(row, cell.LastStream, garbage, cell.NowMs).Code);
        Assert.Single(cell.Effects.Closed);
    }

    [Fact]
    public void Returned_OverAndOver_NeverUsesUpTheAttempts()
    {
        using var cell = new SchedulerCell(new SchedulerOptions { ReturnPauseMs = 1 });
        var row = cell.AddWorker(1);
        cell.Open(row);
        cell.Submit();
        for (var i = 0; i < 5_000; i++)
        {
            cell.NowMs += 2;
            cell.Run();
            if (!cell.Core.AttemptsReturned(row, cell.LastStream, [cell.Effects.Sent[^1].Key], cell.NowMs).IsNone)
            {
                break;
            }
        }

        Assert.Equal(FaultCode.InvalidArgument, Assert.Single(cell.Effects.Closed).Code);
        Assert.Equal(SchedulerLimits.ReturnableCountMax, cell.Effects.Sent[^1].Key.Attempt.Count);
    }

    [Fact]
    public void Ended_MoreThanEverSent_EndsTheStreamInsteadOfPouring()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(2);
        cell.Open(row);
        cell.Submit(100);
        cell.Run();
        cell.Ended(row, ulong.MaxValue);
        cell.Run();
        Assert.Equal(2, cell.Effects.Sent.Count);
        Assert.Equal(FaultCode.InvalidArgument, Assert.Single(cell.Effects.Closed).Code);
    }

    [Fact]
    public void Stream_Full_GivesBackAndWaitsForRoom()
    {
        using var cell = new SchedulerCell();
        var row = cell.AddWorker(8);
        cell.Open(row);
        var ids = cell.Submit(5);
        cell.Effects.Room = 2;
        cell.Run();
        Assert.Equal(2, cell.Effects.Sent.Count);
        Assert.Equal(3, ids.Count(id => cell.StateOf(id) == TaskState.Ready));
        Assert.Equal(2ul, cell.Core.InFlight(row));

        cell.Effects.Room = int.MaxValue;
        cell.Run();
        Assert.Equal(2, cell.Effects.Sent.Count);
        cell.Core.StreamHasRoom(row, cell.LastStream);
        cell.Run();
        Assert.Equal(5, cell.Effects.Sent.Count);
    }

    [Fact]
    public void Place_SteadyState_AllocatesNothing()
    {
        using var cell = new SchedulerCell();
        var rows = new[] { cell.AddWorker(64), cell.AddWorker(64) };
        foreach (var row in rows)
        {
            cell.Open(row);
        }

        cell.Effects.CountOnly = true;
        cell.Submit(4_000);
        cell.Run();
        ulong ended = 0;
        Turn(10);
        var before = System.GC.GetAllocatedBytesForCurrentThread();
        Turn(20);
        Assert.Equal(0, System.GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(2 * (64 + (30 * 32)), cell.Effects.Count);

        void Turn(int count)
        {
            for (var i = 0; i < count; i++)
            {
                ended += 32;
                cell.Ended(rows[0], ended);
                cell.Ended(rows[1], ended);
                cell.Run();
            }
        }
    }
}
