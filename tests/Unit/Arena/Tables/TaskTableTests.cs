// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Unit.Core;
using Xunit;

namespace Muster.Unit.Arena.Tables;

public sealed class TaskTableTests : IDisposable
{
    private readonly PrivateTables _arena = new();

    private TaskTable Tasks => _arena.Tasks;

    public void Dispose() => _arena.Dispose();

    [Fact]
    public void TryStep_EveryRoleAndPairOfStates_StepsOnceOrIsABrokenInvariant()
    {
        foreach (var role in Enum.GetValues<Role>())
        {
            foreach (var from in Enum.GetValues<TaskState>())
            {
                foreach (var to in Enum.GetValues<TaskState>())
                {
                    TryStep(role, from, to);
                }
            }
        }
    }

    private void TryStep(Role role, TaskState from, TaskState to)
    {
        var before = new StateWord(from, new Attempt((1 << Attempt.CountBits) | 5), 77);
        var after = before.With(to, to == TaskState.Assigned ? before.Attempt.Next(1) : before.Attempt);
        Tasks[3].State = before.Value;
        if (!TransitionsTests.IsExpected(role, from, to))
        {
            Assert.Throws<InvariantException>(() => Tasks.TryStep(role, 3, before, after));
            Assert.Equal(before, Tasks.Read(3));
            return;
        }

        var otherAttempt = before.With(from, new Attempt(before.Attempt.Value - 1));
        var otherTask = new StateWord(from, before.Attempt, 76);
        var otherNext = to == TaskState.Assigned ? after : otherAttempt.With(to);
        Assert.False(Tasks.TryStep(role, 3, otherAttempt, otherNext));
        Assert.False(Tasks.TryStep(role, 3, otherTask, new StateWord(to, after.Attempt, 76)));
        Assert.Equal(before, Tasks.Read(3));
        Assert.True(Tasks.TryStep(role, 3, before, after), $"{role}: {from} -> {to}");
        Assert.False(Tasks.TryStep(role, 3, before, after));
        Assert.Equal(after, Tasks.Read(3));
    }

    [Fact]
    public void TryStep_WordWithBitsThatAreNoState_IsABrokenInvariant()
    {
        for (var bits = 9; bits < 32; bits++)
        {
            var damaged = new StateWord((TaskState)bits, Attempt.None, 1);
            Tasks[3].State = damaged.Value;
            foreach (var role in Enum.GetValues<Role>())
            {
                Assert.Throws<InvariantException>(() => Tasks.TryStep(role, 3, damaged, damaged.With(TaskState.Ready)));
            }
        }
    }

    [Fact]
    public void TryStep_ToAssignedWithoutANewAttempt_IsABrokenInvariant()
    {
        var ready = new StateWord(TaskState.Ready, Attempt.None.Next(1).Next(1), 1);
        Tasks[3].State = ready.Value;
        Assert.Throws<InvariantException>(
            () => Tasks.TryStep(Role.Scheduler, 3, ready, ready.With(TaskState.Assigned)));
        Assert.Throws<InvariantException>(
            () => Tasks.TryStep(Role.Scheduler, 3, ready, ready.With(TaskState.Assigned, Attempt.None.Next(1))));
    }

    [Fact]
    public void TryStep_AnotherAttemptOrGenerationOnTheWay_IsABrokenInvariant()
    {
        var assigned = new StateWord(TaskState.Assigned, Attempt.None.Next(1), 1);
        Tasks[3].State = assigned.Value;
        Assert.Throws<InvariantException>(() => Tasks.TryStep(
            Role.Register, 3, assigned, assigned.With(TaskState.Reported, assigned.Attempt.Next(1))));
        Assert.Throws<InvariantException>(() => Tasks.TryStep(
            Role.Register, 3, assigned, new StateWord(TaskState.Reported, assigned.Attempt, 2)));
    }

    [Fact]
    public void TryStep_TwoRolesAtOnce_OneWins()
    {
        // A worker's result and a cancellation meet: whichever comes second must fail, in every slot of every round.
        const int Rounds = 20;
        const uint Slots = 1_000;
        var assigned = new StateWord(TaskState.Assigned, Attempt.None.Next(1), 1);
        var wins = new int[2];
        using var gate = new Barrier(3);
        var plm = new Thread(() => StepAll(Role.Plm, assigned.With(TaskState.Done), ref wins[0]));
        var register = new Thread(() => StepAll(Role.Register, assigned.With(TaskState.Reported), ref wins[1]));
        plm.Start();
        register.Start();
        for (var round = 1; round <= Rounds; round++)
        {
            for (var slot = 0u; slot < Slots; slot++)
            {
                Tasks[slot].State = assigned.Value;
            }

            gate.SignalAndWait();
            gate.SignalAndWait();
            Assert.Equal(round * (int)Slots, wins[0] + wins[1]);
        }

        plm.Join();
        register.Join();

        void StepAll(Role role, StateWord next, ref int won)
        {
            for (var round = 0; round < Rounds; round++)
            {
                gate.SignalAndWait();
                for (var slot = 0u; slot < Slots; slot++)
                {
                    won += Tasks.TryStep(role, slot, assigned, next) ? 1 : 0;
                }

                gate.SignalAndWait();
            }
        }
    }

    [Fact]
    public void TryFind_LiveTask_GivesItsSlotAndWord()
    {
        var classId = _arena.Intern(4, 0);
        var accepted = _arena.Accept(9, classId, 100);
        var id = Tasks.IdOf(9);
        Assert.True(Tasks.TryFind(id, out var index, out var word));
        Assert.Equal((9u, accepted.Word), (index, word));
        Assert.Equal(9u, id.Slot);
    }

    [Fact]
    public void TryFind_FreedReusedOrForeignId_IsFalse()
    {
        var classId = _arena.Intern(4, 0);
        _arena.Accept(9, classId, 100);
        var id = Tasks.IdOf(9);
        _arena.Free(9);
        Assert.False(Tasks.TryFind(id, out _, out _));
        _arena.Accept(9, classId, 200);
        Assert.False(Tasks.TryFind(id, out _, out _));
        Assert.True(Tasks.TryFind(Tasks.IdOf(9), out _, out _));
        Assert.False(Tasks.TryFind(TaskId.None, out _, out _));
        Assert.False(Tasks.TryFind(new TaskId(Tasks.Capacity, 1), out _, out _));
        Assert.False(Tasks.TryFind(new TaskId(TaskId.SlotMax, 1), out _, out _));
    }

    [Fact]
    public void TryFind_GenerationsWithEqualLowBits_AreToldApart()
    {
        var classId = _arena.Intern(4, 0);
        _arena.Accept(9, classId, 100);
        var generation = Tasks[9].Generation;
        Assert.False(Tasks.TryFind(new TaskId(9, generation + (1UL << 32)), out _, out _));
        Assert.True(Tasks.TryFind(new TaskId(9, generation), out _, out _));
    }

    [Fact]
    public void Slot_IndexPastTheTable_IsABrokenInvariant()
    {
        Assert.Throws<InvariantException>(() => Tasks[Tasks.Capacity].Profile);
        Assert.Throws<InvariantException>(() => Tasks.Read(uint.MaxValue));
    }

    [Fact]
    public void HighWater_BeyondTheTableOrBackwards_IsABrokenInvariant()
    {
        Tasks.HighWater = 5;
        Tasks.HighWater = 5;
        Assert.Equal(5u, Tasks.HighWater);
        Assert.Throws<InvariantException>(() => Tasks.HighWater = 4);
        Assert.Throws<InvariantException>(() => Tasks.HighWater = Tasks.Capacity + 1);
    }
}
