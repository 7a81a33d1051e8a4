// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Register;

/// <summary>Heartbeats: what runs, what ended, and how.</summary>
internal sealed partial class RegisterCore
{
    /// <summary>
    /// One heartbeat. A result counts if its task still waits for exactly this attempt of exactly this worker; then it
    /// is recorded in the arena and so safe. Any other is confirmed too, so that the worker forgets it, but counted and
    /// named in the answer. A result for which there is no room is not confirmed, nor is any after it.
    /// </summary>
    public void Beat(uint row, long stream, in BeatFacts facts, long nowMs, long nowUnixUs, BeatAnswer answer)
    {
        answer.Clear();
        if (row >= _watches.Length || _watches[row].Stream != stream)
        {
            answer.Fault = new(FaultCode.WorkerFenced, "this stream is not the worker's any more; open it again");
            return;
        }

        _arena.Add(CellCounter.Heartbeats, 1);
        Heard(row, facts.IsDraining, nowMs, nowUnixUs);
        TakeLoad(row, facts, nowUnixUs);
        foreach (var id in facts.Running)
        {
            MarkRunning(row, new(id));
        }

        foreach (ref readonly var report in facts.Progress)
        {
            TakeProgress(row, facts.Bytes, report, nowUnixUs);
        }

        var before = _rows[row].ResultNumber;
        _beatIsSafe = true;
        for (var at = 0; at < facts.Results.Length; at++)
        {
            ref readonly var report = ref facts.Results[at];
            var ahead = Math.Min(at + RegisterLimits.PrefetchAhead, facts.Results.Length - 1);
            _tasks.Prefetch(facts.Results[ahead].Key.Task.Slot);
            answer.Fault = TakeResult(row, facts.Bytes, report, nowUnixUs, answer);
            if (!answer.Fault.IsNone)
            {
                break;
            }
        }

        ref var fact = ref _rows[row];
        if (fact.ResultNumber != before)
        {
            NoteResults(row, fact.ResultNumber);
        }

        RaiseSafe(row);
        answer.ConfirmedResultNumber = _watches[row].SafeNumber;
        if (facts.EndedTotal > fact.EndedTotal)
        {
            Volatile.Write(ref fact.EndedTotal, facts.EndedTotal);
            MarkHasRoom(row);
        }

        TellInterval(row, answer);
        if (facts.IsGoodbye && answer.Fault.IsNone)
        {
            answer.IsLast = true;
            GiveUp(row, WorkerHealth.Gone, WorkerReason.Goodbye, nowMs, nowUnixUs);
        }

        EndTurn();
    }

    // Results of tasks that were promised memory are safe by now, unless others before them are not.
    private void NoteResults(uint row, ulong number)
    {
        if (_beatIsSafe && _unsafe[row] is null or { IsEmpty: true })
        {
            _watches[row].SafeNumber = number;
            return;
        }

        NoteUnsafe(row);
    }

    private void NoteUnsafe(uint row)
    {
        var number = _rows[row].ResultNumber;
        if (number != 0)
        {
            (_unsafe[row] ??= new()).Add(number, _finished.Total);
            _hasUnsafe = true;
        }
    }

    private bool RaiseSafe(uint row) =>
        _unsafe[row] is { IsEmpty: false } results
        && results.TryRaise(_arena.Counter(CellCounter.FinishedSafe), ref _watches[row].SafeNumber);

    // A worker that sends nothing more still waits to hear that it may forget.
    private void ConfirmWhatBecameSafe()
    {
        if (!_hasUnsafe)
        {
            return;
        }

        _hasUnsafe = false;
        for (var row = 0u; row < _rows.HighWater; row++)
        {
            if (RaiseSafe(row) && _watches[row].Stream != 0)
            {
                _effects.Confirm(row, _watches[row].Stream, _watches[row].SafeNumber);
            }

            _hasUnsafe |= _unsafe[row] is { IsEmpty: false };
        }
    }

