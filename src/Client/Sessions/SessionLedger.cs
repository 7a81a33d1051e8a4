// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Muster.Core;
using Muster.Transport.Wire;

namespace Muster.Client.Sessions;

/// <summary>
/// The state of one session at its client: what waits to be sent, what was sent under which ref, what was confirmed. It
/// has no threads, clock or stream of its own; the <see cref="SessionEngine"/> calls it under one lock. Capacity: the
/// engine bounds what is queued, the server's outstanding_max what is sent and not confirmed.
/// </summary>
/// <param name="jitter">Spreads repeated submissions of many clients; seeded in tests.</param>
/// <param name="streamNumber">Above which its streams are numbered.</param>
internal sealed partial class SessionLedger(Random jitter, ulong streamNumber = 0)
{
    private readonly Queue<PendingTask> _again = new();
    private readonly Queue<PendingTask> _fresh = new();
    private readonly OpenTasks _open = new();

    // Accepted, but under the ref of an earlier submission with the same key: nothing comes for them here.
    private readonly HashSet<PendingTask> _elsewhere = [];
    private readonly List<ulong> _cancels = [];
    private readonly List<ulong> _ids = [];

    private ulong _cellId;
    private uint _epoch;
    private ulong _nextRef = 1;
    private ulong _decidedRef;
    private uint _outstandingMax;
    private int _unresolved;
    private ulong _received;
    private ulong _confirmed;
    private long _confirmDueMs = long.MaxValue;
    private bool _isProbing;
    private int _refusalsInARow;

    /// <summary>Tasks that were never sent.</summary>
    public int QueuedCount => _fresh.Count;

    /// <summary>Payload bytes of the tasks that were never sent.</summary>
    public long QueuedBytes { get; private set; }

    /// <summary>Tasks sent without a result so far.</summary>
    public int OpenCount => _open.Count;

    /// <summary>Results that nobody waited for: of waits given up by an earlier failure, or sent twice.</summary>
    public long DroppedCount { get; private set; }

    /// <summary>No submission goes out before this moment: the server said that it is full.</summary>
    public long HoldUntilMs { get; private set; }

    /// <summary>How long a confirmation of a few results may wait for a message that it goes with; 0: not at
    /// all.</summary>
    public long ConfirmHoldMs { get; init; }

    /// <summary>
    /// Of the last stream, counted from 1. A program that goes on with the client id of an earlier run starts above the
    /// earlier one's.
    /// </summary>
    public ulong StreamNumber { get; private set; } = streamNumber;

    /// <summary>Whether somebody waits for something that the server has to do.</summary>
    public bool HasWork => _again.Count + _fresh.Count + _open.Count + _elsewhere.Count > 0;

    public void Enqueue(PendingTask task)
    {
        Invariant.That(task.Stage == PendingStage.Queued);
        _fresh.Enqueue(task);
        QueuedBytes += task.Payload.Length;
    }

    /// <summary>Cancels the task now if the cell has named it, else as soon as it does, else before it is
    /// sent.</summary>
    public void WantCancel(PendingTask task)
    {
        if (task.IsCancelWanted)
        {
            return;
        }

        task.IsCancelWanted = true;
        if (task.Stage == PendingStage.Accepted)
        {
            _cancels.Add(task.Id.Value);
        }
    }

    /// <summary>The same for every task that waits here or was sent.</summary>
    public void WantCancelAll()
    {
        foreach (var task in _again.Concat(_fresh).Concat(_open).Concat(_elsewhere))
        {
            WantCancel(task);
        }
    }

    /// <summary>Writes the first message of a stream, and starts its counts anew.</summary>
    public void EncodeHello(ProtoWriter writer, ulong clientId, string name)
    {
        var (first, last) = Unresolved();
        _received = 0;
        _confirmed = 0;
        _confirmDueMs = long.MaxValue;
        _cancels.Clear();
        writer.Clear();
        var hello = writer.Begin(1);
        writer.WriteUInt32(1, TaskLimits.WireVersion);
        writer.WriteFixed64(2, clientId);
        writer.WriteString(3, name);
        writer.WriteUInt32(4, SessionLimits.UnconfirmedMax);
        writer.WriteUInt64(5, first);
        writer.WriteUInt64(6, last);
        writer.WriteUInt32(7, _epoch);
        writer.WriteUInt64(8, ++StreamNumber);
        writer.End(hello);
    }

