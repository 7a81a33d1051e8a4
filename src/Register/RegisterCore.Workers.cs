// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Register;

/// <summary>Registration: who a worker is, and whether it may go on as the one it says it was.</summary>
internal sealed partial class RegisterCore
{
    /// <summary>
    /// A worker opened its stream. Whoever knows the nonce of a living registration goes on with it; a worker that was
    /// given up, or is not known here, gets a new registration and is told so; anybody else is refused.
    /// </summary>
    /// <param name="stream">A number for the stream, never used before, not 0.</param>
    public Fault WorkerHello(long stream, RegistrationFacts facts, long nowMs, long nowUnixUs, out Welcome welcome)
    {
        Invariant.That(stream != 0);
        welcome = default;
        var refused = Check(facts);
        if (refused.IsNone)
        {
            refused = InternHandlers(facts);
        }

        if (!refused.IsNone)
        {
            return refused;
        }

        if (_arena.Counter(CellCounter.Populated) == 0)
        {
            return new(FaultCode.Unavailable,
                "the cell's PLM has not brought its arena up to date yet; try again in a moment", RetryAfterMs: 100);
        }

        var isReturning = IsFromEarlierArena(facts);
        var workerId = isReturning ? 0 : facts.WorkerId;
        refused = FindRow(facts, workerId, nowMs, nowUnixUs, out var row, out var isNew);
        if (!refused.IsNone)
        {
            return refused;
        }

        if (isNew)
        {
            BeginRow(row, facts);
        }

        var patienceMs = NoteLived(workerId, facts.Nonce, nowMs);
        WriteRow(row, facts, isNew, nowMs, nowUnixUs);
        var fenced = workerId != 0 && workerId != _rows.IdOf(row);
        OpenStream(row, stream, facts, nowMs);
        _watches[row].PatienceMs = Math.Max(_watches[row].PatienceMs, patienceMs);
        RaiseSafe(row);
        var watch = _watches[row];
        welcome = new(row, _rows.IdOf(row), watch.LeaseMs, watch.IntervalMs, fenced, watch.SafeNumber);
        EndTurn();
        return Fault.None;
    }

    /// <summary>
    /// A worker that outlived the arena it was registered in goes on with the attempts that it holds: each that its
    /// task still waits for becomes the task's own again, under the number that it has. The others are the caller's to
    /// tell. After <see cref="WorkerHello"/>, in the same turn.
    /// </summary>
    /// <param name="row">The worker's row.</param>
    /// <param name="facts">What it said.</param>
    /// <param name="nowUnixUs">Wall clock.</param>
    /// <param name="superseded">Gets the attempts that are not its own any more.</param>
    public void TakeBackAttempts(
        uint row, RegistrationFacts facts, long nowUnixUs, List<AttemptKey> superseded)
    {
        if (!IsFromEarlierArena(facts))
        {
            return;
        }

        foreach (var key in facts.InHand)
        {
            if (!TryTakeBack(row, key, nowUnixUs))
            {
                superseded.Add(key);
            }
        }
    }

    private bool IsFromEarlierArena(RegistrationFacts facts) =>
        facts.WorkerId != 0
        && facts.CellId != 0
        && facts.CellId == _arena.Counter(CellCounter.JournalLineage)
        && facts.Epoch != 0
        && facts.Epoch < _arena.Epoch;

