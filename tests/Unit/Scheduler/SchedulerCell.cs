// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Scheduler;

namespace Muster.Unit.Scheduler;

/// <summary>
/// A private arena with a Scheduler on it; the test itself plays PLM and Register, by the same calls that they use.
/// </summary>
internal sealed class SchedulerCell : IDisposable
{
    private readonly Stack<uint> _free = new();
    private readonly SchedulerOptions _options;
    private uint _used;
    private long _streams;

    public SchedulerCell(SchedulerOptions? options = null, uint tasks = 4_096)
    {
        _options = options ?? new();
        Arena = ArenaFile.CreatePrivate(new ArenaLimits
        {
            TasksMax = tasks,
            WorkersMax = 16,
            PayloadBytesMax = 1 << 20,
            ResultBytesMax = 8 << 20,
        });
        Effects = new(Arena);
        Core = new(Arena, Effects, _options);
        Core.TakeOver();
    }

    public ArenaMap Arena { get; }

    public FakeSchedulerEffects Effects { get; }

    public SchedulerCore Core { get; private set; }

    public long NowMs { get; set; } = 1_000_000;

    public long NowUnixUs => 1_700_000_000_000_000 + (NowMs * 1_000);

    public void Dispose() => Arena.Dispose();

    public void Run() => Core.Run(NowMs, NowUnixUs);

    /// <summary>Another Scheduler process takes the role over.</summary>
    public void Restart()
    {
        Core = new(Arena, Effects, _options);
        Core.TakeOver();
    }

    public ushort Handler(string name)
    {
        Invariant.That(Arena.Handlers.TryIntern(Encoding.UTF8.GetBytes(name), out var index));
        return index;
    }

    public TaskId Submit(
        string handler = "work", byte priority = 4, uint timeoutMs = 0, bool alone = false, byte attemptsMax = 3)
    {
        var tasks = Arena.Tasks;
        if (!_free.TryPop(out var index))
        {
            index = _used++;
            tasks.HighWater = _used;
        }

        ref var slot = ref tasks[index];
        var free = tasks.Read(index);
        slot.Generation = slot.Generation == 0
            ? TaskId.FirstGeneration(Arena.Epoch)
            : TaskId.NextGeneration(slot.Generation, Arena.Epoch);
        Invariant.That(Arena.Ready.TryIntern(new(priority, Handler(handler), alone), out var classId));
        slot.Class = classId;
        var profile = new ProfileRow
        {
            Class = classId,
            Handler = Handler(handler),
            Priority = priority,
            TimeoutMs = timeoutMs,
            AttemptsMax = attemptsMax,
        };
        Invariant.That(Arena.Profiles.TryIntern(profile, ProfileTable.SubmittedMax, out slot.Profile));
        slot.SubmittedUnixUs = NowUnixUs;
        slot.Executions = 0;
        var accepted = new StateWord(TaskState.Accepted, Attempt.None, (uint)slot.Generation);
        Invariant.That(tasks.TryStep(Role.Plm, index, free, accepted));
        Invariant.That(Arena.Ready.Push(Role.Plm, [new(index, accepted)]) == 1);
        return tasks.IdOf(index);
    }

    public List<TaskId> Submit(int count, string handler = "work", byte priority = 4) =>
        [.. Enumerable.Range(0, count).Select(_ => Submit(handler, priority))];

    /// <summary>The Register welcomes a worker.</summary>
    public uint AddWorker(uint slots, params string[] handlers)
    {
        var row = Arena.Workers.HighWater;
        Arena.Workers.HighWater = row + 1;
        Welcome(row, slots, handlers.Length == 0 ? ["work"] : handlers);
        return row;
    }

    public void Welcome(uint row, uint slots, params string[] handlers)
    {
        ref var fact = ref Arena.Workers[row];
        fact.Epoch++;
        fact.Nonce = 1_000 + row;
        fact.Slots = slots;
        fact.EndedTotal = 0;
        Arena.Workers.SetHandlers(row, [.. handlers.Select(Handler)]);
        SetHealth(row, WorkerHealth.Alive);
    }

    public void SetHealth(uint row, WorkerHealth health)
    {
        Volatile.Write(ref Arena.Workers[row].Health, (uint)health);
        Arena.Workers.MarkChanged(row);
    }

    /// <summary>The Register gives the worker up; the PLM takes back what it held.</summary>
    public void Lose(uint row)
    {
        Arena.Workers[row].Epoch++;
        SetHealth(row, WorkerHealth.Lost);
        ReturnAttempts(row);
    }

