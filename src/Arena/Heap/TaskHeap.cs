// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;
using System.Threading;
using Muster.Arena.Locks;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Arena.Heap;

/// <summary>
/// The ready tasks: one intrusive FIFO of slots per class, under one robust timed lock. The slots are the truth: after
/// a holder died inside, the next one rebuilds every list from them (Ready slots, by SubmittedUnixUs then index) and
/// goes on. Push and Take cost O(1) per task, whatever the backlog. Capacity: every slot of the task table, so a push
/// never finds the heap full; 4,096 classes. A zeroed area is an empty heap.
/// <para>Rules:</para>
/// <list type="bullet">
/// <item>A slot is Ready exactly while it is linked, whenever the lock is free: every step into and out of Ready is
/// made here, under the lock. So a Ready slot that nobody linked cannot exist, and whoever holds the lock may rely on a
/// linked slot's state.</item>
/// <item>A hold of the lock covers at most <see cref="HoldSlotsMax"/> slots; longer batches take it again, so that
/// nobody waits long. Nothing is allocated and no other lock is taken while it is held.</item>
/// <item>HeapNext and HeapPrevious of a slot, the class rows but for their keys, and the header but for its class count
/// are written under the lock alone; the lock's own fences order them. A taken slot's links are cleared before its step
/// to Assigned, after which its other fields belong to others.</item>
/// <item>Class count: the PLM writes it with release after the new key; loaded with acquire before a key is
/// read.</item>
/// <item>Count: written under the lock with release, read by anybody; a hint.</item>
/// </list>
/// </summary>
internal sealed unsafe partial class TaskHeap
{
    /// <summary>Slots that one hold of the lock covers: about 10 us.</summary>
    public const int HoldSlotsMax = 256;

    private const uint PrefetchAhead = 3;
    private const int BitsPerWord = 64;
    private const int PriorityShift = 16;
    private const int AloneShift = 24;

    private static readonly Comparison<ReadyClass> s_byUrgency = CompareUrgency;

    // Never read: it keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly TaskTable _tasks;
    private readonly ArenaLock _lock;
    private readonly HeapHeader* _header;
    private readonly HeapClassRow* _classes;

    // Class id + 1 by priority and handler, as far as this process has looked; the PLM's.
    private readonly ushort[] _idOf = new ushort[2 * (TaskLimits.PriorityMax + 1) * ArenaLayout.HandlersMax];
    private int _idsKnown;

    // The Scheduler's, for the rare case that there may be more ready classes than it asked for.
    private ReadyClass[] _allReady = [];

    internal TaskHeap(ArenaMemory memory, long offset, TaskTable tasks, ArenaLock heapLock)
    {
        Invariant.That(sizeof(HeapHeader) == ArenaLayout.HeapHeaderBytes);
        Invariant.That(sizeof(HeapClassRow) == ArenaLayout.HeapClassBytes);
        Invariant.That(HeapHeader.ActiveWords * BitsPerWord == ArenaLayout.HeapClasses);
        _memory = memory;
        _tasks = tasks;
        _lock = heapLock;
        _header = (HeapHeader*)memory.At(offset, sizeof(HeapHeader));
        _classes = (HeapClassRow*)memory.At(
            offset + sizeof(HeapHeader), (long)ArenaLayout.HeapClasses * sizeof(HeapClassRow));
    }

    /// <summary>Ready tasks, read without the lock.</summary>
    public ulong Count => Volatile.Read(ref _header->Count);

    /// <summary>Ready tasks of one class, read without the lock.</summary>
    public uint CountOf(ushort classId)
    {
        Invariant.That(classId < ArenaLayout.HeapClasses);
        return Volatile.Read(ref _classes[classId].Count);
    }

    private uint ClassCount
    {
        get
        {
            var count = Volatile.Read(ref _header->ClassCount);
            Invariant.That(count <= ArenaLayout.HeapClasses);
            return count;
        }
    }

    /// <summary>
    /// Moves each slot to Ready (from Accepted, Delayed, Waiting, Reported, Assigned or Running: any step the table
    /// allows the PLM or, for giving back, the Scheduler) and appends it to its class. A slot whose word is no longer
    /// the expected one is skipped. ReadyUs was set before.
    /// </summary>
    /// <returns>How many became Ready.</returns>
    public int Push(Role role, ReadOnlySpan<TakenTask> slots)
    {
        var pushed = 0;
        while (!slots.IsEmpty)
        {
            var held = slots[..Math.Min(slots.Length, HoldSlotsMax)];
            slots = slots[held.Length..];
            using var scope = Enter();
            pushed += PushHeld(role, held);
        }

        return pushed;
    }

    /// <summary>
    /// Moves one slot to Ready as <see cref="Push"/> does, and from now on it is of this class. The class changes under
    /// the lock, after the step: another role may be giving the same slot back at this moment.
    /// </summary>
    public bool PushInto(ushort classId, TakenTask item)
    {
        Invariant.That(classId < ClassCount);
        using var scope = Enter();
        BeginChange();
        var stepped = _tasks.TryStep(Role.Plm, item.Slot, item.Word, item.Word.With(TaskState.Ready));
        if (stepped)
        {
            _tasks[item.Slot].Class = classId;
            Append(item.Slot);
        }

        EndChange(_header->Count + (stepped ? 1u : 0));
        return stepped;
    }

