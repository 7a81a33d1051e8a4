// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Slabs;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Spill;

namespace Muster.Plm;

/// <summary>
/// Owner of tasks from submission to confirmation: ids, payloads, retries, sessions and delivery. The arena holds the
/// truth; what this object keeps besides (free slots, timers, lists of sessions, awaiters) is an index over it that
/// <see cref="Recover"/> rebuilds.
///
/// <para>Single-threaded: the host guards it by one lock and brackets every use by <see cref="BeginTurn"/> and
/// <see cref="EndTurn"/>. It reads no clock, starts nothing and blocks on nothing but the task heap's own lock.</para>
///
/// <para>Order of writes, and what a successor finds after a kill between two of them:</para>
/// <list type="number">
/// <item>Submission: payload block, fields, generation, high-water mark, the key's row, then Free to Accepted for
/// each task; then the session's decided ref; then the push that makes them Ready; then the answer. Before Accepted the
/// slot is free, its generation is passed over, and the row of a key that names it is dropped. After it the task
/// exists: the successor pushes it, counts its ref as decided, and tells the client so when it asks for what it does
/// not know.</item>
/// <item>Accepted result: outcome, flags, due time, then Reported to Done. Before the step it is judged again, the
/// same. The key's expiry comes after the step and before anything that could free the task; Done without it gets
/// it.</item>
/// <item>Repeated attempt: the mark of this attempt in EndFault, the record in the ring of freed results, then Reported
/// to Delayed or Ready, then the count of failures. Under the mark the record is never written twice, because the
/// block may be another task's by then; at worst the block stays unused until the Register restarts. A count not
/// written costs one attempt more, never one less; a task with one attempt never comes here.</item>
/// <item>End by the PLM itself (cancelled, expired, lost): the fault in EndFault, the step to Done, due time, outcome.
/// Done without an outcome is completed from EndFault.</item>
/// <item>Freeing: the flag Released (never delivered again), the flag Returned, the record in the ring, then Done to
/// Free, then the payload's block and the free list, which are local. Returned without Free: freed without a
/// record.</item>
/// </list>
/// </summary>
internal sealed partial class PlmCore
{
    private readonly ArenaMap _arena;
    private readonly TaskTable _tasks;
    private readonly TaskHeap _ready;
    private readonly ProfileTable _profiles;
    private readonly SlabAllocator _payloads;
    private readonly IPlmEffects _effects;
    private readonly PlmOptions _options;

    private readonly SlotIndex _index = new();
    private readonly TaskTimers _timers = new();

    // The end of the time that tasks have altogether.
    private readonly TaskTimers _deadlines = new();
    private readonly TaskAwaiters _awaiters;
    private readonly PlmSession?[] _sessions;
    private readonly Dictionary<(ulong ClientId, ushort Owner), PlmSession> _sessionsById = [];
    private readonly List<PlmSession> _dirty = [];
    private readonly TakenTask[] _pushes = new TakenTask[PlmLimits.PushBatchMax];
    private readonly long[] _tally = new long[(int)CellCounter.Assigned];

    private SlotList _free;
    private int _pushCount;
    private PlmTime _now;
    private bool _inTurn;
    private bool _wakeScheduler;

    /// <summary>
    /// Over an arena whose PLM role this process holds. <see cref="Recover"/> comes before any other call.
    /// </summary>
    public PlmCore(
        ArenaMap arena,
        IPlmEffects effects,
        PlmOptions options,
        IPlmJournal? journal = null,
        IPlmSpill? spill = null)
    {
        options.Validate();
        _arena = arena;
        _tasks = arena.Tasks;
        _ready = arena.Ready;
        _profiles = arena.Profiles;
        _payloads = new SlabAllocator(arena.Payloads);
        _effects = effects;
        _options = options;
        _journal = journal;
        _spill = arena.Spill.Capacity == 0 ? null : spill;
        _extentRows = arena.Spill;
        _holdFrom = options.HoldFrom == 0 ? (uint)(_tasks.Capacity * PressedFrom) : options.HoldFrom;
        _holdFromBytes = (long)(PressedFrom * _arena.Payloads.CapacityBytes);
        _keys = new KeyIndex(arena.Keys);
        _awaiters = new TaskAwaiters(_index, options.AwaitersMax);
        _sessions = new PlmSession?[arena.Clients.Capacity];
        var wanted = options.OutstandingMax == 0 ? Math.Max(1, _tasks.Capacity / 2) : options.OutstandingMax;
        OutstandingMax = Math.Min(wanted, PlmLimits.OutstandingMax);
    }

    /// <summary>Tasks that one session may have submitted and not confirmed.</summary>
    public uint OutstandingMax { get; }

