// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Text;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Register;

namespace Muster.Unit.Register;

/// <summary>
/// A private arena with a Register on it and a clock that the test moves; the test plays workers, PLM and Scheduler.
/// </summary>
internal sealed class RegisterCell : IDisposable
{
    private readonly RegisterOptions _options;
    private readonly BeatAnswer _answer = new();
    private uint _used;
    private long _streams;

    public RegisterCell(RegisterOptions? options = null, long resultBytes = 8 << 20, uint epoch = 1)
    {
        _options = options ?? new();
        Arena = ArenaFile.CreatePrivate(new ArenaLimits
        {
            TasksMax = 1_024,
            WorkersMax = 16,
            PayloadBytesMax = 1 << 20,
            ResultBytesMax = resultBytes,
        }, epoch);
        Arena.Set(CellCounter.Populated, 1);
        Core = new(Arena, Effects, _options);
        Core.TakeOver(NowMs, NowUnixUs);
    }

    public ArenaMap Arena { get; }

    public FakeRegisterEffects Effects { get; } = new();

    public RegisterCore Core { get; private set; }

    public long NowMs { get; set; } = 5_000_000;

    public long NowUnixUs => 1_700_000_000_000_000 + (NowMs * 1_000);

    /// <summary>The number of the stream that was opened last.</summary>
    public long LastStream { get; private set; }

    public void Dispose() => Arena.Dispose();

    /// <summary>Another Register process takes the role over.</summary>
    public void Restart()
    {
        Core = new(Arena, Effects, _options);
        Core.TakeOver(NowMs, NowUnixUs);
    }

    public static RegistrationFacts Facts(ulong nonce, ulong workerId = 0) => new()
    {
        WireVersion = 1,
        WorkerId = workerId,
        Nonce = nonce,
        Name = $"w{nonce}",
        Slots = 4,
        Handlers = ["work"],
        Host = "here",
        Pid = (uint)nonce,
        PidStart = 7,
        Version = "1",
        IsOnThisHost = true,
    };

    public Welcome Hello(ulong nonce, ulong workerId = 0)
    {
        var fault = Hello(Facts(nonce, workerId), out var welcome);
        Invariant.That(fault.IsNone);
        return welcome;
    }

    public Fault Hello(RegistrationFacts facts, out Welcome welcome)
    {
        LastStream = ++_streams;
        return Core.WorkerHello(LastStream, facts, NowMs, NowUnixUs, out welcome);
    }

    public BeatAnswer Beat(uint row, long stream, params Report[] results) =>
        Beat(row, stream, new BeatFacts { EndedTotal = (ulong)results.Length }, results);

    /// <summary>A heartbeat with results; the answer is good until the next.</summary>
    public BeatAnswer Beat(uint row, long stream, in BeatFacts facts, params Report[] results)
    {
        var bytes = new List<byte>();
        var reports = new AttemptReport[results.Length];
        for (var i = 0; i < results.Length; i++)
        {
            var error = Encoding.UTF8.GetBytes(results[i].Error);
            var output = Encoding.UTF8.GetBytes(results[i].Output);
            reports[i] = new AttemptReport
            {
                Key = results[i].Key,
                Outcome = results[i].Error.Length == 0 ? Outcome.Succeeded : Outcome.Failed,
                Number = results[i].Number,
                ErrorStart = bytes.Count,
                ErrorBytes = error.Length,
                OutputStart = bytes.Count + error.Length,
                OutputBytes = output.Length,
                WaitedUs = results[i].WaitedUs,
                RanUs = results[i].RanUs,
                HeldUs = results[i].HeldUs,
            };
            bytes.AddRange(error);
            bytes.AddRange(output);
        }

        var whole = new BeatFacts
        {
            Bytes = bytes.ToArray(),
            Results = reports,
            Running = facts.Running,
            EndedTotal = facts.EndedTotal,
            HasLoad = facts.HasLoad,
            Load = facts.Load,
            IsGoodbye = facts.IsGoodbye,
            IsDraining = facts.IsDraining,
        };
        Core.Beat(row, stream, whole, NowMs, NowUnixUs, _answer);
        return _answer;
    }

    /// <summary>Moves the clock in ticks, as the role's thread does.</summary>
    public void Pass(long ms)
    {
        for (var end = NowMs + ms; NowMs < end;)
        {
            NowMs = Math.Min(end, NowMs + RegisterLimits.TickMs);
            Core.Tick(NowMs, NowUnixUs);
        }

        Core.CheckInvariants();
    }

