// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Tables;
using Muster.Core.Tasks;

namespace Muster.Scheduler;

/// <summary>
/// How long tasks of each handler run, by sample: one attempt of a handler is watched at a time, and its moments are
/// read from its slot when it has ended. That costs a load per look and nothing per task. Single-threaded. A slot that
/// was given to another task meanwhile is noticed by its generation; a torn read at that very moment gives one wrong
/// sample, which costs a little placement and nothing else. What was learned lies in the arena, so the next Scheduler
/// knows it too, and in the journal's snapshots.
/// </summary>
internal sealed class HandlerDurations(TaskTable tasks, HandlerTable handlers)
{
    private readonly Sample[] _samples = new Sample[ArenaLayout.HandlersMax];

    private struct Sample
    {
        public bool IsWatching;
        public bool IsOverdue;
        public uint Slot;
        public StateWord Word;
    }

    /// <summary>
    /// Whether tasks of the handler are known to be so short that a round trip matters, and may be sent ahead of a free
    /// slot. A handler of which nothing has ended yet is not.
    /// </summary>
    public bool IsShort(ushort handler, long nowUnixUs)
    {
        ref var sample = ref _samples[handler];
        if (sample.IsWatching)
        {
            Look(ref sample, ref handlers.MeanUs(handler), nowUnixUs);
        }

        return !sample.IsOverdue && handlers.MeanUs(handler) is > 0 and <= SchedulerLimits.ShortTaskUs;
    }

    /// <summary>A task was placed: watch it, unless another of its handler is being watched.</summary>
    public void Watch(ushort handler, in TakenTask task)
    {
        ref var sample = ref _samples[handler];
        if (!sample.IsWatching)
        {
            sample.IsWatching = true;
            sample.Slot = task.Slot;
            sample.Word = task.Word;
        }
    }

    private void Look(ref Sample sample, ref float meanUs, long nowUnixUs)
    {
        ref var slot = ref tasks[sample.Slot];
        var word = tasks.Read(sample.Slot);
        if (word.GenerationLow != sample.Word.GenerationLow)
        {
            // Ended, confirmed and given to another task since the last look.
            sample.IsWatching = false;
            sample.IsOverdue = false;
            return;
        }

        switch (word.State)
        {
            case TaskState.Assigned or TaskState.Running when word.Attempt == sample.Word.Attempt:
                // A handler that became slow must not wait for its end to show. The time counts from the placement, so
                // it includes what waited before it on the worker.
                var soFarUs = nowUnixUs - slot.SubmittedUnixUs - slot.AssignedUs;
                sample.IsOverdue = soFarUs > SchedulerLimits.ShortTaskOverdueUs;
                return;
            case TaskState.Reported:
            case TaskState.Done or TaskState.Free when (slot.Flags & TaskSlot.FlagOutcomeIsResult) != 0:
                var ranUs = Math.Max(1, slot.FinishedUs - slot.StartedUs);
                meanUs = meanUs == 0 ? ranUs : meanUs + ((ranUs - meanUs) / 4);
                break;
            default:
                // It goes round again; the next one placed is watched.
                break;
        }

        sample.IsWatching = false;
        sample.IsOverdue = false;
    }
}
