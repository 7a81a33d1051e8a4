// SPDX-License-Identifier: Apache-2.0
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Register;
using Xunit;

namespace Muster.Unit.Register;

public sealed class HealthTests
{
    // Of a row's first registration in the arena of epoch 1.
    private const ulong FirstEpoch = (1ul << RegisterLimits.RowEpochBits) + 1;

    [Fact]
    public void Silence_GoesFromAliveThroughSuspectToLost()
    {
        using var cell = new RegisterCell();
        var welcome = cell.Hello(1);
        cell.Pass(950);
        Assert.Equal(WorkerHealth.Alive, cell.Arena.Workers.Health(0));
        cell.Pass(50);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
        Assert.Empty(cell.ReadFinished());
        cell.Pass(1_950);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
        cell.Pass(50);
        Assert.Equal(WorkerHealth.Lost, cell.Arena.Workers.Health(0));
        Assert.Equal(new FinishedRecord(FinishedRecord.WorkerLost, 0, FirstEpoch), Assert.Single(cell.ReadFinished()));
        Assert.Equal(FaultCode.WorkerFenced, Assert.Single(cell.Effects.Closed).Code);
        Assert.NotEqual(welcome.WorkerId, cell.Arena.Workers.IdOf(0));
        Assert.Equal(1ul, cell.Arena.Counter(CellCounter.WorkersLost));
    }