    /// <summary>
    /// Takes up to tasks.Length tasks of one class from the front: sets Worker, AssignedUs and Executions, then
    /// Ready to Assigned under the next attempt of <paramref name="epoch"/>. Scheduler only.
    /// </summary>
    public int Take(ushort classId, uint workerRow, uint epoch, long nowUnixUs, Span<TakenTask> tasks)
    {
        Invariant.That(classId < ClassCount);
        var taken = 0;
        while (taken < tasks.Length)
        {
            var wanted = tasks[taken..Math.Min(tasks.Length, taken + HoldSlotsMax)];
            using var scope = Enter();
            var got = TakeHeld(classId, workerRow, epoch, nowUnixUs, wanted);
            taken += got;
            if (got < wanted.Length)
            {
                break;
            }
        }

        return taken;
    }

    /// <summary>Takes one Ready task out and makes it Done; false when it is no longer Ready. PLM only.</summary>
    public bool Remove(uint slot, StateWord expected)
    {
        if (expected.State != TaskState.Ready)
        {
            return false;
        }

        using var scope = Enter();
        if (_tasks.Read(slot) != expected)
        {
            return false;
        }

        BeginChange();
        Unlink(slot);
        Invariant.That(_tasks.TryStep(Role.Plm, slot, expected, expected.With(TaskState.Done)));
        EndChange(_header->Count - 1);
        return true;
    }

    /// <summary>
    /// The classes that have ready tasks, highest priority first, then longest waiting head; the first ones when there
    /// are more than fit. Scheduler only. O(classes that have ready tasks).
    /// </summary>
    public int ReadyClasses(Span<ReadyClass> classes)
    {
        var all = classes;
        if (ClassCount > classes.Length)
        {
            if (_allReady.Length == 0)
            {
                _allReady = new ReadyClass[ArenaLayout.HeapClasses];
            }

            all = _allReady;
        }

        int count;
        using (Enter())
        {
            count = CollectHeld(all);
        }

        var ready = all[..count];
        ready.Sort(s_byUrgency);
        if (all != classes)
        {
            ready = ready[..Math.Min(count, classes.Length)];
            ready.CopyTo(classes);
        }

        return ready.Length;
    }

    /// <summary>The class id of a key, added when new; false when all are in use. PLM only.</summary>
    public bool TryIntern(TaskClass key, out ushort id)
    {
        Invariant.That(key.Priority <= TaskLimits.PriorityMax && key.Handler < ArenaLayout.HandlersMax);
        ref var known = ref _idOf[PlaceOf(key)];
        if (known == 0)
        {
            ReadNewClasses();
        }

        if (known == 0)
        {
            if (_idsKnown == ArenaLayout.HeapClasses)
            {
                id = 0;
                return false;
            }

            // Whoever died between these two writes left a key that nobody counts; it is written over here.
            var alone = key.IsAlone ? 1u << AloneShift : 0;
            _classes[_idsKnown].Key = alone | ((uint)key.Priority << PriorityShift) | key.Handler;
            Volatile.Write(ref _header->ClassCount, (uint)_idsKnown + 1);
            ReadNewClasses();
        }

        id = (ushort)(known - 1);
        return true;
    }

    /// <summary>The key of a class id.</summary>
    public TaskClass ClassOf(ushort id)
    {
        Invariant.That(id < ClassCount);
        var key = _classes[id].Key;
        return new((byte)(key >> PriorityShift), (ushort)key, key >> AloneShift != 0);
    }

    private static int PlaceOf(TaskClass key) =>
        ((((key.IsAlone ? TaskLimits.PriorityMax + 1 : 0) + key.Priority) * ArenaLayout.HandlersMax) + key.Handler);

    private int PushHeld(Role role, ReadOnlySpan<TakenTask> slots)
    {
        BeginChange();
        var pushed = 0;
        foreach (var item in slots)
        {
            Invariant.That(_tasks[item.Slot].Class < ClassCount);
            if (_tasks.TryStep(role, item.Slot, item.Word, item.Word.With(TaskState.Ready)))
            {
                Append(item.Slot);
                pushed++;
            }
        }

        EndChange(_header->Count + (ulong)pushed);
        return pushed;
    }