    private void TakeLoad(uint row, in BeatFacts facts, long nowUnixUs)
    {
        if (!facts.HasLoad)
        {
            return;
        }

        ref var fact = ref _rows[row];
        fact.Running = (uint)facts.Running.Length;
        fact.CpuMilli = facts.Load.CpuMilli;
        fact.MemoryBytes = facts.Load.MemoryBytes;
        fact.PoolDelayUs = facts.Load.PoolDelayUs;
        fact.GcPauseTotalUs = facts.Load.GcPauseTotalUs;
        fact.ClockOffsetUs = facts.Load.ClockUnixUs == 0 ? 0 : facts.Load.ClockUnixUs - nowUnixUs;
    }

    private void MarkRunning(uint row, TaskId id)
    {
        // Anything else is over or somebody else's; a worker that must stop something hears of it by a cancellation.
        if (_tasks.TryFind(id, out var index, out var word)
            && word.State == TaskState.Assigned
            && _tasks[index].Worker == row + 1)
        {
            _tasks.TryStep(Role.Register, index, word, word.With(TaskState.Running));
        }
    }

    private void TakeProgress(uint row, ReadOnlySpan<byte> bytes, in ProgressReport report, long nowUnixUs)
    {
        if (_tasks.TryFind(report.Key.Task, out var index, out var word)
            && word.State is TaskState.Assigned or TaskState.Running
            && word.Attempt == report.Key.Attempt
            && _tasks[index].Worker == row + 1)
        {
            var saidUnixUs = nowUnixUs - (long)Math.Min(report.AgeUs, RegisterLimits.ProgressAgeUsMax);
            var details = bytes.Slice(report.DetailsStart, report.DetailsBytes);
            _arena.Progress.Write(report.Key.Task, report.Key.Attempt, saidUnixUs, details);
        }
    }

    private Fault TakeResult(
        uint row, ReadOnlySpan<byte> bytes, in AttemptReport report, long nowUnixUs, BeatAnswer answer)
    {
        ref var fact = ref _rows[row];
        if (report.Number == 0)
        {
            return new(FaultCode.InvalidArgument, "a result has no number; results are numbered from 1");
        }

        if (report.Number <= fact.ResultNumber)
        {
            return Fault.None;
        }

        // A worker that was given up and registered again goes on counting where it was.
        if (report.Number != fact.ResultNumber + 1 && fact.ResultNumber != 0)
        {
            return new(FaultCode.InvalidArgument,
                $"result {report.Number} follows {fact.ResultNumber}; results are numbered without gaps");
        }

        var fault = TryRecord(row, bytes, report, nowUnixUs, out var verdict);
        if (!fault.IsNone)
        {
            return fault;
        }

        if (verdict == Verdict.Accepted)
        {
            fact.FinishedTotal++;
            _arena.Add(CellCounter.Reported, 1);
        }
        else if (verdict == Verdict.Superseded)
        {
            _arena.Add(CellCounter.Superseded, 1);
            answer.Superseded.Add(report.Key);
        }

        // After the slot's step: whoever dies in between gets the result again and finds it taken.
        Volatile.Write(ref fact.ResultNumber, report.Number);
        CrashPoint.Hit("register.result.numbered");
        return Fault.None;
    }

    // As on the wire: what a task was promised for which being in the arena is enough.
    private const byte DurabilityMemory = 1;

    // Every result of the heartbeat at hand was safe once it was in the arena.
    private bool _beatIsSafe;

    private enum Verdict
    {
        Accepted,
        TakenBefore,
        Superseded,
    }