    public void ReturnAttempts(uint row)
    {
        for (var index = 0u; index < Arena.Tasks.HighWater; index++)
        {
            var word = Arena.Tasks.Read(index);
            if (word.State is TaskState.Assigned or TaskState.Running && Arena.Tasks[index].Worker == row + 1)
            {
                Arena.Ready.Push(Role.Plm, [new(index, word)]);
            }
        }
    }

    /// <summary>The worker opens its stream.</summary>
    public Fault Open(
        uint row, AttemptKey[]? inHand = null, AttemptKey[]? unconfirmed = null, ulong ended = 0, ulong nonce = 0)
    {
        var facts = new DispatchFacts
        {
            WorkerId = Arena.Workers.IdOf(row),
            Nonce = nonce == 0 ? Arena.Workers[row].Nonce : nonce,
            EndedTotal = ended,
            InHand = inHand,
            Unconfirmed = unconfirmed,
        };
        LastStream = ++_streams;
        return Core.WorkerDispatchOpened(LastStream, facts, out _);
    }

    /// <summary>The number of the stream that was opened last.</summary>
    public long LastStream { get; private set; }

    /// <summary>A heartbeat raises the worker's count.</summary>
    public void Ended(uint row, ulong endedTotal)
    {
        ref var fact = ref Arena.Workers[row];
        if (endedTotal > fact.EndedTotal)
        {
            fact.EndedTotal = endedTotal;
            Arena.Workers.MarkChanged(row);
        }
    }

    /// <summary>
    /// The Register records a result and the PLM is done with it; false when the attempt is not current.
    /// </summary>
    public bool Finish(uint row, AttemptKey key)
    {
        if (!Arena.Tasks.TryFind(key.Task, out var index, out var word)
            || word.State is not (TaskState.Assigned or TaskState.Running)
            || word.Attempt != key.Attempt
            || Arena.Tasks[index].Worker != row + 1)
        {
            return false;
        }

        Invariant.That(Arena.Tasks.TryStep(Role.Register, index, word, word.With(TaskState.Reported)));
        EndSlot(index, word.With(TaskState.Reported));
        return true;
    }

    /// <summary>The worker ends everything that was sent to it, and forgets it.</summary>
    public void FinishAll(uint row)
    {
        var ended = Arena.Workers[row].EndedTotal;
        foreach (var sent in Effects.Sent)
        {
            ended += sent.Row == row && Finish(row, sent.Key) ? 1u : 0;
        }

        Effects.Sent.Clear();
        Ended(row, ended);
    }

    /// <summary>
    /// Runs one task of this length on the worker, so that the handler's length is known, and forgets what was sent.
    /// The worker has ended two attempts more afterwards.
    /// </summary>
    public void Teach(uint row, float ranUs, string handler = "work")
    {
        var id = Submit(handler);
        Run();
        var sent = Effects.Sent[^1];
        Invariant.That(sent.Key.Task == id && sent.Row == row);
        ref var slot = ref Arena.Tasks[id.Slot];
        slot.Flags |= TaskSlot.FlagOutcomeIsResult;
        slot.StartedUs = slot.AssignedUs + 1;
        slot.FinishedUs = slot.StartedUs + ranUs;
        Invariant.That(Finish(row, sent.Key));
        Ended(row, Arena.Workers[row].EndedTotal + 1);

        // The next task of the handler is what makes the Scheduler look.
        _free.Clear();
        var next = Submit(handler);
        Run();
        Invariant.That(Effects.Sent[^1].Key.Task == next && Finish(row, Effects.Sent[^1].Key));
        Ended(row, Arena.Workers[row].EndedTotal + 1);
        Run();
        Effects.Sent.Clear();
    }

    /// <summary>The PLM cancels what is assigned, and tells the Scheduler.</summary>
    public bool Cancel(TaskId id)
    {
        if (!Arena.Tasks.TryFind(id, out var index, out var word)
            || word.State is not (TaskState.Assigned or TaskState.Running))
        {
            return false;
        }

        var row = Arena.Tasks[index].Worker - 1;
        EndSlot(index, word);
        Invariant.That(Arena.Cancels.TryWrite([new CancelRecord(id.Value, word.Attempt.Value, row)]) == 1);
        return true;
    }

    public TaskState StateOf(TaskId id) =>
        Arena.Tasks.TryFind(id, out _, out var word) ? word.State : TaskState.Free;

    private void EndSlot(uint index, StateWord word)
    {
        var done = word.With(TaskState.Done);
        Invariant.That(Arena.Tasks.TryStep(Role.Plm, index, word, done));
        Invariant.That(Arena.Tasks.TryStep(
            Role.Plm, index, done, new StateWord(TaskState.Free, Attempt.None, done.GenerationLow)));
        _free.Push(index);
    }
}
