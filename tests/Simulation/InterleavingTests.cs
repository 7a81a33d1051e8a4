// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Arena.Spill;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Muster.Unit.Plm;
using Muster.Unit.Register;
using Xunit;

namespace Muster.Simulation;

/// <summary>What another role does between two writes of a role, at a chosen place.</summary>
public sealed class InterleavingTests
{
    // Claimed by a worker at every place at which the Scheduler may be first, and the same of a cell in which a
    // Register died with the claim half made.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    public void TakeBack_SchedulerPlacesTheTaskMeanwhile_LeavesItToItsWorker(int place)
    {
        using var cell = new RegisterCell(epoch: 3);
        cell.Arena.Set(CellCounter.JournalLineage, 99);
        var id = cell.Restored();
        var before = new Attempt((2 << Attempt.CountBits) | 7);
        var other = cell.Hello(1);
        AttemptKey[] inHand = [new(id, before)];
        var facts = RegisterCell.Facts(2, workerId: 1ul << 32) with { CellId = 99, Epoch = 2, InHand = inHand };
        Assert.True(cell.Hello(facts, out var welcome).IsNone);
        var superseded = new List<AttemptKey>();
        At(place, () => cell.Assign(id, other.Row), () =>
            cell.Core.TakeBackAttempts(welcome.Row, facts, cell.NowUnixUs, superseded));
        var isFirst = superseded.Count > 0;
        Assert.Equal(place != int.MaxValue, isFirst);
        ref var slot = ref cell.Arena.Tasks[id.Slot];
        Assert.Equal((isFirst ? other.Row : welcome.Row) + 1, slot.Worker);
        Assert.Equal(TaskState.Assigned, cell.Arena.Tasks.Read(id.Slot).State);
    }

    [Fact]
    public void TakeBack_NamedForAnotherByARegisterThatDied_IsLeftToTheHeap()
    {
        using var cell = new RegisterCell(epoch: 3);
        cell.Arena.Set(CellCounter.JournalLineage, 99);
        var id = cell.Restored();
        cell.Arena.Tasks[id.Slot].Worker = 9;
        AttemptKey[] inHand = [new(id, new Attempt((2 << Attempt.CountBits) | 7))];
        var facts = RegisterCell.Facts(2, workerId: 1ul << 32) with { CellId = 99, Epoch = 2, InHand = inHand };
        Assert.True(cell.Hello(facts, out var welcome).IsNone);
        var superseded = new List<AttemptKey>();
        cell.Core.TakeBackAttempts(welcome.Row, facts, cell.NowUnixUs, superseded);
        Assert.Equal(inHand, superseded);
        Assert.Equal(TaskState.Accepted, cell.Arena.Tasks.Read(id.Slot).State);
    }

    // The last of the deaths is not charged, because the attempt moved at that moment, and must not be told either.
    [Fact]
    public void Crash_AttemptMovesMeanwhile_LeavesNoNote()
    {
        using var cell = new PlmCell();
        cell.Arena.Workers[0].Slots = 1;
        cell.Arena.Workers[0].Pid = 4711;
        cell.Arena.Workers.SetTexts(0, "w", "host", "1");
        var id = cell.Submit(null, null, cell.Spec(), "x").Ids[0];
        var slot = new TaskId(id).Slot;
        Place(cell);
        WriteDeath(cell);
        var word = cell.Arena.Tasks.Read(slot);
        var moves = new Moves(() => Assert.True(
            cell.Arena.Tasks.TryStep(Role.Register, slot, word, word.With(TaskState.Running))));
        Observe(moves with { AtLock = 0 }, () => cell.Turn());
        Assert.Equal((TaskState.Running, 0), (cell.StateOf(id), cell.SlotOf(id).Crashes));
        Assert.Equal(0ul, cell.Arena.Counter(CellCounter.LostAttempts));
        for (var death = 1; death <= 3; death++)
        {
            WriteDeath(cell);
            cell.Turn();
            Assert.Equal(death, cell.SlotOf(id).Crashes);
            Place(cell);
        }

        var result = FakeStream.ReadResult(cell.Arena, slot);
        Assert.Equal(Outcome.Quarantined, result.Outcome);
        Assert.Equal(3, result.Error.Split("(process 4711 on host").Length - 1);
    }

