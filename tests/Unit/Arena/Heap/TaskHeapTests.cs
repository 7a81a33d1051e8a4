// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Muster.Arena.Heap;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Arena.Heap;

public sealed class TaskHeapTests : IDisposable
{
    private readonly PrivateTables _arena = new();

    private TaskHeap Heap => _arena.Heap;

    private TaskTable Tasks => _arena.Tasks;

    public void Dispose() => _arena.Dispose();

    [Fact]
    public void Take_FromOneClass_IsFirstInFirstOut()
    {
        var classId = _arena.Intern(4, 0);
        foreach (var slot in new[] { 5u, 2u, 9u, 0u })
        {
            _arena.Push(slot, classId, 100);
        }

        Assert.Equal(4ul, Heap.Count);
        Assert.Equal([5u, 2u], Take(classId, 2));
        Assert.Equal([9u, 0u], Take(classId, 3));
        Assert.Empty(Take(classId, 3));
        Assert.Equal(0ul, Heap.Count);
        Heap.CheckInvariants();
    }

    [Fact]
    public void Take_SetsWhatTheSchedulerOwesTheSlot()
    {
        var classId = _arena.Intern(4, 0);
        _arena.Push(3, classId, 1_000_000);
        var taken = new TakenTask[1];
        Assert.Equal(1, Heap.Take(classId, 7, epoch: 2, nowUnixUs: 1_000_250, taken));
        ref var slot = ref Tasks[3];
        Assert.Equal((8u, 250f, (ushort)1), (slot.Worker, slot.AssignedUs, slot.Executions));
        Assert.Equal((TaskState.Assigned, Attempt.None.Next(2)), (taken[0].Word.State, taken[0].Word.Attempt));
        Assert.Equal(taken[0].Word, Tasks.Read(3));
        Assert.Equal((0u, 0u), (slot.HeapNext, slot.HeapPrevious));
    }

    [Fact]
    public void Take_AfterGivenBack_CountsAnotherExecutionUnderAHigherAttempt()
    {
        var classId = _arena.Intern(4, 0);
        _arena.Push(3, classId, 1_000_000);
        var taken = new TakenTask[1];
        Heap.Take(classId, 7, 1, 1_000_250, taken);
        Assert.Equal(1, Heap.Push(Role.Scheduler, taken));
        Assert.Equal(0, Heap.Push(Role.Scheduler, taken));
        Heap.Take(classId, 8, 1, 900_000, taken);
        Assert.Equal(((ushort)2, 0f, 9u), (Tasks[3].Executions, Tasks[3].AssignedUs, Tasks[3].Worker));
        Assert.Equal(2u, taken[0].Word.Attempt.Count);
    }

    [Fact]
    public void Push_WordsThatMovedOn_AreSkipped()
    {
        var classId = _arena.Intern(4, 0);
        var batch = Enumerable.Range(0, 6).Select(slot => _arena.Accept((uint)slot, classId, 100)).ToArray();
        _arena.Free(1);
        _arena.Free(4);
        _arena.Accept(4, classId, 100);
        Assert.Equal(4, Heap.Push(Role.Plm, batch));
        Assert.Equal([0u, 2u, 3u, 5u], Take(classId, 10));
        Heap.CheckInvariants();
    }

    [Fact]
    public void Push_BatchLongerThanOneHold_KeepsItsOrder()
    {
        var classId = _arena.Intern(4, 0);
        var batch = Enumerable.Range(0, 1000).Select(slot => _arena.Accept((uint)slot, classId, 100)).ToArray();
        Assert.Equal(1000, Heap.Push(Role.Plm, batch));
        Heap.CheckInvariants();
        Assert.Equal(Enumerable.Range(0, 1000).Select(slot => (uint)slot), Take(classId, 1024));
        Heap.CheckInvariants();
    }

    [Fact]
    public void Push_StepThatTheTableForbids_IsABrokenInvariantAndRepairedByTheNext()
    {
        var classId = _arena.Intern(4, 0);
        var good = _arena.Accept(0, classId, 100);
        var bad = _arena.Accept(1, classId, 100);
        Assert.Throws<InvariantException>(() => Heap.Push(Role.Register, [bad]));
        Tasks[1].Class = 77;
        Assert.Throws<InvariantException>(() => Heap.Push(Role.Plm, [good, bad]));
        Heap.CheckInvariants();
        Assert.Equal([0u], Take(classId, 10));
    }

    [Fact]
    public void Remove_FromEveryPlace_LeavesTheRestInOrder()
    {
        var classId = _arena.Intern(4, 0);
        foreach (var slot in new[] { 0u, 1u, 2u, 3u, 4u })
        {
            _arena.Push(slot, classId, 100 + slot);
        }

        foreach (var slot in new[] { 0u, 2u, 4u })
        {
            var word = Tasks.Read(slot);
            Assert.True(Heap.Remove(slot, word));
            Assert.Equal(TaskState.Done, Tasks.Read(slot).State);
            Assert.False(Heap.Remove(slot, word));
            Assert.False(Heap.Remove(slot, Tasks.Read(slot)));
            Heap.CheckInvariants();
        }

        Assert.Equal([1u, 3u], Take(classId, 10));
        Heap.CheckInvariants();
    }

