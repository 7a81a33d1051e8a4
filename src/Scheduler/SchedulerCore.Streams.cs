// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena.Heap;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Scheduler;

/// <summary>Streams of workers: who may open one, what is sent again, what is taken back.</summary>
internal sealed partial class SchedulerCore
{
    /// <summary>
    /// A worker opened its stream. Attempts that are the row's and that the worker neither has in hand nor has ended
    /// are sent again under the same attempt; those in its hand that are not its own any more are cancelled. An older
    /// stream of the same worker is closed. Call <see cref="Run"/> afterwards.
    /// </summary>
    /// <param name="stream">A number for the stream, never used before, not 0.</param>
    /// <param name="facts">What the worker says.</param>
    /// <param name="row">The worker's row; valid when nothing is returned.</param>
    public Fault WorkerDispatchOpened(long stream, in DispatchFacts facts, out uint row)
    {
        Invariant.That(stream != 0);
        row = (uint)facts.WorkerId;
        var refused = Admit(row, facts);
        if (!refused.IsNone)
        {
            return refused;
        }

        Refresh(row);
        ref var worker = ref _workers[row];
        if (worker.Epoch != (uint)(facts.WorkerId >> 32) || !worker.IsListed)
        {
            // The Register fenced it since it was admitted.
            return new(FaultCode.WorkerFenced, "this registration is over; open the Heartbeat stream again");
        }

        DropStream(row, new(FaultCode.Unavailable, "the worker opened another Dispatch stream"));
        worker.Stream = stream;
        worker.EndedAtHello = facts.EndedTotal;
        worker.Sent = (ulong)facts.InHand.Length;
        worker.PausedUntilMs = 0;
        worker.IsFull = false;
        _rows[row].Dispatching = 1;
        CancelForeign(row, facts.InHand);
        if (worker.MayHold)
        {
            SendAgain(row, facts);
        }

        SetRoom(row);
        return Fault.None;
    }

    /// <summary>The stream ended; nothing is re-run because of that. A stream that was replaced is ignored.</summary>
    public void WorkerDispatchClosed(uint row, long stream)
    {
        if (row >= _workers.Length || _workers[row].Stream != stream)
        {
            return;
        }

        EndStream(row);
        SetRoom(row);
    }

    /// <summary>
    /// A worker gives attempts back unstarted; they are ready again, and the worker gets nothing new for a moment. A
    /// key that is not the row's own attempt frees its place and changes nothing else. Call <see cref="Run"/>
    /// afterwards.
    /// </summary>
    /// <returns>A fault when the stream must end: the worker broke the contract.</returns>
    public Fault AttemptsReturned(uint row, long stream, ReadOnlySpan<AttemptKey> attempts, long nowMs)
    {
        if (row >= _workers.Length || _workers[row].Stream != stream || attempts.IsEmpty)
        {
            return Fault.None;
        }

        ref var worker = ref _workers[row];
        var fault = Fault.None;
        foreach (var key in attempts)
        {
            if (TryOwn(row, key, out var task))
            {
                fault = TakeBack(task);
            }

            if (fault.IsNone && (!TryCountInFlight(row, out var inFlight) || inFlight == 0))
            {
                fault = new(FaultCode.InvalidArgument, "the worker returned more attempts than it holds");
            }

            if (!fault.IsNone)
            {
                DropStream(row, fault);
                return fault;
            }

            worker.Sent--;
        }

        Pause(row, nowMs + _options.ReturnPauseMs);
        SetRoom(row);
        return Fault.None;
    }

    /// <summary>The row's stream takes assignments again. Call <see cref="Run"/> afterwards.</summary>
    public void StreamHasRoom(uint row, long stream)
    {
        if (row < _workers.Length && _workers[row].Stream == stream)
        {
            _workers[row].IsFull = false;
            SetRoom(row);
        }
    }

    private Fault Admit(uint row, in DispatchFacts facts)
    {
        if (facts.WireVersion > TaskLimits.WireVersion)
        {
            return new(FaultCode.WireVersionUnsupported,
                $"wire version {facts.WireVersion} is not spoken here; this cell speaks {TaskLimits.WireVersion}");
        }

        var epoch = (uint)(facts.WorkerId >> 32);
        if (row >= _rows.HighWater || _rows.Health(row) == WorkerHealth.Free)
        {
            return new(FaultCode.WorkerUnknown, "no worker has this id here; open the Heartbeat stream first");
        }

        if (Volatile.Read(ref _rows[row].Epoch) != epoch
            || _rows[row].Nonce != facts.Nonce
            || _rows[row].Owner != facts.Owner)
        {
            return new(FaultCode.WorkerFenced, "this registration is over; open the Heartbeat stream again");
        }

        return _rows.Health(row) is WorkerHealth.Lost or WorkerHealth.Gone
            ? new(FaultCode.WorkerFenced, "this worker was given up; open the Heartbeat stream again")
            : Fault.None;
    }

