// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core.Tasks;

namespace Muster.Arena.Heap;

/// <summary>What the tasks of one class share; tasks of one class are decided together.</summary>
internal readonly record struct TaskClass(byte Priority, ushort Handler);

/// <summary>A class with ready tasks.</summary>
/// <param name="Id">Of the class.</param>
/// <param name="Class">What its tasks share.</param>
/// <param name="Count">Ready tasks.</param>
/// <param name="HeadReadyOrder">Grows with time: the class whose head waits longest has the lowest.</param>
internal readonly record struct ReadyClass(ushort Id, TaskClass Class, uint Count, ulong HeadReadyOrder);

/// <summary>A task taken from the heap: already Assigned under its new attempt.</summary>
internal readonly record struct TakenTask(uint Slot, StateWord Word);

/// <summary>
/// The ready tasks: one intrusive FIFO of slots per class, under one robust timed lock, which each call holds once. The
/// slots are the truth: after a holder died inside, the next one rebuilds every list from them (Ready slots, by
/// SubmittedUnixUs then index) and goes on. Push and Take cost O(1) per task, whatever the backlog.
/// </summary>
internal sealed class TaskHeap
{
    /// <summary>Ready tasks, read without the lock.</summary>
    public ulong Count => throw new NotImplementedException();

    /// <summary>The class id of a key, added when new; false when all are in use. PLM only.</summary>
    public bool TryIntern(TaskClass key, out ushort id) => throw new NotImplementedException();

    /// <summary>The key of a class id.</summary>
    public TaskClass ClassOf(ushort id) => throw new NotImplementedException();

    /// <summary>
    /// Moves each slot to Ready (from Accepted, Delayed, Waiting, Reported, Assigned or Running: any step the table
    /// allows the PLM or, for giving back, the Scheduler) and appends it to its class. A slot whose word is no longer
    /// the expected one is skipped.
    /// </summary>
    /// <returns>How many became Ready.</returns>
    public int Push(Core.Role role, ReadOnlySpan<TakenTask> slots) => throw new NotImplementedException();

    /// <summary>
    /// Takes up to tasks.Length tasks of one class from the front: sets Worker, AssignedUs and Executions, then
    /// Ready to Assigned under the next attempt of <paramref name="epoch"/>. Scheduler only.
    /// </summary>
    public int Take(ushort classId, uint workerRow, uint epoch, long nowUnixUs, Span<TakenTask> tasks) =>
        throw new NotImplementedException();

    /// <summary>Takes one Ready task out and makes it Done; false when it is no longer Ready. PLM only.</summary>
    public bool Remove(uint slot, StateWord expected) => throw new NotImplementedException();

    /// <summary>The classes that have ready tasks, highest priority first, then longest waiting head.</summary>
    public int ReadyClasses(Span<ReadyClass> classes) => throw new NotImplementedException();

    /// <summary>Compares the lists with the slots, under the lock; for tests and inspection.</summary>
    public void CheckInvariants() => throw new NotImplementedException();
}