    private int TakeHeld(ushort classId, uint workerRow, uint epoch, long nowUnixUs, Span<TakenTask> tasks)
    {
        ref var row = ref _classes[classId];
        if (row.Head == 0)
        {
            return 0;
        }

        BeginChange();
        var taken = 0;
        while (taken < tasks.Length && row.Head != 0)
        {
            var index = row.Head - 1;
            ref var slot = ref _tasks[index];
            var word = _tasks.Read(index);
            Invariant.That(word.State == TaskState.Ready);
            var assigned = word.With(TaskState.Assigned, NextAttempt(word.Attempt, epoch));
            row.Head = slot.HeapNext;

            // The next for certain, and one that often follows: slots become free, and are used again, in runs.
            _tasks.Prefetch(row.Head - 1);
            _tasks.Prefetch(index + PrefetchAhead);
            slot.HeapNext = 0;
            slot.HeapPrevious = 0;
            slot.Worker = workerRow + 1;
            slot.AssignedUs = Math.Max(0, nowUnixUs - slot.SubmittedUnixUs);
            slot.Executions = (ushort)Math.Min(slot.Executions + 1, ushort.MaxValue);
            Invariant.That(_tasks.TryStep(Role.Scheduler, index, word, assigned));
            tasks[taken++] = new(index, assigned);
        }

        Invariant.That(row.Count >= (uint)taken && (row.Head == 0) == (row.Count == (uint)taken));
        row.Count -= (uint)taken;
        HeadChanged(classId, ref row);
        EndChange(_header->Count - (ulong)taken);
        return taken;
    }

    private static Attempt NextAttempt(Attempt last, uint epoch) =>
        Safeguard.NewAttempt || last == Attempt.None ? last.Next(epoch) : last;

    private void Append(uint index)
    {
        ref var slot = ref _tasks[index];
        ref var row = ref _classes[slot.Class];
        slot.HeapNext = 0;
        slot.HeapPrevious = row.Tail;
        if (row.Tail == 0)
        {
            row.Head = index + 1;
            HeadChanged(slot.Class, ref row);
        }
        else
        {
            _tasks[row.Tail - 1].HeapNext = index + 1;
        }

        row.Tail = index + 1;
        row.Count++;
    }

    private void Unlink(uint index)
    {
        ref var slot = ref _tasks[index];
        Invariant.That(slot.Class < ClassCount);
        ref var row = ref _classes[slot.Class];
        ref var forward = ref slot.HeapPrevious == 0 ? ref row.Head : ref _tasks[slot.HeapPrevious - 1].HeapNext;
        ref var backward = ref slot.HeapNext == 0 ? ref row.Tail : ref _tasks[slot.HeapNext - 1].HeapPrevious;
        Invariant.That(forward == index + 1 && backward == index + 1 && row.Count > 0);
        forward = slot.HeapNext;
        backward = slot.HeapPrevious;
        row.Count--;
        if (slot.HeapPrevious == 0)
        {
            HeadChanged(slot.Class, ref row);
        }

        slot.HeapNext = 0;
        slot.HeapPrevious = 0;
    }

    private void HeadChanged(ushort classId, ref HeapClassRow row)
    {
        var word = classId / BitsPerWord;
        var bit = 1UL << (classId % BitsPerWord);
        if (row.Head == 0)
        {
            row.Tail = 0;
            _header->Active[word] &= ~bit;
            if (_header->Active[word] == 0)
            {
                _header->ActiveSummary &= ~(1UL << word);
            }

            return;
        }

        ref var head = ref _tasks[row.Head - 1];
        head.HeapPrevious = 0;
        row.HeadOrder = OrderOf(ref head);
        _header->Active[word] |= bit;
        _header->ActiveSummary |= 1UL << word;
    }

    private int CollectHeld(Span<ReadyClass> classes)
    {
        var count = 0;
        for (var words = _header->ActiveSummary; words != 0; words &= words - 1)
        {
            var word = BitOperations.TrailingZeroCount(words);
            for (var bits = _header->Active[word]; bits != 0; bits &= bits - 1)
            {
                var id = (ushort)((word * BitsPerWord) + BitOperations.TrailingZeroCount(bits));
                ref var row = ref _classes[id];
                classes[count++] = new(id, ClassOf(id), row.Count, row.HeadOrder);
            }
        }

        return count;
    }

    private void ReadNewClasses()
    {
        for (; _idsKnown < ClassCount; _idsKnown++)
        {
            var key = ClassOf((ushort)_idsKnown);
            _idOf[PlaceOf(key)] = (ushort)(_idsKnown + 1);
        }
    }

    private ArenaLock.Scope Enter()
    {
        var scope = _lock.Enter();
        if (scope.NeedsRepair || _header->Changing != 0)
        {
            RepairOrLeave(scope);
        }

        return scope;
    }

    private void BeginChange() => Volatile.Write(ref _header->Changing, 1);

    private void EndChange(ulong count)
    {
        Volatile.Write(ref _header->Count, count);
        Volatile.Write(ref _header->Changing, 0);
    }

    private static ulong OrderOf(ref TaskSlot slot) => (ulong)Math.Max(0, slot.SubmittedUnixUs + (long)slot.ReadyUs);

    private static int CompareUrgency(ReadyClass left, ReadyClass right)
    {
        var byPriority = right.Class.Priority.CompareTo(left.Class.Priority);
        return byPriority != 0 ? byPriority : left.HeadReadyOrder.CompareTo(right.HeadReadyOrder);
    }
}