    /// <summary>The level of a batch that names none: durable in a cell with a journal, unless the options say
    /// otherwise.</summary>
    public byte DurabilityDefault => _journal is null ? DurabilityLevel.Memory : _options.DurabilityDefault;

    /// <summary>Starts a turn: every other method belongs inside one.</summary>
    public void BeginTurn(PlmTime now)
    {
        Invariant.That(!_inTurn);
        _inTurn = true;
        _now = now;
    }

    /// <summary>
    /// Makes ready what became ready, frees what was confirmed, delivers what ended, and tells the counters.
    /// </summary>
    public void EndTurn()
    {
        Invariant.That(_inTurn);
        RunHolds();
        FlushPushes();
        RunReleases();
        GrantMore();
        AppendFacts();
        NoteFinishedRead();
        MarkFinishedSafe();
        SendCancels();
        DeliverDirty();
        FlushTally();
        _inTurn = false;
        if (_wakeScheduler)
        {
            _wakeScheduler = false;
            _effects.SignalScheduler();
        }
    }

    /// <summary>The id of the task in a slot.</summary>
    public TaskId IdOf(uint slot) => _tasks.IdOf(slot);

    /// <summary>The state and slot of a task, or why there is none.</summary>
    /// <param name="id">The task.</param>
    /// <param name="slot">Where it is.</param>
    /// <param name="word">Its state.</param>
    /// <param name="owner">Not null: for who does not own it, there is none, and the answer is the same.</param>
    public Fault Find(TaskId id, out uint slot, out StateWord word, ushort? owner = null)
    {
        if (_extentRows.IsSpilled(id) && IsOwnSpilled(id, owner))
        {
            (slot, word) = (0, default);
            return new(
                FaultCode.Unavailable,
                $"task {id} waits on disk for its turn; ask for it with GetTask",
                _options.RetryAfterMs);
        }

        // A task that was confirmed and waits only for room in a ring is gone for everyone.
        if (_tasks.TryFind(id, out slot, out word)
            && (_tasks[slot].Flags & SlotFlags.Released) == 0
            && (owner is null || _tasks[slot].Owner == owner))
        {
            return Fault.None;
        }

        return id.Epoch != 0 && id.Epoch < _arena.Epoch
            ? new(
                FaultCode.TaskIdFromEarlierArena,
                $"task {id} belongs to epoch {id.Epoch} of the cell and this is epoch {_arena.Epoch}; "
                + "either it ended and was confirmed, released or past its retention, or it was lost with the arena "
                + "because its level of durability allowed that")
            : new(FaultCode.TaskNotFound, $"there is no task {id}; it was never accepted here, or it ended and was "
                + "confirmed, released or past its retention");
    }

    private void Count(CellCounter counter, long amount = 1) => _tally[(int)counter] += amount;

    private void FlushTally()
    {
        _arena.Set(CellCounter.KeysNow, (ulong)_keys.Count);
        _arena.Set(CellCounter.HeldNow, (ulong)_heldCount);
        for (var counter = 0; counter < _tally.Length; counter++)
        {
            if (_tally[counter] != 0)
            {
                _arena.Add((CellCounter)counter, _tally[counter]);
                _tally[counter] = 0;
            }
        }
    }

    /// <summary>
    /// Notes a task that is to become Ready; the push comes in batches, at the turn's end at the latest.
    /// </summary>
    private void QueuePush(uint index, StateWord word)
    {
        if (_pushCount == _pushes.Length)
        {
            FlushPushes();
        }

        ref var slot = ref _tasks[index];
        slot.ReadyUs = Since(in slot);
        _pushes[_pushCount++] = new TakenTask(index, word);
    }

    private void FlushPushes()
    {
        if (_pushCount > 0)
        {
            CrashPoint.Hit("plm.push.before");
            _ready.Push(Role.Plm, _pushes.AsSpan(0, _pushCount));
            CrashPoint.Hit("plm.push.after");
            _pushCount = 0;
            _wakeScheduler = true;
            foreach (var index in _countAfterPush)
            {
                _tasks[index].AttemptsFailed++;
            }

            _countAfterPush.Clear();
        }
    }

    /// <summary>Microseconds since submission; at least 1, because 0 says that a moment has not come.</summary>
    private float Since(in TaskSlot slot) => Math.Max(1, _now.UnixUs - slot.SubmittedUnixUs);

    private PlmSession? SessionOf(in TaskSlot slot) => slot.Client == 0 ? null : _sessions[slot.Client - 1];

    private void MarkDirty(PlmSession session)
    {
        if (!session.IsDirty)
        {
            session.IsDirty = true;
            _dirty.Add(session);
        }
    }
}
