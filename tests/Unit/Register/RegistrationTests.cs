// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Register;
using Xunit;
using static Muster.Unit.Register.RegisterCell;

namespace Muster.Unit.Register;

public sealed class RegistrationTests
{
    [Fact]
    public void Hello_ArenaNotBroughtUpToDate_IsToldToComeAgain()
    {
        using var cell = new RegisterCell();
        cell.Arena.Set(CellCounter.Populated, 0);
        Assert.Equal(FaultCode.Unavailable, cell.Hello(Facts(1), out _).Code);
    }

    [Fact]
    public void Hello_FromAnEarlierArenaOfTheCell_KeepsTheAttemptsThatStillCount()
    {
        using var cell = new RegisterCell(epoch: 3);
        cell.Arena.Set(CellCounter.JournalLineage, 99);
        var held = cell.Restored();
        var taken = cell.Restored();
        var before = new Attempt((2 << Attempt.CountBits) | 7);
        var gone = new AttemptKey(new TaskId(500, TaskId.FirstGeneration(2)), before);

        // Another worker was faster with the second task.
        cell.Hello(1);
        cell.Assign(taken, 0);
        AttemptKey[] inHand = [new(held, before), new(taken, before), gone];
        var facts = Facts(2, workerId: 1ul << 32) with { CellId = 99, Epoch = 2, InHand = inHand };
        Assert.True(cell.Hello(facts, out var welcome).IsNone);
        Assert.False(welcome.IsFenced);
        var superseded = new List<AttemptKey>();
        cell.Core.TakeBackAttempts(welcome.Row, facts, cell.NowUnixUs, superseded);
        Assert.Equal([inHand[1], gone], superseded);
        Assert.Equal(TaskState.Assigned, cell.StateOf(inHand[0]));

        // Its result counts, under the number that the attempt always had.
        Assert.Empty(cell.Beat(welcome.Row, cell.LastStream, new Report(inHand[0], 9, "out")).Superseded);
        Assert.Equal(TaskState.Reported, cell.StateOf(inHand[0]));
    }

    [Fact]
    public void Hello_FromAnotherCell_IsFenced()
    {
        using var cell = new RegisterCell(epoch: 3);
        cell.Arena.Set(CellCounter.JournalLineage, 99);
        var facts = Facts(2, workerId: 7ul << 32) with { CellId = 98, Epoch = 2 };
        Assert.True(cell.Hello(facts, out var welcome).IsNone);
        Assert.True(welcome.IsFenced);
    }

    [Fact]
    public void Hello_First_GetsARowAnIdAndALease()
    {
        using var cell = new RegisterCell();
        var welcome = cell.Hello(nonce: 11);
        Assert.Equal(0u, welcome.Row);
        Assert.Equal(((1UL << RegisterLimits.RowEpochBits) + 1) << 32, welcome.WorkerId);
        Assert.Equal(3_000u, welcome.LeaseMs);
        Assert.Equal(250u, welcome.IntervalMs);
        Assert.False(welcome.IsFenced);
        Assert.Equal(WorkerHealth.Alive, cell.Arena.Workers.Health(0));
        Assert.Equal("w11", cell.Arena.Workers.Name(0));
        Assert.True(cell.Arena.Handlers.TryFind("work"u8, out var handler));
        Assert.True(cell.Arena.Workers.Offers(0, handler));
        Assert.Equal((0u, cell.Arena.Workers[0].Epoch, 11u), Assert.Single(cell.Effects.Watched));
        Assert.Equal(1, cell.Arena.Workers.TakeChanged(new uint[8]));
    }

    [Fact]
    public void Hello_SameRowInAnArenaMadeAnew_GetsAnotherId()
    {
        using var earlier = new RegisterCell(epoch: 3);
        using var later = new RegisterCell(epoch: 4);
        var before = earlier.Hello(11);
        var after = later.Hello(11, before.WorkerId);
        Assert.Equal(before.Row, after.Row);
        Assert.NotEqual(before.WorkerId, after.WorkerId);
        Assert.True(after.IsFenced);
    }

