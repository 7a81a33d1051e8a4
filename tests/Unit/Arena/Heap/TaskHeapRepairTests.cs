// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Arena.Heap;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Arena.Heap;

public sealed class TaskHeapRepairTests : IDisposable
{
    private readonly PrivateTables _arena = new(tasksMax: 4096);

    private TaskHeap Heap => _arena.Heap;

    private TaskTable Tasks => _arena.Tasks;

    public void Dispose() => _arena.Dispose();

    [Fact]
    public void Repair_PusherDiedBetweenStepAndLink_FindsTheTask()
    {
        var classId = _arena.Intern(4, 0);
        _arena.Push(0, classId, 300);
        _arena.Push(1, classId, 100);
        var accepted = _arena.Accept(2, classId, 200);
        _arena.DieHolding(
            _arena.HeapLock,
            () => Tasks.TryStep(Role.Plm, 2, accepted.Word, accepted.Word.With(TaskState.Ready)));
        Assert.Equal(2ul, Heap.Count);
        Heap.CheckInvariants();
        Assert.Equal(3ul, Heap.Count);
        Assert.Equal([1u, 2u, 0u], Take(classId));
    }

    [Fact]
    public void Repair_TakerDiedAfterItsSteps_ForgetsTheTask()
    {
        var classId = _arena.Intern(4, 0);
        _arena.Push(0, classId, 100);
        _arena.Push(1, classId, 200);
        _arena.DieHolding(_arena.HeapLock, () =>
        {
            var word = Tasks.Read(0);
            Tasks.TryStep(Role.Scheduler, 0, word, word.With(TaskState.Assigned, word.Attempt.Next(1)));
        });
        Assert.Equal([1u], Take(classId));
        Heap.CheckInvariants();
        Assert.Empty(Ready());
    }

    [Fact]
    public void Repair_ReadyClassesComesFirst_AlsoRepairs()
    {
        var classId = _arena.Intern(4, 0);
        var accepted = _arena.Accept(2, classId, 200);
        _arena.DieHolding(
            _arena.HeapLock,
            () => Tasks.TryStep(Role.Plm, 2, accepted.Word, accepted.Word.With(TaskState.Ready)));
        var ready = Assert.Single(Ready());
        Assert.Equal((classId, 1u, 200ul), (ready.Id, ready.Count, ready.HeadReadyOrder));
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(1L)]
    [InlineData(1_000L)]
    [InlineData(1L << 34)]
    public void Repair_LinksAreGarbage_OrderIsThatOfTheMoments(long spanUs)
    {
        var random = new Random(1234);
        var expected = Fill(random, spanUs);
        Damage(random);
        Heap.CheckInvariants();
        Assert.All(expected, pair => Assert.Equal(pair.Value, Take(pair.Key)));
    }

    [Fact]
    public void Repair_MomentsYearsApart_KeepsEveryTaskAndTheOrderOfHours()
    {
        // Further apart than an entry can say to the microsecond: a clock was wrong when some were submitted.
        const long Year = 365L * 24 * 3600 * 1_000_000;
        const long Hour = 3600L * 1_000_000;
        var classId = _arena.Intern(4, 0);
        long[] moments = [50 * Year, Hour, 50 * Year + (2 * Hour), 0, 50 * Year + Hour, 2 * Hour];
        for (var slot = 0u; slot < moments.Length; slot++)
        {
            _arena.Push(slot, classId, moments[slot]);
        }

        Damage(new Random(1));
        Heap.CheckInvariants();
        Assert.Equal([3u, 1u, 5u, 0u, 4u, 2u], Take(classId));
    }

    [Fact]
    public void Repair_MomentsAtTheEdgesOfTheirType_KeepsEveryTask()
    {
        var classId = _arena.Intern(4, 0);
        long[] moments = [long.MaxValue, long.MinValue, 0];
        for (var slot = 0u; slot < moments.Length; slot++)
        {
            _arena.Push(slot, classId, moments[slot]);
        }

        Damage(new Random(1));
        Heap.CheckInvariants();
        Assert.Equal([1u, 2u, 0u], Take(classId));
    }

    [Fact]
    public void Repair_EmptyTable_GivesAnEmptyHeap()
    {
        _arena.DieHolding(_arena.HeapLock, () => { });
        Heap.CheckInvariants();
        Assert.Equal(0ul, Heap.Count);
    }

    // Fills half the slots in random order, some of them taken or removed again; gives the order a repair must find.
    private Dictionary<ushort, uint[]> Fill(Random random, long spanUs)
    {
        const long Start = 1_700_000_000_000_000;
        var classes = Enumerable.Range(0, 5)
            .Select(number => _arena.Intern((byte)number, (ushort)(number * 3))).ToArray();
        var slots = Enumerable.Range(0, 4096).Select(slot => (uint)slot).ToArray();
        random.Shuffle(slots);
        foreach (var slot in slots[..2048])
        {
            _arena.Push(slot, classes[random.Next(classes.Length)], Start + random.NextInt64(spanUs + 1));
        }

        Array.ForEach(slots[..100], slot => Heap.Remove(slot, Tasks.Read(slot)));
        Heap.Take(classes[0], 1, PrivateTables.Epoch, 0, new TakenTask[50]);
        return classes.ToDictionary(id => id, id => slots[..2048]
            .Where(slot => Tasks[slot].Class == id && Tasks.Read(slot).State == TaskState.Ready)
            .OrderBy(slot => Tasks[slot].SubmittedUnixUs).ThenBy(slot => slot).ToArray());
    }

    private void Damage(Random random) => _arena.DieHolding(_arena.HeapLock, () =>
    {
        for (var slot = 0u; slot < Tasks.HighWater; slot++)
        {
            Tasks[slot].HeapNext = (uint)random.Next();
            Tasks[slot].HeapPrevious = (uint)random.Next();
        }
    });

    private uint[] Take(ushort classId)
    {
        var taken = new TakenTask[4096];
        return [.. taken[..Heap.Take(classId, 1, PrivateTables.Epoch, 0, taken)].Select(task => task.Slot)];
    }

    private ReadyClass[] Ready()
    {
        var classes = new ReadyClass[16];
        return classes[..Heap.ReadyClasses(classes)];
    }
}
