// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Text;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Rings;
using Muster.Arena.Slabs;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>
/// A PLM's core over an arena of its own, with the least of a Scheduler and a Register to move tasks on. One thread,
/// and a clock that only the test moves.
/// </summary>
internal sealed class PlmCell : IDisposable
{
    public const uint WorkerRow = 0;

    private readonly TakenTask[] _taken = new TakenTask[1_024];
    private readonly ReadyClass[] _classes = new ReadyClass[64];
    private readonly FreedRecord[] _freed = new FreedRecord[256];
    private readonly SlabAllocator _results;
    private readonly PlmOptions _options;

    public PlmCell(
        PlmOptions? options = null,
        ArenaLimits? limits = null,
        uint epoch = 1,
        FakeJournal? journal = null,
        FakeSpill? spill = null)
    {
        Spill = spill;
        Journal = journal;
        _options = options ?? new PlmOptions();
        Arena = ArenaFile.CreatePrivate(
            limits ?? new ArenaLimits
            {
                TasksMax = 1_024,
                WorkersMax = 16,
                ClientsMax = 16,
                KeysMax = 1_024,
                PayloadBytesMax = 1 << 20,
                ResultBytesMax = 8 << 20,
            },
            epoch);
        Arena.Workers.HighWater = 2;
        Arena.Workers[0].Health = (uint)WorkerHealth.Alive;
        Arena.Workers[1].Health = (uint)WorkerHealth.Alive;
        _results = new SlabAllocator(Arena.Results);
        _results.EndClaims();
        Core = StartCore();
    }

    /// <summary>Over the arena of another cell, with another journal.</summary>
    public PlmCell(
        ArenaMap arena,
        FakeJournal journal,
        long nowMs = 1_000,
        FakeSpill? spill = null,
        PlmOptions? options = null)
    {
        Spill = spill;
        NowMs = nowMs;
        _options = options ?? new PlmOptions();
        Journal = journal;
        Arena = arena;
        _results = new SlabAllocator(arena.Results);
        _results.EndClaims();
        Core = StartCore();
    }

    public ArenaMap Arena { get; }

    /// <summary>Null: the cell keeps none.</summary>
    public FakeJournal? Journal { get; }

    /// <summary>Null: there is nothing but the arena.</summary>
    public FakeSpill? Spill { get; }

    public PlmCore Core { get; private set; }

    public FakeEffects Effects { get; private set; } = new();

    public long NowMs { get; set; } = 1_000;

    /// <summary>By how much the wall clock was set forward or back.</summary>
    public long WallJumpMs { get; set; }

    public PlmTime Now => new(NowMs, 1_700_000_000_000_000 + ((NowMs + WallJumpMs) * 1_000));

    /// <summary>What the last takeover came to.</summary>
    public Fault Recovered { get; private set; }

    public long ResultBytesUsed => Arena.Results.UsedBytes;

    public List<CancelRecord> Cancels { get; } = [];

    /// <summary>One turn of the role's thread, at the present moment.</summary>
    public void Turn(Action<PlmCore>? act = null)
    {
        Core.BeginTurn(Now);
        Core.DrainFinished();
        Core.RunTimers();
        act?.Invoke(Core);
        Core.EndTurn();
    }

    public T Turn<T>(Func<PlmCore, T> act)
    {
        Core.BeginTurn(Now);
        var value = act(Core);
        Core.EndTurn();
        return value;
    }

    /// <summary>The PLM dies without a word, and another takes the arena over.</summary>
    public void Restart() => Core = StartCore();

    public PlmSession Open(
        ulong clientId, FakeStream stream, ulong first = 0, ulong last = 0, uint unconfirmedMax = 0) =>
        Open(clientId, stream, out _, first, last, unconfirmedMax);

    public PlmSession Open(
        ulong clientId,
        FakeStream stream,
        out List<KnownRef> known,
        ulong first = 0,
        ulong last = 0,
        uint unconfirmedMax = 0)
    {
        var found = new List<KnownRef>();
        var opened = Turn(core =>
        {
            var fault = core.OpenSession(
                new SessionHello(clientId, "test", unconfirmedMax, first, last), stream, found, out var session);
            Assert.True(fault.IsNone, fault.Message);
            return session!;
        });
        known = found;
        return opened;
    }

    public TaskSpec Spec(TaskOptionsChange? change = null)
    {
        var view = new TaskOptionsView { HandlerUtf8 = "work"u8 };
        change?.Invoke(ref view);
        var fault = TaskRules.TryMake(Arena, view, out var spec);
        Assert.True(fault.IsNone, fault.Message);
        return spec;
    }

    /// <summary>Submits payloads in one batch of a turn of its own.</summary>
    public (ulong[] Ids, ItemFault[] Faults) Submit(
        PlmSession? session, FakeStream? stream, TaskSpec spec, params string[] payloads) =>
        Turn(core => SubmitIn(core, session, stream, spec, payloads));

    public static (ulong[] Ids, ItemFault[] Faults) SubmitIn(
        PlmCore core, PlmSession? session, FakeStream? stream, TaskSpec spec, params string[] payloads)
    {
        var fault = core.BeginBatch(session, stream, (session?.DecidedRef ?? 0) + 1, payloads.Length, spec);
        Assert.True(fault.IsNone, fault.Message);
        foreach (var payload in payloads)
        {
            core.AddItem(Encoding.UTF8.GetBytes(payload));
        }

        var receipt = core.EndBatch();
        return (receipt.Ids.ToArray(), [.. receipt.Faults]);
    }

