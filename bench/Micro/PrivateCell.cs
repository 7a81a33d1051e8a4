// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Scheduler;

namespace Muster.Micro;

/// <summary>
/// An arena over anonymous memory with tasks in it. What the other roles would do to a task is done by the shortest way
/// that the table of transitions allows.
/// </summary>
internal sealed class PrivateCell : IDisposable
{
    public const uint Tasks = 8_192;

    private readonly TakenTask[] _accepted = new TakenTask[Tasks];

    public PrivateCell()
    {
        Arena = ArenaFile.CreatePrivate(new ArenaLimits
        {
            TasksMax = Tasks,
            WorkersMax = 16,
            PayloadBytesMax = 64 << 20,
            ResultBytesMax = 8 << 20,
        });
        Invariant.That(Arena.Handlers.TryIntern("work"u8, out var handler));
        Handler = handler;
        Invariant.That(Arena.Ready.TryIntern(new(TaskLimits.PriorityDefault, handler, false), out var classId));
        Class = classId;
        Arena.Tasks.HighWater = Tasks;
        for (uint index = 0; index < Tasks; index++)
        {
            _accepted[index] = Accept(index);
        }
    }

    public ArenaMap Arena { get; }

    public ushort Handler { get; }

    public ushort Class { get; }

    /// <summary>As the Scheduler reads them: all ready for the first time.</summary>
    public void PushFirst(int count) =>
        Invariant.That(Arena.Ready.Push(Role.Plm, _accepted.AsSpan(0, count)) == count);

    /// <summary>
    /// Ends tasks that were taken and accepts new ones in their slots, for a task has a limited number of attempts.
    /// </summary>
    public void Renew(Span<TakenTask> taken)
    {
        foreach (ref var task in taken)
        {
            var tasks = Arena.Tasks;
            var done = task.Word.With(TaskState.Done);
            Invariant.That(tasks.TryStep(Role.Plm, task.Slot, task.Word, done));
            var free = new StateWord(TaskState.Free, Attempt.None, done.GenerationLow);
            Invariant.That(tasks.TryStep(Role.Plm, task.Slot, done, free));
            ref var slot = ref tasks[task.Slot];
            slot.Generation = TaskId.NextGeneration(slot.Generation, Arena.Epoch);
            slot.Executions = 0;
            var accepted = new StateWord(TaskState.Accepted, Attempt.None, (uint)slot.Generation);
            Invariant.That(tasks.TryStep(Role.Plm, task.Slot, free, accepted));
            task = new(task.Slot, accepted);
        }
    }

    /// <summary>Makes a worker known whose slots take everything.</summary>
    public uint AddWorker(uint slots)
    {
        var row = Arena.Workers.HighWater;
        Arena.Workers.HighWater = row + 1;
        ref var fact = ref Arena.Workers[row];
        fact.Epoch = 1;
        fact.Nonce = 7;
        fact.Slots = slots;
        Arena.Workers.SetHandlers(row, [Handler]);
        fact.Health = (uint)WorkerHealth.Alive;
        Arena.Workers.MarkChanged(row);
        return row;
    }

    public void Dispose() => Arena.Dispose();

    private TakenTask Accept(uint index)
    {
        ref var slot = ref Arena.Tasks[index];
        slot.Generation = TaskId.FirstGeneration(Arena.Epoch);
        slot.Class = Class;
        slot.SubmittedUnixUs = 1;
        var accepted = new StateWord(TaskState.Accepted, Attempt.None, (uint)slot.Generation);
        Invariant.That(Arena.Tasks.TryStep(Role.Plm, index, Arena.Tasks.Read(index), accepted));
        return new(index, accepted);
    }
}