    private Fault TryRecord(
        uint row, ReadOnlySpan<byte> bytes, in AttemptReport report, long nowUnixUs, out Verdict verdict)
    {
        verdict = Verdict.Superseded;
        while (_tasks.TryFind(report.Key.Task, out var index, out var word))
        {
            ref var slot = ref _tasks[index];
            if (Safeguard.Fence && (word.Attempt != report.Key.Attempt || slot.Worker != row + 1))
            {
                // After the arena was made anew an ended task names no worker; the attempt alone says whose result it
                // has.
                verdict = word.Attempt == report.Key.Attempt && slot.Worker == 0 && WasTaken(word.State, slot.Flags)
                    ? Verdict.TakenBefore
                    : Verdict.Superseded;
                return Fault.None;
            }

            _beatIsSafe &= _arena.Profiles[slot.Profile].Durability <= DurabilityMemory;

            if (word.State is not (TaskState.Assigned or TaskState.Running))
            {
                verdict = WasTaken(word.State, slot.Flags) ? Verdict.TakenBefore : Verdict.Superseded;
                return Fault.None;
            }

            // More would not fit into the message that takes it to the client, and would bar the way of all after it.
            if (report.OutputBytes > TaskLimits.OutputBytesMax || report.ErrorBytes > TaskLimits.ErrorBytesMax)
            {
                return new(FaultCode.OutputTooLarge,
                    $"a result with {report.OutputBytes} bytes of output and {report.ErrorBytes} of error is over the "
                    + $"limits of {TaskLimits.OutputBytesMax} and {TaskLimits.ErrorBytesMax}");
            }

            var size = ResultRecord.Size(report.ErrorBytes, report.OutputBytes);
            if (!_blocks.TryAllocate(size, out var block))
            {
                _effects.RegionFull(row, size);
                return new(FaultCode.ArenaFull,
                    "the cell has no room for results until clients take some; keep this one and send it again",
                    RegisterLimits.RegionFullRetryMs);
            }

            WriteResult(ref slot, block, size, bytes, report, nowUnixUs);
            CrashPoint.Hit("register.result.block-written");
            if (_tasks.TryStep(Role.Register, index, word, word.With(TaskState.Reported)))
            {
                CrashPoint.Hit("register.result.reported");
                _finished.Reported(index, slot.OwnGeneration);
                CrashPoint.Hit("register.result.told");
                verdict = Verdict.Accepted;
                return Fault.None;
            }

            // Cancelled or given back at this very moment; look again.
            _blocks.Free(block, size);
        }

        return Fault.None;
    }

    /// <summary>
    /// The attempt's result is with the PLM already: it came twice, around a restart of the Register.
    /// </summary>
    private static bool WasTaken(TaskState state, byte flags) => state switch
    {
        TaskState.Reported or TaskState.Delayed or TaskState.Ready => true,
        TaskState.Done => (flags & TaskSlot.FlagOutcomeIsResult) != 0,
        _ => false,
    };

    private void WriteResult(
        ref TaskSlot slot, uint block, int size, ReadOnlySpan<byte> bytes, in AttemptReport report, long nowUnixUs)
    {
        if (size > 0)
        {
            ResultRecord.Write(
                _blocks.Bytes(block, size),
                bytes.Slice(report.ErrorStart, report.ErrorBytes),
                bytes.Slice(report.OutputStart, report.OutputBytes));
        }

        slot.ResultBlock = block;
        slot.ResultBytes = (uint)size;
        slot.AttemptOutcome = (byte)report.Outcome;

        // The worker's durations, laid backwards from now and kept between the hand-over and now: its clock is not
        // used.
        var reported = (float)Math.Max(0, nowUnixUs - slot.SubmittedUnixUs);
        var first = Math.Min(slot.AssignedUs, reported);
        slot.ReportedUs = reported;
        slot.FinishedUs = Math.Max(first, reported - report.HeldUs);
        slot.StartedUs = Math.Max(first, slot.FinishedUs - report.RanUs);
        slot.ReceivedUs = Math.Max(first, slot.StartedUs - report.WaitedUs);
    }

    private void TellInterval(uint row, BeatAnswer answer)
    {
        ref var watch = ref _watches[row];
        var now = IntervalMs;

        // Not for every worker that comes or goes: a tenth is worth a message.
        if (Math.Abs((long)now - watch.IntervalMs) * 10 >= watch.IntervalMs && now != watch.IntervalMs)
        {
            watch.IntervalMs = now;
            answer.IntervalMs = now;
        }
    }
}