    // The extent was just marked as one on disk; the worker's Register found the task before that.
    [Fact]
    public void Spill_WorkerClaimsATaskAsItsSlotIsGivenUp_TheTaskIsTheOneOnDisk()
    {
        var files = new FakeSpill();
        using var cell = new PlmCell(
            new PlmOptions { HoldFrom = 32, ExtentTasks = 16 }, journal: new FakeJournal(), spill: files);
        var ids = new List<ulong>();
        while (ids.Count < 400)
        {
            var payloads = new string[10];
            Array.Fill(payloads, "x");
            ids.AddRange(cell.Submit(null, null, cell.Spec(), payloads).Ids);
            cell.NowMs++;
        }

        // At the first place where a task is marked and still in its slot.
        var claimed = new TaskId(0);
        var isClaiming = false;
        var moves = new Moves(() =>
        {
            if (!isClaiming && claimed.Value == 0)
            {
                isClaiming = true;
                claimed = Claim(cell, ids);
                isClaiming = false;
            }
        })
        {
            IsEverywhere = true,
        };
        Observe(moves, () => cell.Turn(core => files.Work(core, 1)));
        Assert.NotEqual(0ul, claimed.Value);
        Assert.True(cell.Arena.Spill.IsSpilled(claimed));
        cell.Core.CheckInvariants();

        // What the worker reports is nobody's, and the task comes back from the disk.
        Assert.False(cell.Arena.Tasks.TryFind(claimed, out _, out _));
        cell.Restart();
        cell.Core.CheckInvariants();
        var ran = new HashSet<ulong>();
        for (var round = 0; ran.Count < ids.Count && round < 1_000; round++)
        {
            cell.NowMs += 60;
            cell.Turn(core => files.Work(core));
            foreach (var task in cell.Assign(50))
            {
                Assert.True(ran.Add(cell.Arena.Tasks.IdOf(task.Slot).Value));
                Assert.True(cell.Report(task));
            }

            cell.Turn();
            cell.DrainOthers();
        }

        Assert.Equal(ids.Count, ran.Count);
    }

    private static TaskId Claim(PlmCell cell, List<ulong> ids)
    {
        foreach (var id in ids)
        {
            var slot = new TaskId(id).Slot;
            if (!SpillTable.Covers(slot) || !cell.Arena.Spill.IsSpilled(new TaskId(id)))
            {
                continue;
            }

            var index = cell.Arena.Spill.IndexOf(slot);
            var word = cell.Arena.Tasks.Read(index);
            var attempt = new Attempt((cell.Arena.Epoch << Attempt.CountBits) | 1);
            if (word.State == TaskState.Accepted
                && cell.Arena.Tasks.TryStep(Role.Register, index, word, word.With(TaskState.Assigned, attempt)))
            {
                return new TaskId(id);
            }
        }

        return default;
    }

    private static void Place(PlmCell cell)
    {
        cell.Arena.Workers[0].Health = (uint)WorkerHealth.Alive;
        cell.NowMs += 10;
        cell.Assign();
        cell.NowMs += 10;
    }

    private static void WriteDeath(PlmCell cell)
    {
        ref var worker = ref cell.Arena.Workers[0];
        var old = worker.Epoch++;
        worker.Health = (uint)WorkerHealth.Gone;
        worker.HealthReason = (uint)WorkerReason.ProcessExited;
        worker.HealthSinceUnixUs = cell.Now.UnixUs;
        Assert.Equal(1, cell.Arena.Finished.TryWrite([new FinishedRecord(FinishedRecord.WorkerLost, 0, old)]));
    }

    private static void At(int place, Action others, Action act) => Observe(new Moves(others) { AtPass = place }, act);

    private static void Observe(Moves moves, Action act)
    {
        Seam.Observer = moves;
        try
        {
            act();
        }
        finally
        {
            Seam.Observer = null;
        }
    }

    /// <summary>Lets others act once, at the place with this number, or at every place.</summary>
    private sealed record Moves(Action Others) : ISeamObserver
    {
        private int _passed;
        private int _locked;

        public int AtPass { get; init; } = -1;

        public bool IsEverywhere { get; init; }

        public int AtLock { get; init; } = -1;

        public void Pass()
        {
            if (_passed++ == AtPass || IsEverywhere)
            {
                Others();
            }
        }

        public void LockTaken()
        {
            if (_locked++ == AtLock)
            {
                Others();
            }
        }

        public void LockLeft()
        {
            // Of no matter here.
        }

        public void Stepped(Role role, uint slot, StateWord before, StateWord after)
        {
            // Nor this.
        }
    }
}