    private Fault TakeBack(TakenTask task)
    {
        if (task.Word.State == TaskState.Running)
        {
            return new(FaultCode.InvalidArgument, "the worker returned an attempt that it had said it runs");
        }

        if (task.Word.Attempt.Count >= SchedulerLimits.ReturnableCountMax)
        {
            return new(FaultCode.InvalidArgument, "this task was returned too often; report a result for it");
        }

        GiveBack([task]);
        return Fault.None;
    }

    /// <summary>Whether the key is the current attempt of a task that this row holds.</summary>
    private bool TryOwn(uint row, AttemptKey key, out TakenTask task)
    {
        var found = _tasks.TryFind(key.Task, out var index, out var word)
            && word.State is TaskState.Assigned or TaskState.Running
            && word.Attempt == key.Attempt
            && _tasks[index].Worker == row + 1;
        task = new(index, word);
        return found;
    }

    private void CancelForeign(uint row, ReadOnlySpan<AttemptKey> inHand)
    {
        var count = 0;
        foreach (var key in inHand)
        {
            if (TryOwn(row, key, out _))
            {
                continue;
            }

            _cancels[count++] = key;
            if (count == _cancels.Length)
            {
                _effects.SendCancels(row, _cancels);
                count = 0;
            }
        }

        if (count > 0)
        {
            _effects.SendCancels(row, _cancels.AsSpan(0, count));
        }
    }

    /// <summary>Finds the row's slots and sends those again that the worker does not know.</summary>
    private void SendAgain(uint row, in DispatchFacts facts)
    {
        _held.Clear();
        foreach (var key in facts.InHand)
        {
            _held.Add(key);
        }

        foreach (var key in facts.Unconfirmed)
        {
            _held.Add(key);
        }

        var isFull = false;
        var any = false;
        var count = 0;
        var slots = _tasks.HighWater;
        for (var index = 0u; index < slots && !isFull; index++)
        {
            var word = _tasks.Read(index);
            if (word.State is not (TaskState.Assigned or TaskState.Running) || _tasks[index].Worker != row + 1)
            {
                continue;
            }

            any = true;
            if (_held.Contains(new(_tasks.IdOf(index), word.Attempt)))
            {
                continue;
            }

            if (count == _taken.Length)
            {
                isFull = !TrySendAgain(row, _taken.AsSpan(0, count));
                count = 0;
            }

            _taken[count++] = new(index, word);
        }

        isFull = isFull || (count > 0 && !TrySendAgain(row, _taken.AsSpan(0, count)));
        _workers[row].MayHold = any;
        _held.Clear();
        if (isFull)
        {
            // These are assigned and cannot wait anywhere else; the worker opens the stream with what it got so far.
            DropStream(row, new(
                FaultCode.Unavailable, "what must be sent again does not fit at once; open the stream again"));
        }
    }

    private bool TrySendAgain(uint row, ReadOnlySpan<TakenTask> tasks)
    {
        var outcome = Send(row, tasks);
        _workers[row].Sent += (ulong)outcome.Sent;
        return outcome.Handled == tasks.Length;
    }

    /// <summary>Closes the row's stream from this side, if it has one.</summary>
    private void DropStream(uint row, Fault fault)
    {
        var stream = _workers[row].Stream;
        if (stream != 0)
        {
            EndStream(row);
            _effects.CloseStream(row, stream, fault);
        }
    }

    private void EndStream(uint row)
    {
        _workers[row].Stream = 0;
        _rows[row].Dispatching = 0;
        _rows[row].InFlight = 0;
        NoteStreamless(row);
        if (_workers[row].IsListed)
        {
            _index.SetRoom(row, 0, 0);
        }
    }

    private void Pause(uint row, long untilMs)
    {
        _workers[row].PausedUntilMs = untilMs;
        if (!_paused.Contains(row))
        {
            _paused.Add(row);
        }

        _pausesDueMs = Math.Min(_pausesDueMs, untilMs);
    }

    private void EndPauses(long nowMs)
    {
        _pausesDueMs = long.MaxValue;
        for (var i = _paused.Count - 1; i >= 0; i--)
        {
            var row = _paused[i];
            var untilMs = _workers[row].PausedUntilMs;
            if (untilMs > nowMs)
            {
                _pausesDueMs = Math.Min(_pausesDueMs, untilMs);
                continue;
            }

            _paused.RemoveAt(i);
            _workers[row].PausedUntilMs = 0;
            SetRoom(row);
        }
    }
}