    private bool TryTakeBack(uint row, AttemptKey key, long nowUnixUs)
    {
        while (_tasks.TryFind(key.Task, out var index, out var word))
        {
            ref var slot = ref _tasks[index];
            if (word.State == TaskState.Done && word.Attempt == key.Attempt)
            {
                // Its result is the task's outcome; the worker sends it again and is told that it is safe.
                return true;
            }

            if (word.State is not TaskState.Accepted
                || word.Attempt.Value >= key.Attempt.Value
                || key.Attempt.Epoch == 0
                || key.Attempt.Epoch >= _arena.Epoch)
            {
                // Two hellos of one worker may cross.
                return word.State is TaskState.Assigned or TaskState.Running
                    && word.Attempt == key.Attempt
                    && slot.Worker == row + 1;
            }

            // The PLM may let the task go at any moment, and the Scheduler then writes here what this would write over:
            // a result of its worker would be refused, and nobody would look for the task. A restored task names no
            // worker and the Scheduler never writes 0, so only 0 is ever replaced.
            Seam.Pass();
            var named = Interlocked.CompareExchange(ref slot.Worker, row + 1, 0);
            if (named != 0 && named != row + 1)
            {
                if (_tasks.Read(index) != word)
                {
                    continue;
                }

                // A Register died while it gave the task to another. Whose it is cannot be known: it is let go in time.
                return false;
            }

            // If the Scheduler is first from here on, its name replaces this one before its step, and the step below
            // fails; until then the task is in a state in which nobody reads the name. The rest is written once too.
            Interlocked.CompareExchange(ref slot.AssignedUs, Math.Max(0, nowUnixUs - slot.SubmittedUnixUs), 0);
            Interlocked.CompareExchange(ref slot.Executions, (ushort)1, (ushort)0);
            if (_tasks.TryStep(Role.Register, index, word, word.With(TaskState.Assigned, key.Attempt)))
            {
                return true;
            }
        }

        return false;
    }

    private static Fault Check(RegistrationFacts facts)
    {
        if (facts.WireVersion > TaskLimits.WireVersion)
        {
            return new(FaultCode.WireVersionUnsupported,
                $"wire version {facts.WireVersion} is not spoken here; this cell speaks {TaskLimits.WireVersion}");
        }

        if (facts.Nonce == 0)
        {
            return new(FaultCode.InvalidArgument, "the nonce is 0; it must be a random number of the worker process");
        }

        if (facts.Slots is 0 or > TaskLimits.WorkerSlotsMax)
        {
            return new(
                FaultCode.InvalidArgument, $"slots is {facts.Slots}; it must be 1 to {TaskLimits.WorkerSlotsMax}");
        }

        if (facts.Handlers.Count == 0)
        {
            return new(FaultCode.InvalidArgument, "the worker offers no handler; it must offer at least one");
        }

        return facts.Handlers.Count > TaskLimits.HandlersPerWorkerMax
            ? new(FaultCode.TooManyHandlers,
                $"the worker offers {facts.Handlers.Count} handlers; {TaskLimits.HandlersPerWorkerMax} are possible")
            : Fault.None;
    }

    private Fault InternHandlers(RegistrationFacts facts)
    {
        _handlers.Clear();
        Span<byte> utf8 = stackalloc byte[TaskLimits.HandlerNameBytesMax];
        foreach (var name in facts.Handlers)
        {
            if (TaskTypeName.Problem(name) is { } problem)
            {
                return new(FaultCode.HandlerNameInvalid, problem);
            }

            var length = Encoding.UTF8.GetBytes(name, utf8);

            if (!_arena.Handlers.TryIntern(utf8[..length], out var index))
            {
                return new(FaultCode.TooManyHandlers,
                    "this cell has met as many handler names as it can keep; use fewer names, or start a new arena");
            }

            _handlers.Add(index);
        }

        return Fault.None;
    }

    private Fault FindRow(
        RegistrationFacts facts, ulong workerId, long nowMs, long nowUnixUs, out uint row, out bool isNew)
    {
        isNew = false;
        row = (uint)workerId;
        if (workerId != 0 && row < _rows.HighWater && IsCurrent(row, workerId))
        {
            return _rows[row].Nonce == facts.Nonce && _rows[row].Owner == facts.Owner
                ? Fault.None
                : new(FaultCode.WorkerFenced, "this registration is another process's; register without a worker id");
        }

        // A first hello whose welcome was lost on the way must not leave a registration behind that nobody fills.
        for (row = 0; row < _rows.HighWater; row++)
        {
            if (_rows[row].Nonce != facts.Nonce
                || _rows[row].Owner != facts.Owner
                || !IsLiving(_rows.Health(row)))
            {
                continue;
            }

            if (workerId == 0 || (uint)workerId != row)
            {
                return Fault.None;
            }

            // The Register before this one died between the fence and the health. The worker will drop what it holds,
            // so its attempts must go to others, as for any other worker that was given up.
            GiveUp(row, WorkerHealth.Lost, WorkerReason.LeaseExpired, nowMs, nowUnixUs);
            break;
        }

        isNew = true;
        return TryFreeRow(nowMs, out row)
            ? Fault.None
            : new(FaultCode.TooManyWorkers,
                $"all {_rows.Capacity} worker registrations of this cell are in use; try again in a minute, or make "
                + "the arena anew with more --workers-max", 60_000);
    }