    /// <summary>A task, given to the row by the Scheduler.</summary>
    public AttemptKey Assign(uint row)
    {
        var tasks = Arena.Tasks;
        var index = _used++;
        tasks.HighWater = _used;
        ref var slot = ref tasks[index];
        slot.Generation = TaskId.FirstGeneration(Arena.Epoch);
        slot.SubmittedUnixUs = NowUnixUs;
        Invariant.That(Arena.Ready.TryIntern(new(4, 0), out var classId));
        slot.Class = classId;
        var accepted = new StateWord(TaskState.Accepted, Attempt.None, (uint)slot.Generation);
        Invariant.That(tasks.TryStep(Role.Plm, index, tasks.Read(index), accepted));
        Invariant.That(Arena.Ready.Push(Role.Plm, [new(index, accepted)]) == 1);
        var taken = new TakenTask[1];
        Invariant.That(Arena.Ready.Take(classId, row, Arena.Epoch, NowUnixUs, taken) == 1);
        return new(tasks.IdOf(index), taken[0].Word.Attempt);
    }

    /// <summary>The task was promised the disk; others memory.</summary>
    public void MakeDurable(uint index)
    {
        foreach (byte level in new byte[] { 1, 3 })
        {
            var profile = new ProfileRow { Durability = level, AttemptsMax = 3 };
            Invariant.That(Arena.Profiles.TryIntern(
                profile, ProfileTable.SubmittedMax, out Arena.Tasks[index].Profile));
        }
    }

    /// <summary>A task that came back from the journal and is held back.</summary>
    public TaskId Restored()
    {
        var index = _used++;
        Arena.Tasks.HighWater = _used;
        ref var slot = ref Arena.Tasks[index];
        slot.Generation = TaskId.FirstGeneration(2);
        slot.SubmittedUnixUs = NowUnixUs;
        MakeDurable(index);
        var accepted = new StateWord(TaskState.Accepted, Attempt.None, (uint)slot.Generation);
        Invariant.That(Arena.Tasks.TryStep(Role.Plm, index, Arena.Tasks.Read(index), accepted));
        return Arena.Tasks.IdOf(index);
    }

    /// <summary>The Scheduler places a task of <see cref="Restored"/>.</summary>
    public void Assign(TaskId id, uint row)
    {
        Invariant.That(Arena.Ready.TryIntern(new(4, 0), out var classId));
        Arena.Tasks[id.Slot].Class = classId;
        Invariant.That(Arena.Ready.Push(Role.Plm, [new(id.Slot, Arena.Tasks.Read(id.Slot))]) == 1);
        Invariant.That(Arena.Ready.Take(classId, row, Arena.Epoch, NowUnixUs, new TakenTask[1]) == 1);
    }

    public TaskState StateOf(AttemptKey key) =>
        Arena.Tasks.TryFind(key.Task, out _, out var word) ? word.State : TaskState.Free;

    /// <summary>The PLM accepts the result as the outcome.</summary>
    public void Accept(AttemptKey key)
    {
        Invariant.That(Arena.Tasks.TryFind(key.Task, out var index, out var word));
        Arena.Tasks[index].Flags = TaskSlot.FlagOutcomeIsResult;
        Invariant.That(Arena.Tasks.TryStep(Role.Plm, index, word, word.With(TaskState.Done)));
    }

    /// <summary>The PLM says that the result's block is free; the slot is still Done.</summary>
    public void WriteFreed(AttemptKey key)
    {
        ref var slot = ref Arena.Tasks[key.Task.Slot];
        var record = new FreedRecord(slot.ResultBlock, slot.ResultBytes, key.Task.Value);
        Invariant.That(Arena.Freed.TryWrite([record]) == 1);
    }

    /// <summary>The PLM forgets the task.</summary>
    public void Forget(AttemptKey key)
    {
        Invariant.That(Arena.Tasks.TryFind(key.Task, out var index, out var word));
        Invariant.That(Arena.Tasks.TryStep(
            Role.Plm, index, word, new StateWord(TaskState.Free, Attempt.None, word.GenerationLow)));
    }

    public List<FinishedRecord> ReadFinished()
    {
        var records = new FinishedRecord[64];
        var count = Arena.Finished.Read(records);
        return [.. records[..count]];
    }

    public (string Error, string Output) ResultOf(AttemptKey key)
    {
        ref var slot = ref Arena.Tasks[key.Task.Slot];
        var block = Arena.Results.Bytes(slot.ResultBlock, (int)slot.ResultBytes);
        Invariant.That(ResultRecord.TryRead(block, out var error, out var output));
        return (Encoding.UTF8.GetString(error), Encoding.UTF8.GetString(output));
    }

    internal readonly record struct Report(
        AttemptKey Key,
        ulong Number,
        string Output = "",
        string Error = "",
        ulong WaitedUs = 0,
        ulong RanUs = 0,
        ulong HeldUs = 0);
}
