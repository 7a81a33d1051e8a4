// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Locks;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Unit.Arena;

/// <summary>
/// The tables and the heap over anonymous memory, laid out as in an arena, and the few moves that tests make with them.
/// </summary>
internal sealed class PrivateTables : IDisposable
{
    public const uint Epoch = 1;

    private readonly ArenaMemory _memory;
    private readonly ArenaLayout _layout;

    public PrivateTables(uint tasksMax = 1024, uint workersMax = 16)
    {
        var limits = new ArenaLimits { TasksMax = tasksMax, WorkersMax = workersMax, ClientsMax = 16 };
        _layout = ArenaLayout.Of(limits);
        _memory = ArenaMemory.CreatePrivate(_layout.Payloads.Offset);
        HeapLock = new ArenaLock(_memory, _layout.HeapLock.Offset);
        HeapLock.Initialise();
        NamesLock = new ArenaLock(_memory, _layout.NamesLock.Offset);
        NamesLock.Initialise();
        Tasks = new TaskTable(_memory, _layout.Tasks.Offset, tasksMax);
        Heap = NewHeap();
        Workers = new WorkerTable(_memory, _layout.Workers.Offset, workersMax, _layout.ChangedBitmapBytes);
        Clients = new ClientTable(_memory, _layout.Clients.Offset, 16);
        Handlers = NewHandlers();
    }

    public ArenaLock HeapLock { get; }

    public ArenaLock NamesLock { get; }

    public TaskTable Tasks { get; }

    public TaskHeap Heap { get; }

    public WorkerTable Workers { get; }

    public ClientTable Clients { get; }

    public HandlerTable Handlers { get; }

    /// <summary>Another process's view of the same heap.</summary>
    public TaskHeap NewHeap() => new(_memory, _layout.Heap.Offset, Tasks, HeapLock);

    /// <summary>Another process's view of the same names.</summary>
    public HandlerTable NewHandlers() => new(_memory, _layout.Handlers.Offset, NamesLock);

    public ushort Intern(byte priority, ushort handler)
    {
        Assert(Heap.TryIntern(new TaskClass(priority, handler), out var id));
        return id;
    }

    /// <summary>Writes a task into a free slot: Free to Accepted.</summary>
    public TakenTask Accept(uint index, ushort classId, long submittedUnixUs)
    {
        ref var slot = ref Tasks[index];
        var word = Tasks.Read(index);
        slot.Generation = TaskId.NextGeneration(slot.Generation, Epoch);
        slot.Class = classId;
        slot.SubmittedUnixUs = submittedUnixUs;
        slot.ReadyUs = 0;
        slot.Executions = 0;
        Tasks.HighWater = Math.Max(Tasks.HighWater, index + 1);
        var accepted = new StateWord(TaskState.Accepted, Attempt.None, (uint)slot.Generation);
        Assert(Tasks.TryStep(Role.Plm, index, word, accepted));
        return new TakenTask(index, accepted);
    }

    /// <summary>Accepts and pushes one task.</summary>
    public void Push(uint index, ushort classId, long submittedUnixUs)
    {
        var accepted = Accept(index, classId, submittedUnixUs);
        Assert(Heap.Push(Role.Plm, [accepted]) == 1);
    }

    /// <summary>Ends a task in whatever way its state allows and frees the slot.</summary>
    public void Free(uint index)
    {
        var word = Tasks.Read(index);
        if (word.State == TaskState.Ready)
        {
            Assert(Heap.Remove(index, word));
        }
        else if (word.State != TaskState.Done)
        {
            Assert(Tasks.TryStep(Role.Plm, index, word, word.With(TaskState.Done)));
        }

        word = Tasks.Read(index);
        Assert(Tasks.TryStep(Role.Plm, index, word, word.With(TaskState.Free, Attempt.None)));
    }

    /// <summary>
    /// Runs something on a thread that takes the heap's lock and ends without letting go of it, as a holder that dies.
    /// </summary>
    public void DieHolding(ArenaLock theLock, Action inside)
    {
        Exception? failure = null;
        var holder = new Thread(() =>
        {
            var scope = theLock.Enter();
            try
            {
                inside();
            }
            catch (InvariantException wrong)
            {
                failure = wrong;
            }
        });
        holder.Start();
        holder.Join();
        Xunit.Assert.Null(failure);
    }

    public void Dispose() => _memory.Dispose();

    private static void Assert(bool condition) => Xunit.Assert.True(condition);
}
