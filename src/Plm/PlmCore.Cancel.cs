// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <content>
/// Cancellation: the step to Done comes first, so that no result can be accepted after the answer; telling the worker
/// is only to spare its time.
/// </content>
internal sealed partial class PlmCore
{
    // Each repetition means that another role moved the task on; its life has fewer steps than this.
    private const int CancelTriesMax = 64;

    // What did not fit into the ring; at most CancelsWaitingMax.
    private readonly Queue<CancelRecord> _cancels = new();

    /// <summary>Cancels tasks; the answers stand in the same order.</summary>
    /// <param name="ids">The tasks.</param>
    /// <param name="answers">One for each.</param>
    /// <param name="owner">Not null: only this identity's; others are not found.</param>
    public void Cancel(ReadOnlySpan<ulong> ids, Span<CancelAnswer> answers, ushort? owner = null)
    {
        Invariant.That(_inTurn && answers.Length == ids.Length);
        FlushPushes();
        for (var position = 0; position < ids.Length; position++)
        {
            answers[position] = CancelOne(new TaskId(ids[position]), owner);
        }
    }

    private CancelAnswer CancelOne(TaskId id, ushort? owner)
    {
        if (_extentRows.IsSpilled(id) && IsOwnSpilled(id, owner))
        {
            return CancelSpilled(id);
        }

        if (!Find(id, out var index, out var word, owner).IsNone)
        {
            return CancelAnswer.NotFound;
        }

        for (var tries = 0; tries < CancelTriesMax; tries++)
        {
            switch (word.State)
            {
                case TaskState.Done:
                    return CancelAnswer.AlreadyDone;
                case TaskState.Reported:
                    // A result that came before the cancellation counts; an attempt to be repeated does not run again.
                    Judge(index, word, isTakeover: false);
                    FlushPushes();
                    if (_tasks.Read(index) == word)
                    {
                        EndReported(index, word);
                        return CancelAnswer.Cancelled;
                    }

                    break;
                default:
                    if (!Safeguard.CancelBeforeAnswer || TryEnd(index, word, FaultCode.TaskCancelled))
                    {
                        TellWorker(id, index, word);
                        return CancelAnswer.Cancelled;
                    }

                    break;
            }

            word = _tasks.Read(index);
        }

        Invariant.That(word.State == TaskState.Done);
        return CancelAnswer.AlreadyDone;
    }

    // A failed attempt whose block cannot be given back yet: the ended task keeps the block until it is freed.
    private void EndReported(uint index, StateWord word)
    {
        ref var slot = ref _tasks[index];
        slot.EndFault = (ushort)FaultCode.TaskCancelled;
        slot.Flags |= TaskSlot.FlagOutcomeIsResult;
        slot.Outcome = (byte)Outcome.Cancelled;
        slot.DueUnixMs = slot.Client == 0 ? _now.UnixMs + slot.RetentionMs : 0;
        var stepped = _tasks.TryStep(Role.Plm, index, word, word.With(TaskState.Done));
        Invariant.That(stepped);
        Complete(index, ref slot, Outcome.Cancelled);
    }

    private void TellWorker(TaskId id, uint index, StateWord word)
    {
        if (word.State is TaskState.Assigned or TaskState.Running && _cancels.Count < PlmLimits.CancelsWaitingMax)
        {
            _cancels.Enqueue(new CancelRecord(id.Value, word.Attempt.Value, _tasks[index].Worker - 1));
        }
    }

    private void SendCancels()
    {
        while (_cancels.TryPeek(out var record)
            && _arena.Cancels.TryWrite(new ReadOnlySpan<CancelRecord>(in record)) == 1)
        {
            _cancels.Dequeue();
            _wakeScheduler = true;
        }
    }
}