    /// <summary>Submits payloads, each with its key or with null, in one batch of a turn of its own.</summary>
    public (ulong[] Ids, ItemFault[] Faults, int[] Duplicates, ulong Sequence) SubmitKeyed(
        PlmSession? session, FakeStream? stream, TaskSpec spec, params (string Payload, string? Key)[] items) =>
        Turn(core =>
        {
            var fault = core.BeginBatch(session, stream, (session?.DecidedRef ?? 0) + 1, items.Length, spec);
            Assert.True(fault.IsNone, fault.Message);
            foreach (var (payload, key) in items)
            {
                core.AddItem(Encoding.UTF8.GetBytes(payload), Encoding.UTF8.GetBytes(key ?? ""));
            }

            var receipt = core.EndBatch();
            return (receipt.Ids.ToArray(), receipt.Faults.ToArray(), receipt.Duplicates.ToArray(), receipt.Sequence);
        });

    public Fault Confirm(PlmSession session, FakeStream stream, ulong total) =>
        Turn(core => core.Confirm(session, stream, total));

    public CancelAnswer Cancel(ulong id, string text = "")
    {
        Span<CancelAnswer> answers = stackalloc CancelAnswer[1];
        Core.BeginTurn(Now);
        Core.Cancel([id], answers, Encoding.UTF8.GetBytes(text));
        Core.EndTurn();
        return answers[0];
    }

    /// <summary>Places up to <paramref name="max"/> ready tasks on a worker's row, as the Scheduler does.</summary>
    public TakenTask[] Assign(int max = 1_024, uint row = WorkerRow)
    {
        var classes = Arena.Ready.ReadyClasses(_classes);
        var count = 0;
        for (var at = 0; at < classes && count < max; at++)
        {
            count += Arena.Ready.Take(_classes[at].Id, row, Arena.Epoch, Now.UnixUs, _taken.AsSpan(count, max - count));
        }

        return _taken[..count];
    }

    /// <summary>
    /// Records the result of an attempt, as the Register does; false when the attempt is not current any more.
    /// </summary>
    public bool Report(TakenTask task, Outcome outcome = Outcome.Succeeded, string output = "", string error = "") =>
        Report(task, outcome, output, Encoding.UTF8.GetBytes(error));

    /// <summary>As the other one, with an encoded TaskError.</summary>
    public bool Report(TakenTask task, Outcome outcome, string output, byte[] errorBytes)
    {
        var word = Arena.Tasks.Read(task.Slot);
        if (word.State is not (TaskState.Assigned or TaskState.Running)
            || word.Attempt != task.Word.Attempt
            || word.GenerationLow != task.Word.GenerationLow)
        {
            return false;
        }

        var outputBytes = Encoding.UTF8.GetBytes(output);
        var size = ResultRecord.Size(errorBytes.Length, outputBytes.Length);
        Assert.True(_results.TryAllocate(size, out var block));
        ResultRecord.Write(size == 0 ? default : Arena.Results.Bytes(block, size), errorBytes, outputBytes);
        ref var slot = ref Arena.Tasks[task.Slot];
        slot.ResultBlock = block;
        slot.ResultBytes = (uint)size;
        slot.AttemptOutcome = (byte)outcome;
        Assert.True(Arena.Tasks.TryStep(Role.Register, task.Slot, word, word.With(TaskState.Reported)));
        FinishedRecord record = new(FinishedRecord.Reported, task.Slot, slot.Generation);
        Assert.Equal(1, Arena.Finished.TryWrite([record]));
        return true;
    }

    public void LoseWorker(uint row)
    {
        ref var worker = ref Arena.Workers[row];
        var old = worker.Epoch++;
        worker.Health = (uint)WorkerHealth.Lost;
        Assert.Equal(1, Arena.Finished.TryWrite([new FinishedRecord(FinishedRecord.WorkerLost, row, old)]));
    }

    /// <summary>Empties the rings that the other roles read.</summary>
    public void DrainOthers()
    {
        int count;
        while ((count = Arena.Freed.Read(_freed)) > 0)
        {
            foreach (var record in _freed.AsSpan(0, count))
            {
                _results.Free(record.Block, (int)record.Bytes);
            }
        }

        Span<CancelRecord> cancels = stackalloc CancelRecord[64];
        while ((count = Arena.Cancels.Read(cancels)) > 0)
        {
            Cancels.AddRange(cancels[..count]);
        }
    }

    public TaskState StateOf(ulong id) =>
        Arena.Tasks.TryFind(new TaskId(id), out _, out var word) ? word.State : TaskState.Free;

    public ref TaskSlot SlotOf(ulong id)
    {
        Assert.True(Arena.Tasks.TryFind(new TaskId(id), out var index, out _));
        return ref Arena.Tasks[index];
    }

    /// <summary>The disk does what it was asked for, until nothing is left to do.</summary>
    public void Spin()
    {
        for (var round = 0; round < 64; round++)
        {
            Turn(core => Spill!.Work(core));
        }
    }

    /// <summary>The journal is on disk as far as it was appended, and the core hears of it.</summary>
    public void Sync() => Turn(core =>
    {
        Journal!.Synced = Journal.LastSequence;
        core.JournalReached(Journal.Synced, Journal.Synced);
    });

    public void Dispose() => Arena.Dispose();

    private PlmCore StartCore()
    {
        Effects = new FakeEffects();
        var core = new PlmCore(Arena, Effects, _options, Journal, Spill);
        core.BeginTurn(Now);
        Recovered = core.Recover();
        core.EndTurn();
        if (Recovered.IsNone)
        {
            core.CheckInvariants();
        }

        return core;
    }
}
