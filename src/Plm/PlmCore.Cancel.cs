// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Attempts;

namespace Muster.Plm;

/// <content>
/// Ends by decision: a person's or a program's cancellation, or the end of a task's time. The step to Done comes first,
/// so that no result can be accepted after the answer; telling the worker is only to spare its time. A cancellation
/// beats a repeat, never a result that came before it.
/// </content>
internal sealed partial class PlmCore
{
    // Each repetition means that another role moved the task on; its life has fewer steps than this.
    private const int CancelTriesMax = 64;

    // What did not fit into the ring; at most CancelsWaitingMax.
    private readonly Queue<CancelRecord> _cancels = new();

    // Who cancelled tasks that are on disk, and why, until they are read in: see CancelSpilled. For people, so it may
    // be forgotten with this process.
    private readonly Dictionary<ulong, byte[]> _spilledEndTexts = [];

    /// <summary>Cancels tasks; the answers stand in the same order.</summary>
    /// <param name="ids">The tasks.</param>
    /// <param name="answers">Gets as many answers.</param>
    /// <param name="textUtf8">Who did it and why, for people: the message of the tasks' error; empty: nobody said.
    /// </param>
    /// <param name="states">Gets the state that each was in; empty: nobody asks.</param>
    /// <param name="owner">Not null: only this identity's; others are not found.</param>
    public void Cancel(
        ReadOnlySpan<ulong> ids,
        Span<CancelAnswer> answers,
        ReadOnlySpan<byte> textUtf8 = default,
        Span<TaskState> states = default,
        ushort? owner = null)
    {
        Invariant.That(_inTurn && answers.Length == ids.Length);
        Invariant.That(textUtf8.Length <= TaskLimits.CancelTextBytesMax);
        Invariant.That(states.IsEmpty || states.Length == ids.Length);
        FlushPushes();
        for (var position = 0; position < ids.Length; position++)
        {
            answers[position] = CancelOne(new TaskId(ids[position]), textUtf8, owner, out var state);
            if (!states.IsEmpty)
            {
                states[position] = state;
            }
        }
    }

    private CancelAnswer CancelOne(TaskId id, ReadOnlySpan<byte> text, ushort? owner, out TaskState state)
    {
        state = TaskState.Free;
        if (_extentRows.IsSpilled(id) && IsOwnSpilled(id, owner))
        {
            state = TaskState.Accepted;
            return CancelSpilled(id, text);
        }

        if (!Find(id, out var index, out var word, owner).IsNone)
        {
            return CancelAnswer.NotFound;
        }

        state = word.State;
        ref var slot = ref _tasks[index];
        if (word.State == TaskState.Done)
        {
            return slot.Outcome == (byte)Outcome.Cancelled ? CancelAnswer.AlreadyCancelled : CancelAnswer.AlreadyDone;
        }

        if (!text.IsEmpty)
        {
            // Before the end, whose fact in the journal tells of it. Only shown once the task has ended so.
            Remember(ref slot, HistoryBytes.KindEnd, 0, text);
        }

        return EndNow(id, index, word, FaultCode.TaskCancelled) ? CancelAnswer.Cancelled : CancelAnswer.AlreadyDone;
    }

    // False: a result that came before ended it.
    private bool EndNow(TaskId id, uint index, StateWord word, FaultCode why)
    {
        for (var tries = 0; tries < CancelTriesMax; tries++)
        {
            switch (word.State)
            {
                case TaskState.Done:
                    return false;
                case TaskState.Reported:
                    // A result that came before the decision counts; an attempt to be repeated does not run again.
                    Judge(index, word, isTakeover: false);
                    FlushPushes();
                    if (_tasks.Read(index) == word)
                    {
                        EndReported(index, word, why);
                        return true;
                    }

                    break;
                default:
                    if (!Safeguard.CancelBeforeAnswer || TryEnd(index, word, why))
                    {
                        TellWorker(id, index, word);
                        return true;
                    }

                    break;
            }

            word = _tasks.Read(index);
        }

        Invariant.That(word.State == TaskState.Done);
        return false;
    }

    // A failed attempt whose block cannot be given back yet: the ended task keeps the block until it is freed.
    private void EndReported(uint index, StateWord word, FaultCode why)
    {
        ref var slot = ref _tasks[index];
        var outcome = OutcomeOf(why);
        slot.EndFault = (ushort)why;
        slot.Flags |= TaskSlot.FlagOutcomeIsResult;
        slot.Outcome = (byte)outcome;
        slot.DueUnixMs = ForgetAt(in slot, outcome);
        var stepped = _tasks.TryStep(Role.Plm, index, word, word.With(TaskState.Done));
        Invariant.That(stepped);
        Complete(index, ref slot, outcome);
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