    private bool IsCurrent(uint row, ulong workerId) => _rows.IdOf(row) == workerId && IsLiving(_rows.Health(row));

    /// <summary>
    /// A row never used, else one whose worker was given up long ago and that no slot names any more.
    /// </summary>
    private bool TryFreeRow(long nowMs, out uint row)
    {
        row = _rows.HighWater;
        if (row < _rows.Capacity)
        {
            _rows.HighWater = row + 1;
            return true;
        }

        var named = new bool[_rows.Capacity];
        var slots = _tasks.HighWater;
        for (var index = 0u; index < slots; index++)
        {
            if (_tasks.Read(index).State is TaskState.Assigned or TaskState.Running)
            {
                NoteNamed(index, named);
            }
        }

        for (row = 0; row < _rows.Capacity; row++)
        {
            ref var watch = ref _watches[row];
            if (!IsLiving(_rows.Health(row))
                && watch.IsSettled
                && nowMs - watch.GivenUpMs >= _options.RowReuseMs
                && !named[row])
            {
                return true;
            }
        }

        return false;
    }

    private void BeginRow(uint row, RegistrationFacts facts)
    {
        ref var fact = ref _rows[row];
        Volatile.Write(ref fact.Health, (uint)WorkerHealth.Free);

        // Above every epoch that the row had in an earlier arena, or a worker that outlived that one could be taken for
        // its successor here: it would be given tasks, and then drop them with all that it holds of the earlier arena.
        Volatile.Write(ref fact.Epoch, Math.Max(fact.Epoch, _arena.Epoch << RegisterLimits.RowEpochBits) + 1);
        fact.Nonce = facts.Nonce;
        fact.Owner = facts.Owner;
        fact.EndedTotal = 0;
        fact.FinishedTotal = 0;
        fact.ResultNumber = 0;
        fact.Running = 0;
        fact.CpuMilli = 0;
        fact.MemoryBytes = 0;
        fact.ClockOffsetUs = 0;
        fact.PoolDelayUs = 0;
        fact.GcPauseTotalUs = 0;
        _watches[row] = default;
        _unsafe[row]?.Clear();
    }

    private void WriteRow(uint row, RegistrationFacts facts, bool isNew, long nowMs, long nowUnixUs)
    {
        ref var fact = ref _rows[row];
        fact.Slots = facts.Slots;
        fact.Pid = facts.Pid;
        fact.PidStart = facts.PidStart;
        fact.LastBeatMs = nowMs;
        _rows.SetHandlers(row, CollectionsMarshal.AsSpan(_handlers));
        _rows.SetTexts(row, NameOf(facts), facts.Host, facts.Version);
        if (isNew)
        {
            fact.HealthReason = (uint)WorkerReason.Registered;
            fact.HealthSinceUnixUs = nowUnixUs;
            Volatile.Write(ref fact.Health, (uint)WorkerHealth.Alive);
            _living++;
            _effects.HealthChanged(row, WorkerHealth.Free, WorkerHealth.Alive, WorkerReason.Registered);
        }
        else
        {
            SetHealth(row, WorkerHealth.Alive, WorkerReason.CameBack, nowMs, nowUnixUs);
        }

        MarkChanged(row);
    }

    private static string NameOf(RegistrationFacts facts) =>
        facts.Name.Length > 0 ? facts.Name : $"{facts.Host}/{facts.Pid}";

    private void OpenStream(uint row, long stream, RegistrationFacts facts, long nowMs)
    {
        ref var watch = ref _watches[row];
        if (watch.Stream != 0)
        {
            _effects.CloseStream(
                row, watch.Stream, new(FaultCode.Unavailable, "the worker opened another Heartbeat stream"));
        }

        watch.Stream = stream;
        watch.GoneAtMs = 0;
        watch.HeardMs = nowMs;
        watch.ShiftMs = 0;
        watch.IsDraining = false;
        SetTerms(ref watch);
        watch.IsWatched = facts.IsOnThisHost && facts.Pid != 0;
        if (watch.IsWatched)
        {
            _effects.WatchProcess(row, _rows[row].Epoch, facts.Pid, facts.PidStart);
        }
    }
}