    /// <summary>
    /// Writes the next message: the confirmation that is due, cancellations, and one batch of tasks with the same
    /// options. Called when the wire is free, so batches grow exactly as fast as it is busy.
    /// </summary>
    /// <param name="writer">Cleared first.</param>
    /// <param name="nowMs">Monotonic.</param>
    /// <param name="events">Gets the tasks that end here: those cancelled before they were sent.</param>
    /// <returns>False when there is nothing to send.</returns>
    public bool TryEncode(ProtoWriter writer, long nowMs, SessionEvents events)
    {
        writer.Clear();
        var outstanding = (ulong)_open.Count + (_received - _confirmed);
        if (_cancels.Count > 0)
        {
            var count = Math.Min(_cancels.Count, SessionLimits.CancelsPerMessageMax);
            writer.WritePackedFixed64(4, CollectionsMarshal.AsSpan(_cancels)[..count]);
            _cancels.RemoveRange(0, count);
        }

        if (MaySubmit(nowMs) && outstanding < _outstandingMax)
        {
            EncodeSubmit(writer, (int)Math.Min(_outstandingMax - outstanding, SessionLimits.BatchItemsMax), events);
        }

        if (_received > _confirmed && (writer.Length > 0 || IsConfirmDue(nowMs)))
        {
            writer.WriteUInt64(3, _received);
            _confirmed = _received;
            _confirmDueMs = long.MaxValue;
        }

        return writer.Length > 0;
    }

    /// <summary>Whether <see cref="TryEncode"/> may have something to send; false: it has nothing.</summary>
    public bool MayHaveToSend(long nowMs) =>
        _again.Count + _fresh.Count + _cancels.Count > 0 || (_received > _confirmed && IsConfirmDue(nowMs));

    /// <summary>The next moment at which there is something to send that waits now; long.MaxValue: none.</summary>
    public long NextDueMs(long nowMs) =>
        Math.Min(_confirmDueMs, HoldUntilMs > nowMs ? HoldUntilMs : long.MaxValue);

    /// <summary>A confirmation that waits goes with the next message, whatever else there is.</summary>
    public void ConfirmNow() => _confirmDueMs = 0;

    /// <summary>Ends everything that waits, with the same refusal. Results that still come will be dropped.</summary>
    public void FailAll(MusterException refusal, SessionEvents events)
    {
        foreach (var task in _open)
        {
            Refuse(task, refusal, events);
        }

        foreach (var task in _elsewhere)
        {
            Refuse(task, refusal, events);
        }

        while (TryDequeue(out var task))
        {
            Refuse(task, refusal, events);
        }

        _open.Clear();
        _elsewhere.Clear();
        _unresolved = 0;
    }

    /// <summary>While the server is full, one batch at a time asks whether it still is.</summary>
    private bool MaySubmit(long nowMs) => nowMs >= HoldUntilMs && !(_isProbing && _unresolved > 0);

    /// <summary>
    /// A caller with one task after the other sends the next within microseconds of a result, and the confirmation with
    /// it: a message and a wake of the PLM less for each. Whoever is kept waiting by what is not confirmed, here or
    /// there, waits no longer than before.
    /// </summary>
    private bool IsConfirmDue(long nowMs)
    {
        if (_confirmDueMs == long.MaxValue)
        {
            _confirmDueMs = nowMs + ConfirmHoldMs;
        }

        return nowMs >= _confirmDueMs
            || _received - _confirmed >= SessionLimits.ConfirmedAtOnceMin
            || _again.Count + _fresh.Count > 0;
    }

    private void EncodeSubmit(ProtoWriter writer, int room, SessionEvents events)
    {
        if (!TryPeekWanted(events, out var task))
        {
            return;
        }

        var options = task.Options;
        var submit = writer.Begin(2);
        writer.WriteUInt64(1, _nextRef);
        writer.WriteBytesAlways(2, options.Bytes);
        var count = 0;
        do
        {
            TryDequeue(out _);
            var item = writer.Begin(3);
            writer.WriteBytes(1, task.Payload.Span);
            writer.WriteString(2, task.IdempotencyKey ?? "");
            writer.End(item);
            task.Ref = _nextRef++;
            task.Stage = PendingStage.Sent;
            _open.Add(task);
            _unresolved++;
            count++;
        }
        while (count < room
            && TryPeekWanted(events, out task)
            && ReferenceEquals(task.Options, options)
            && writer.Length + task.Payload.Length < SessionLimits.BatchBytesMax);

        writer.End(submit);
    }

    /// <summary>The next task to send; those that nobody wants any more end on the way.</summary>
    private bool TryPeekWanted(SessionEvents events, out PendingTask task)
    {
        while (_again.TryPeek(out task!) || _fresh.TryPeek(out task!))
        {
            if (!task.IsAbandoned && !task.IsCancelWanted)
            {
                return true;
            }

            TryDequeue(out _);
            EndUnsent(task, events);
        }

        return false;
    }

    private bool TryDequeue(out PendingTask task)
    {
        if (_again.TryDequeue(out task!))
        {
            return true;
        }

        if (!_fresh.TryDequeue(out task!))
        {
            return false;
        }

        QueuedBytes -= task.Payload.Length;
        return true;
    }

    private static void EndUnsent(PendingTask task, SessionEvents events)
    {
        task.Stage = PendingStage.Ended;
        task.Outcome = Outcome.Cancelled;
        task.Error = new(FaultCodes.Name(FaultCode.TaskCancelled), "it was cancelled before it was sent");
        events.Ended.Add(task);
    }

    private static void Refuse(PendingTask task, MusterException refusal, SessionEvents events)
    {
        task.Stage = PendingStage.Ended;
        task.Refusal = refusal;
        events.Ended.Add(task);
    }
}