    [Fact]
    public void Suspect_BeatsAgain_IsAlive()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        cell.Pass(2_000);
        cell.Beat(0, cell.LastStream);
        Assert.Equal(WorkerHealth.Alive, cell.Arena.Workers.Health(0));
        cell.Pass(2_000);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
    }

    [Fact]
    public void StreamClosed_IsSuspectAtOnceAndLostWhenTheLeaseEnds()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        cell.Core.StreamClosed(0, cell.LastStream, cell.NowMs, cell.NowUnixUs);
        Assert.Equal((0u, WorkerHealth.Suspect, WorkerReason.StreamClosed), cell.Effects.Changes[^1]);
        cell.Pass(2_950);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
        cell.Pass(50);
        Assert.Equal(WorkerHealth.Lost, cell.Arena.Workers.Health(0));
    }

    [Fact]
    public void StreamClosed_OpenedAgain_NothingIsReRun()
    {
        using var cell = new RegisterCell();
        var welcome = cell.Hello(1);
        var key = cell.Assign(0);
        cell.Core.StreamClosed(0, cell.LastStream, cell.NowMs, cell.NowUnixUs);
        cell.Pass(1_500);
        Assert.False(cell.Hello(1, welcome.WorkerId).IsFenced);
        Assert.Equal(WorkerHealth.Alive, cell.Arena.Workers.Health(0));
        Assert.Equal(Muster.Core.Tasks.TaskState.Assigned, cell.StateOf(key));
        Assert.Empty(cell.ReadFinished());
    }

    [Fact]
    public void ConnectionClosedByPeer_NobodyWatchesTheProcess_IsGoneUnlessItComesBackAtOnce()
    {
        using var cell = new RegisterCell();
        var first = HelloFromElsewhere(cell, 1);
        HelloFromElsewhere(cell, 2);
        CloseByPeer(cell, 0, cell.LastStream - 1);
        CloseByPeer(cell, 1, cell.LastStream);
        Assert.Equal(cell.NowMs + 25, cell.Core.NextDueMs);
        cell.NowMs += 20;
        cell.Core.RunDue(cell.NowMs, cell.NowUnixUs);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
        Assert.True(cell.Hello(Elsewhere(1, first.WorkerId), out var again).IsNone);
        Assert.False(again.IsFenced);
        cell.NowMs += 5;
        cell.Core.RunDue(cell.NowMs, cell.NowUnixUs);
        Assert.Equal(WorkerHealth.Alive, cell.Arena.Workers.Health(0));
        Assert.Equal((1u, WorkerHealth.Gone, WorkerReason.ConnectionsClosed), cell.Effects.Changes[^1]);
        Assert.Single(cell.ReadFinished());
        Assert.Equal(long.MaxValue, cell.Core.NextDueMs);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void ConnectionClosedByPeer_ComesBackTooLate_IsFencedAndThePlmHearsThatItLives()
    {
        using var cell = new RegisterCell();
        var first = HelloFromElsewhere(cell, 1);
        HelloFromElsewhere(cell, 2);
        CloseByPeer(cell, 0, cell.LastStream - 1);
        cell.NowMs += 25;
        cell.Core.RunDue(cell.NowMs, cell.NowUnixUs);
        Assert.Equal(FinishedRecord.WorkerLost, Assert.Single(cell.ReadFinished()).Kind);

        // Another process with that id proves nothing.
        cell.Hello(Elsewhere(9, first.WorkerId), out _);
        Assert.Empty(cell.ReadFinished());
        cell.NowMs += 100;
        Assert.True(cell.Hello(Elsewhere(1, first.WorkerId), out var again).IsNone);
        Assert.True(again.IsFenced);
        Assert.NotEqual(0u, again.Row);
        var epoch = (uint)(first.WorkerId >> 32);
        Assert.Equal(
            new FinishedRecord(FinishedRecord.WorkerLived, 0, epoch), Assert.Single(cell.ReadFinished()));
        Assert.Equal((uint)WorkerReason.LivedAfterAll, cell.Arena.Workers[0].HealthReason);

        // It was away for 125 ms, so it may be for twice as long.
        CloseByPeer(cell, again.Row, cell.LastStream);
        Assert.Equal(cell.NowMs + 250, cell.Core.NextDueMs);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void ConnectionClosedByPeer_ProcessIsWatched_SaysNothingOfTheProcess()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        CloseByPeer(cell, 0, cell.LastStream);
        Assert.Equal(long.MaxValue, cell.Core.NextDueMs);
        cell.Pass(2_950);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
    }

    [Fact]
    public void ConnectionClosedByPeer_WatchFailed_IsGone()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        cell.Core.ProcessUnknown(0, cell.Arena.Workers[0].Epoch);
        CloseByPeer(cell, 0, cell.LastStream);
        cell.NowMs += 25;
        cell.Core.RunDue(cell.NowMs, cell.NowUnixUs);
        Assert.Equal(WorkerHealth.Gone, cell.Arena.Workers.Health(0));
    }

    [Fact]
    public void ConnectionClosedByPeer_OtherStreamStillOpen_WaitsForItsEnd()
    {
        using var cell = new RegisterCell();
        HelloFromElsewhere(cell, 1);
        cell.Arena.Workers[0].Dispatching = 1;
        CloseByPeer(cell, 0, cell.LastStream);
        cell.NowMs += 25;
        cell.Core.RunDue(cell.NowMs, cell.NowUnixUs);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
        cell.Arena.Workers[0].Dispatching = 0;
        cell.NowMs = cell.Core.NextDueMs;
        cell.Core.RunDue(cell.NowMs, cell.NowUnixUs);
        Assert.Equal(WorkerHealth.Gone, cell.Arena.Workers.Health(0));
    }

    [Fact]
    public void ConnectionClosedByPeer_ManyAtOnce_AreHeldByTheBrake()
    {
        using var cell = new RegisterCell();
        for (var nonce = 1u; nonce <= 6; nonce++)
        {
            HelloFromElsewhere(cell, nonce);
        }

        for (var row = 0u; row < 3; row++)
        {
            CloseByPeer(cell, row, row + 1);
        }

        cell.NowMs += 25;
        cell.Core.RunDue(cell.NowMs, cell.NowUnixUs);
        Assert.Empty(cell.ReadFinished());
        Assert.Equal(long.MaxValue, cell.Core.NextDueMs);
        cell.Pass(2_950);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
    }

    [Fact]
    public void ConnectionClosedByPeer_RegisterStoodStill_WaitsForTheLease()
    {
        using var cell = new RegisterCell();
        HelloFromElsewhere(cell, 1);
        cell.Pass(50);

        // Nobody answered for two seconds, so the worker closed its connection and opens another.
        cell.NowMs += 2_000;
        CloseByPeer(cell, 0, cell.LastStream);
        cell.NowMs += 25;
        cell.Core.RunDue(cell.NowMs, cell.NowUnixUs);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
        Assert.Equal(long.MaxValue, cell.Core.NextDueMs);
    }

    [Fact]
    public void ConnectionClosedByPeer_LookedAtLate_GetsItsTimeAgain()
    {
        using var cell = new RegisterCell();
        HelloFromElsewhere(cell, 1);
        CloseByPeer(cell, 0, cell.LastStream);
        cell.NowMs += 60;
        cell.Core.RunDue(cell.NowMs, cell.NowUnixUs);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
        Assert.Equal(cell.NowMs + 25, cell.Core.NextDueMs);
    }

    private static RegistrationFacts Elsewhere(ulong nonce, ulong workerId = 0) =>
        RegisterCell.Facts(nonce, workerId) with { IsOnThisHost = false };

    private static Welcome HelloFromElsewhere(RegisterCell cell, ulong nonce)
    {
        Assert.True(cell.Hello(Elsewhere(nonce), out var welcome).IsNone);
        return welcome;
    }

    private static void CloseByPeer(RegisterCell cell, uint row, long stream) =>
        cell.Core.StreamClosed(row, stream, cell.NowMs, cell.NowUnixUs, isClosedByPeer: true);

    [Fact]
    public void ProcessExited_IsGoneAtOnce()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        cell.Core.ProcessExited(0, 7, cell.NowMs, cell.NowUnixUs);
        Assert.Equal(WorkerHealth.Alive, cell.Arena.Workers.Health(0));
        cell.Core.ProcessExited(0, cell.Arena.Workers[0].Epoch, cell.NowMs, cell.NowUnixUs);
        Assert.Equal((0u, WorkerHealth.Gone, WorkerReason.ProcessExited), cell.Effects.Changes[^1]);
        Assert.Equal(new FinishedRecord(FinishedRecord.WorkerLost, 0, FirstEpoch), Assert.Single(cell.ReadFinished()));
        Assert.Equal(0u, Assert.Single(cell.Effects.Unwatched));
    }

    [Fact]
    public void Goodbye_IsGoneWithoutCountingAsLost()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var answer = cell.Beat(0, cell.LastStream, new BeatFacts { IsGoodbye = true });
        Assert.True(answer.IsLast);
        Assert.Equal((0u, WorkerHealth.Gone, WorkerReason.Goodbye), cell.Effects.Changes[^1]);
        Assert.Equal(0ul, cell.Arena.Counter(CellCounter.WorkersLost));
        Assert.Empty(cell.Effects.Closed);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Draining_StaysDrainingThroughSuspicion()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        cell.Beat(0, cell.LastStream, new BeatFacts { IsDraining = true });
        Assert.Equal(WorkerHealth.Draining, cell.Arena.Workers.Health(0));
        cell.Pass(1_200);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
        cell.Beat(0, cell.LastStream);
        Assert.Equal(WorkerHealth.Draining, cell.Arena.Workers.Health(0));
    }

    [Fact]
    public void Register_WasLateItself_MovesEveryDeadline()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        cell.Pass(500);
        cell.NowMs += 2_000;
        cell.Core.Tick(cell.NowMs, cell.NowUnixUs);
        Assert.Equal(1_950, Assert.Single(cell.Effects.Lateness));
        Assert.Equal(WorkerHealth.Alive, cell.Arena.Workers.Health(0));
        cell.Pass(500);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
        cell.Pass(1_900);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
        cell.Pass(100);
        Assert.Equal(WorkerHealth.Lost, cell.Arena.Workers.Health(0));
    }

    [Fact]
    public void Heartbeats_LayUnread_MovesEveryDeadlineOnce()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        cell.Pass(900);
        cell.NowMs += 350;
        cell.Core.Tick(cell.NowMs, cell.NowUnixUs, inboxLateMs: 320);
        Assert.Equal(320, Assert.Single(cell.Effects.Lateness));
        Assert.Equal(WorkerHealth.Alive, cell.Arena.Workers.Health(0));
        cell.Pass(100);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
    }

    [Fact]
    public void Register_StoodStillForHours_GivesEveryWorkerAFreshLease()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        cell.Pass(2_000);
        cell.NowMs += 3_600_000;
        cell.Core.Tick(cell.NowMs, cell.NowUnixUs);
        cell.Pass(2_900);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
        cell.Pass(100);
        Assert.Equal(WorkerHealth.Lost, cell.Arena.Workers.Health(0));
    }

    [Fact]
    public void Register_LateOverAndOver_StillFindsTheDeadWithinEightTerms()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        cell.Core.Tick(cell.NowMs, cell.NowUnixUs);
        var start = cell.NowMs;
        while (cell.Arena.Workers.Health(0) != WorkerHealth.Lost)
        {
            cell.NowMs += 1_000;
            cell.Core.Tick(cell.NowMs, cell.NowUnixUs);
            Assert.True(cell.NowMs - start <= 8 * 3_000 + 1_000);
        }
    }

    [Fact]
    public void ManySilentTogether_PullTheBrakeOnceForOneLease()
    {
        using var cell = new RegisterCell();
        for (ulong nonce = 1; nonce <= 6; nonce++)
        {
            cell.Hello(nonce);
        }

        cell.Pass(3_000);
        Assert.Equal(1, cell.Effects.Brakes);
        Assert.Equal(6, cell.Core.Living);
        cell.Pass(2_900);
        Assert.Equal(6, cell.Core.Living);
        cell.Pass(150);
        Assert.Equal(0, cell.Core.Living);
        Assert.Equal(1, cell.Effects.Brakes);
    }

    [Fact]
    public void TwoOfThreeSilent_AreTooFewForTheBrake()
    {
        using var cell = new RegisterCell();
        for (ulong nonce = 1; nonce <= 3; nonce++)
        {
            cell.Hello(nonce);
        }

        for (var i = 0; i < 12; i++)
        {
            cell.Pass(250);
            cell.Beat(0, 1);
        }

        Assert.Equal(0, cell.Effects.Brakes);
        Assert.Equal(1, cell.Core.Living);
    }

    [Fact]
    public void Brake_DeadProcesses_AreGoneAllTheSame()
    {
        using var cell = new RegisterCell();
        for (ulong nonce = 1; nonce <= 6; nonce++)
        {
            cell.Hello(nonce);
        }

        cell.Pass(3_000);
        cell.Core.ProcessExited(2, cell.Arena.Workers[2].Epoch, cell.NowMs, cell.NowUnixUs);
        Assert.Equal(WorkerHealth.Gone, cell.Arena.Workers.Health(2));
    }

    [Fact]
    public void Takeover_GivesOneFreshLease_AndTellsThePlmAgain()
    {
        using var cell = new RegisterCell();
        var welcome = cell.Hello(1);
        cell.Hello(2);
        var held = cell.Assign(1);
        cell.Core.ProcessExited(1, cell.Arena.Workers[1].Epoch, cell.NowMs, cell.NowUnixUs);
        cell.ReadFinished();
        cell.Pass(2_900);
        cell.Restart();
        Assert.Equal(new FinishedRecord(FinishedRecord.WorkerLost, 1, FirstEpoch), Assert.Single(cell.ReadFinished()));
        Assert.Equal(Muster.Core.Tasks.TaskState.Assigned, cell.StateOf(held));
        cell.Pass(2_900);
        Assert.NotEqual(WorkerHealth.Lost, cell.Arena.Workers.Health(0));
        Assert.False(cell.Hello(1, welcome.WorkerId).IsFenced);
        Assert.Equal(WorkerHealth.Alive, cell.Arena.Workers.Health(0));
    }

    [Fact]
    public void WorkerThatWasLost_ComesBack_GetsANewRegistrationAndIsTold()
    {
        using var cell = new RegisterCell();
        var first = cell.Hello(1);
        var stream = cell.LastStream;
        var key = cell.Assign(0);
        cell.Pass(3_000);
        Assert.Equal(FaultCode.WorkerFenced, cell.Beat(0, stream, new RegisterCell.Report(key, 1)).Fault.Code);
        Assert.Equal(Muster.Core.Tasks.TaskState.Assigned, cell.StateOf(key));
        var again = cell.Hello(1, first.WorkerId);
        Assert.True(again.IsFenced);
        Assert.NotEqual(first.WorkerId, again.WorkerId);

        // Its welcome is lost, and it asks with the old id once more.
        Assert.True(cell.Hello(1, first.WorkerId).IsFenced);
    }

    [Fact]
    public void WorkerClock_AnHourOff_IsShownAndHarmless()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var key = cell.Assign(0);
        var load = new LoadFacts { ClockUnixUs = cell.NowUnixUs + 3_600_000_000 };
        cell.Beat(
            0,
            cell.LastStream,
            new BeatFacts { HasLoad = true, Load = load },
            new RegisterCell.Report(key, 1, RanUs: 10));
        Assert.Equal(3_600_000_000, cell.Arena.Workers[0].ClockOffsetUs);
        Assert.Equal(Muster.Core.Tasks.TaskState.Reported, cell.StateOf(key));
        cell.Pass(900);
        Assert.Equal(WorkerHealth.Alive, cell.Arena.Workers.Health(0));
    }
}