    [Fact]
    public void Hello_HolderOfTheNonce_GoesOnWithItsRow()
    {
        using var cell = new RegisterCell();
        var first = cell.Hello(11);
        var older = cell.LastStream;
        var again = cell.Hello(11, first.WorkerId);
        Assert.Equal(first.WorkerId, again.WorkerId);
        Assert.False(again.IsFenced);
        Assert.Equal((0u, older, FaultCode.Unavailable), Assert.Single(cell.Effects.Closed));
        Assert.Equal(1, cell.Core.Living);
    }

    [Fact]
    public void Hello_WelcomeLostOnTheWay_FindsItsRowByTheNonce()
    {
        using var cell = new RegisterCell();
        var first = cell.Hello(11);
        Assert.Equal(first.WorkerId, cell.Hello(11).WorkerId);
        Assert.Equal(1, cell.Core.Living);
    }

    [Fact]
    public void Hello_RegisterDiedBetweenFenceAndHealth_AttemptsGoToOthers()
    {
        using var cell = new RegisterCell();
        var first = cell.Hello(11);
        cell.Assign(first.Row);
        cell.Arena.Workers[first.Row].Epoch++;
        cell.Restart();
        var again = cell.Hello(11, first.WorkerId);
        Assert.True(again.IsFenced);
        Assert.NotEqual(first.Row, again.Row);
        Assert.Equal(WorkerHealth.Lost, cell.Arena.Workers.Health(first.Row));
        var told = Assert.Single(cell.ReadFinished());
        Assert.Equal((FinishedRecord.WorkerLost, first.Row), (told.Kind, told.Index));
        Assert.Equal(1, cell.Core.Living);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Hello_ForgedNonce_IsRefusedAndChangesNothing()
    {
        using var cell = new RegisterCell();
        var welcome = cell.Hello(11);
        var stream = cell.LastStream;
        Assert.Equal(FaultCode.WorkerFenced, cell.Hello(RegisterCell.Facts(666, welcome.WorkerId), out _).Code);
        Assert.Empty(cell.Effects.Closed);
        Assert.True(cell.Beat(0, stream).Fault.IsNone);
        Assert.Equal("w11", cell.Arena.Workers.Name(0));
    }

    [Fact]
    public void Hello_IdOfAnotherArena_IsANewFencedRegistration()
    {
        using var cell = new RegisterCell();
        Assert.True(cell.Hello(11, (5UL << 32) | 3).IsFenced);
    }

    [Theory]
    [InlineData(2u, 1ul, 1u, 1, FaultCodeNames.WireVersionUnsupported)]
    [InlineData(1u, 0ul, 1u, 1, FaultCodeNames.InvalidArgument)]
    [InlineData(1u, 1ul, 0u, 1, FaultCodeNames.InvalidArgument)]
    [InlineData(1u, 1ul, 65_536u, 1, FaultCodeNames.InvalidArgument)]
    [InlineData(1u, 1ul, 1u, 0, FaultCodeNames.InvalidArgument)]
    [InlineData(1u, 1ul, 1u, 1_025, FaultCodeNames.TooManyHandlers)]
    public void Hello_OutOfBounds_IsRefused(uint version, ulong nonce, uint slots, int handlers, string code)
    {
        using var cell = new RegisterCell();
        var facts = RegisterCell.Facts(nonce) with
        {
            WireVersion = version,
            Slots = slots,
            Handlers = [.. Enumerable.Range(0, handlers).Select(i => $"h{i}")],
        };
        Assert.Equal(code, FaultCodes.Name(cell.Hello(facts, out _).Code));
        Assert.Equal(0u, cell.Arena.Workers.HighWater);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a\tb")]
    [InlineData("a\u001b[31m")]
    [InlineData("a\u202eb")]
    public void Hello_BadHandlerName_IsRefused(string name)
    {
        using var cell = new RegisterCell();
        var facts = RegisterCell.Facts(1) with { Handlers = [name] };
        Assert.Equal(FaultCode.HandlerNameInvalid, cell.Hello(facts, out _).Code);
        facts = facts with { Handlers = [new string('x', 129)] };
        Assert.Equal(FaultCode.HandlerNameInvalid, cell.Hello(facts, out _).Code);
    }

    [Fact]
    public void Hello_HandlerTableFull_IsRefused()
    {
        using var cell = new RegisterCell();
        for (var i = 0; i < 2; i++)
        {
            var facts = RegisterCell.Facts((ulong)i + 1) with
            {
                Handlers = [.. Enumerable.Range(i * 600, 600).Select(n => $"h{n}")],
            };
            var fault = cell.Hello(facts, out _);
            Assert.Equal(i == 0 ? FaultCode.None : FaultCode.TooManyHandlers, fault.Code);
        }
    }

    [Fact]
    public void Hello_TableFull_IsRefusedUntilALongGoneRowIsFree()
    {
        using var cell = new RegisterCell();
        for (ulong nonce = 1; nonce <= 16; nonce++)
        {
            cell.Hello(nonce);
        }

        Assert.Equal(FaultCode.TooManyWorkers, cell.Hello(RegisterCell.Facts(17), out _).Code);
        var held = cell.Assign(3);
        cell.Core.ProcessExited(3, cell.Arena.Workers[3].Epoch, cell.NowMs, cell.NowUnixUs);
        cell.Core.ProcessExited(4, cell.Arena.Workers[4].Epoch, cell.NowMs, cell.NowUnixUs);
        KeepAlive();
        Assert.Equal(FaultCode.TooManyWorkers, cell.Hello(RegisterCell.Facts(17), out _).Code);

        // The PLM reads the records; row 3 is still named by a slot, row 4 is not.
        Assert.Equal(2, cell.ReadFinished().Count);
        cell.Pass(100);
        var welcome = cell.Hello(17);
        Assert.Equal(4u, welcome.Row);
        Assert.Equal((1u << RegisterLimits.RowEpochBits) + 3, (uint)(welcome.WorkerId >> 32));
        Assert.Equal(0UL, cell.Arena.Workers[4].ResultNumber);
        Assert.Equal(Muster.Core.Tasks.TaskState.Assigned, cell.StateOf(held));

        void KeepAlive()
        {
            for (var i = 0; i < 61; i++)
            {
                cell.Pass(1_000);
                for (uint row = 0; row < 16; row++)
                {
                    if (row is not (3 or 4))
                    {
                        cell.Beat(row, row + 1);
                    }
                }
            }
        }
    }

    [Fact]
    public void Interval_LargeFleet_SlowsDown()
    {
        using var cell = new RegisterCell(new RegisterOptions { BeatsPerSecondMax = 100, IntervalMs = 50 });
        for (ulong nonce = 1; nonce <= 4; nonce++)
        {
            Assert.Equal(50u, cell.Hello(nonce).IntervalMs);
        }

        for (ulong nonce = 5; nonce <= 16; nonce++)
        {
            cell.Hello(nonce);
        }

        Assert.Equal(160u, cell.Core.IntervalMs);
        Assert.Equal(160u, cell.Beat(0, 1).IntervalMs);
        Assert.Equal(0u, cell.Beat(0, 1).IntervalMs);
    }

    [Fact]
    public void Interval_MiddlingFleet_SlowsDownWithinTheLease()
    {
        using var cell = new RegisterCell(
            new RegisterOptions { BeatsPerSecondEased = 10, LeaseMs = 1_500, SuspectMs = 500 });
        for (ulong nonce = 1; nonce <= 16; nonce++)
        {
            Assert.Equal(1_500u, cell.Hello(nonce).LeaseMs);
        }

        // 16 workers at 10 beats a second would be 1.6 s; the lease of three beats allows 500 ms.
        Assert.Equal(500u, cell.Core.IntervalMs);
        Assert.Equal(500u, cell.Beat(0, 1).IntervalMs);

        // Two beats missed are suspicious and three are the end, whatever the options of small fleets say.
        cell.Pass(950);
        Assert.Equal(WorkerHealth.Alive, cell.Arena.Workers.Health(0));
        cell.Pass(100);
        Assert.Equal(WorkerHealth.Suspect, cell.Arena.Workers.Health(0));
    }

    private static class FaultCodeNames
    {
        public const string WireVersionUnsupported = "WIRE_VERSION_UNSUPPORTED";
        public const string InvalidArgument = "INVALID_ARGUMENT";
        public const string TooManyHandlers = "TOO_MANY_HANDLERS";
    }
}