    [Fact]
    public void Remove_TaskThatWasTaken_IsFalse()
    {
        var classId = _arena.Intern(4, 0);
        _arena.Push(3, classId, 100);
        var ready = Tasks.Read(3);
        Take(classId, 1);
        Assert.False(Heap.Remove(3, ready));
        Assert.Equal(TaskState.Assigned, Tasks.Read(3).State);
    }

    [Fact]
    public void ReadyClasses_Several_ComeByPriorityThenLongestWait()
    {
        var late = _arena.Intern(4, 1);
        var early = _arena.Intern(4, 2);
        var urgent = _arena.Intern(7, 1);
        var idle = _arena.Intern(7, 2);
        var low = _arena.Intern(0, 1);
        _arena.Push(0, late, 500);
        _arena.Push(1, early, 400);
        _arena.Push(2, urgent, 900);
        _arena.Push(3, low, 1);
        _arena.Push(4, early, 100);
        Assert.Equal(
            [(urgent, 1u, 900ul), (early, 2u, 400ul), (late, 1u, 500ul), (low, 1u, 1ul)],
            Ready(16).Select(ready => (ready.Id, ready.Count, ready.HeadReadyOrder)));
        Assert.Equal(new TaskClass(7, 1), Ready(1).Single().Class);
        Assert.Equal([urgent, early], Ready(2).Select(ready => ready.Id));
        Assert.Empty(Ready(0));
        Assert.NotEqual(idle, urgent);
    }

    [Fact]
    public void ReadyClasses_RetriedHead_CountsFromWhenItBecameReadyAgain()
    {
        var first = _arena.Intern(4, 1);
        var second = _arena.Intern(4, 2);
        var accepted = _arena.Accept(0, first, 100);
        Tasks[0].ReadyUs = 5_000;
        Heap.Push(Role.Plm, [accepted]);
        _arena.Push(1, second, 200);
        Assert.Equal([(second, 200ul), (first, 5_100ul)], Ready(4).Select(ready => (ready.Id, ready.HeadReadyOrder)));
    }

    [Fact]
    public void ReadyClasses_ManyClasses_AreAllFoundAndForgottenWhenEmpty()
    {
        var ids = Enumerable.Range(0, 1000)
            .Select(handler => _arena.Intern((byte)(handler % 8), (ushort)handler)).ToArray();
        for (var slot = 0u; slot < ids.Length; slot++)
        {
            _arena.Push(slot, ids[slot], 10_000 - slot);
        }

        var all = Ready(4096);
        Assert.Equal(
            all.OrderByDescending(ready => ready.Class.Priority).ThenBy(ready => ready.HeadReadyOrder), all);
        Assert.Equal(ids.Order(), all.Select(ready => ready.Id).Order());
        Assert.Equal(all[..10], Ready(10));
        foreach (var id in ids)
        {
            Assert.Single(Take(id, 5));
        }

        Assert.Empty(Ready(4096));
        Heap.CheckInvariants();
    }

    [Fact]
    public void TryIntern_SameKey_IsTheSameClassInEveryProcess()
    {
        var id = _arena.Intern(4, 17);
        Assert.Equal(id, _arena.Intern(4, 17));
        Assert.True(_arena.NewHeap().TryIntern(new TaskClass(4, 17), out var elsewhere));
        Assert.Equal(id, elsewhere);
        Assert.NotEqual(id, _arena.Intern(5, 17));
        Assert.Equal(new TaskClass(4, 17), _arena.NewHeap().ClassOf(id));
    }

    [Fact]
    public void TryIntern_AllClassesInUse_SaysSo()
    {
        for (var number = 0; number < 4096; number++)
        {
            Assert.Equal(number, _arena.Intern((byte)(number / 1024), (ushort)(number % 1024)));
        }

        Assert.False(Heap.TryIntern(new TaskClass(7, 0), out _));
        Assert.Equal(4095, _arena.Intern(3, 1023));
    }

    [Fact]
    public void ClassOrKeyOutOfRange_IsABrokenInvariant()
    {
        Assert.Throws<InvariantException>(() => Heap.ClassOf(0));
        Assert.Throws<InvariantException>(() => Heap.Take(0, 0, 1, 0, new TakenTask[1]));
        Assert.Throws<InvariantException>(() => Heap.TryIntern(new TaskClass(8, 0), out _));
        Assert.Throws<InvariantException>(() => Heap.TryIntern(new TaskClass(0, 1024), out _));
    }

    [Fact]
    public void PushAndTake_InSteadyState_AllocateNothing()
    {
        var classId = _arena.Intern(4, 0);
        var batch = Enumerable.Range(0, 300).Select(slot => _arena.Accept((uint)slot, classId, 100)).ToArray();
        Heap.Push(Role.Plm, batch);
        var classes = new ReadyClass[8];
        var before = 0L;
        for (var round = 0; round < 200; round++)
        {
            before = round == 100 ? GC.GetAllocatedBytesForCurrentThread() : before;
            Heap.ReadyClasses(classes);
            Heap.Take(classId, 1, 1, 200, batch);
            Heap.Push(Role.Scheduler, batch);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private uint[] Take(ushort classId, int most)
    {
        var taken = new TakenTask[most];
        return [.. taken[..Heap.Take(classId, 1, PrivateTables.Epoch, 1_000, taken)].Select(task => task.Slot)];
    }

    private ReadyClass[] Ready(int most)
    {
        var classes = new ReadyClass[most];
        return classes[..Heap.ReadyClasses(classes)];
    }
}
