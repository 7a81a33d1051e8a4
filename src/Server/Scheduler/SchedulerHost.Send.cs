// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Scheduler;
using Muster.Server.Endpoint;
using Muster.Transport.Wire;

namespace Muster.Server.SchedulerHosting;

/// <summary>Assignments and cancellations as bytes: muster.v1.DispatchResponse, straight from the slots.</summary>
internal sealed partial class SchedulerHost
{
    // A message is closed above this; large payloads get one of their own.
    private const int MessageBytesAim = 64 * 1024;

    // Cancellations kept for a stream that has no room: as many as go in one message.
    private const int OwedCancelsMax = 4_096;

    private static readonly Fault s_doesNotRead = new(
        FaultCode.Unavailable, "the worker does not read its Dispatch stream; open it again");

    SendOutcome ISchedulerEffects.SendAssignments(
        uint row, in AssignmentTerms terms, ReadOnlySpan<TakenTask> tasks)
    {
        int handled = 0, sent = 0;
        while (handled < tasks.Length)
        {
            var count = EncodeGroup(terms, tasks[handled..], out var encoded);
            if (encoded > 0 && !TrySend(row))
            {
                break;
            }

            handled += count;
            sent += encoded;
        }

        return new(handled, sent);
    }

    void ISchedulerEffects.SendCancels(uint row, ReadOnlySpan<AttemptKey> attempts)
    {
        if (TrySendCancels(row, attempts) || (_opening ?? _streams[row]) is not { } stream)
        {
            return;
        }

        stream.OwedCancels.AddRange(attempts);
        if (stream.OwedCancels.Count > OwedCancelsMax)
        {
            // Its worker has read nothing for long. When it opens the stream again it says what it holds, and hears
            // which of that is not its own any more.
            stream.EndAfterTurn(s_doesNotRead);
            Touch(stream);
        }
    }

    // Before assignments that come after them: the attempt cancelled may be the one that a slot is needed for.
    private void SendOwedCancels(DispatchStream stream)
    {
        var owed = stream.OwedCancels;
        if (owed.Count > 0 && TrySendCancels(stream.Row, CollectionsMarshal.AsSpan(owed)))
        {
            owed.Clear();
        }
    }

    private bool TrySendCancels(uint row, ReadOnlySpan<AttemptKey> attempts)
    {
        _writer.Clear();
        foreach (var key in attempts)
        {
            var begin = _writer.Begin(2);
            _writer.WriteFixed64(1, key.Task.Value);
            _writer.WriteUInt32(2, key.Attempt.Value);
            _writer.End(begin);
        }

        return TrySend(row);
    }

    /// <summary>The fields of an AssignmentGroup that its assignments share.</summary>
    internal static void WriteTerms(ProtoWriter writer, ArenaMap arena, in AssignmentTerms terms)
    {
        writer.WriteBytes(1, arena.Handlers.NameUtf8(terms.Handler));
        writer.WriteUInt32(2, terms.TimeoutMs);
        writer.WriteUInt32(4, terms.ProgressTimeoutMs);

        // Most tasks leave it at the default, and it costs bytes.
        writer.WriteUInt32(5, terms.CancelGraceMs == TaskLimits.CancelGraceMsDefault ? 0 : terms.CancelGraceMs);
    }

    private bool TrySend(uint row)
    {
        var stream = _opening ?? _streams[row];
        if (stream is null)
        {
            return false;
        }

        if (stream.TryAppend(_writer) != AppendOutcome.Appended)
        {
            stream.IsFull = true;
            return false;
        }

        Touch(stream);
        return true;
    }

    /// <summary>
    /// Encodes one message with as many of the tasks as are fit for one; at least the first is looked at.
    /// </summary>
    private int EncodeGroup(in AssignmentTerms terms, ReadOnlySpan<TakenTask> tasks, out int encoded)
    {
        _writer.Clear();
        var group = _writer.Begin(1);
        WriteTerms(_writer, Arena, terms);
        encoded = 0;
        var count = 0;
        while (count < tasks.Length && _writer.Length < MessageBytesAim)
        {
            var before = _writer.Length;
            if (TryEncode(tasks[count]))
            {
                if (_writer.Length > TaskLimits.MessageBytesMax && encoded > 0)
                {
                    _writer.Truncate(before);
                    break;
                }

                encoded++;
            }

            count++;
        }

        _writer.End(group);
        return count;
    }

    /// <summary>
    /// Encodes one assignment. False, and nothing is written, when the attempt is over: the PLM may cancel it and give
    /// its payload's bytes to another task at any moment, so the word is looked at again after they were copied.
    /// </summary>
    private bool TryEncode(TakenTask task)
    {
        ref var slot = ref Arena.Tasks[task.Slot];
        var id = Arena.Tasks.IdOf(task.Slot);
        var block = slot.PayloadBlock;
        var bytes = (int)slot.PayloadBytes;
        var executions = slot.Executions;
        if (!IsStill(task))
        {
            return false;
        }

        var before = _writer.Length;
        var begin = _writer.Begin(3);
        _writer.WriteFixed64(1, id.Value);
        _writer.WriteUInt32(2, task.Word.Attempt.Value);
        _writer.WriteUInt32(3, executions);
        _writer.WriteBytes(4, Arena.Payloads.Bytes(block, bytes));
        _writer.End(begin);
        if (IsStill(task))
        {
            return true;
        }

        _writer.Truncate(before);
        return false;
    }

    private bool IsStill(TakenTask task)
    {
        // What was read before must not be read after the word: pairs with the PLM's step, which comes before it frees.
        Volatile.ReadBarrier();
        var word = Arena.Tasks.Read(task.Slot);
        return word.State is TaskState.Assigned or TaskState.Running
            && word.Attempt == task.Word.Attempt
            && word.GenerationLow == task.Word.GenerationLow;
    }
}
