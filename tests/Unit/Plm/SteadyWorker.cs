// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena.Heap;
using Muster.Arena.Rings;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Unit.Plm;

/// <summary>Takes and finishes every ready task with an empty result, without garbage: for measurements.</summary>
internal sealed class SteadyWorker(PlmCell cell, ReadyClass[] classes, TakenTask[] taken)
{
    public void FinishAll()
    {
        var arena = cell.Arena;
        var count = arena.Ready.ReadyClasses(classes);
        for (var at = 0; at < count; at++)
        {
            int got;
            while ((got = arena.Ready.Take(classes[at].Id, 0, arena.Epoch, cell.Now.UnixUs, taken)) > 0)
            {
                foreach (ref readonly var task in taken.AsSpan(0, got))
                {
                    ref var slot = ref arena.Tasks[task.Slot];
                    slot.ResultBlock = 0;
                    slot.ResultBytes = 0;
                    slot.AttemptOutcome = (byte)Outcome.Succeeded;
                    arena.Tasks.TryStep(Role.Register, task.Slot, task.Word, task.Word.With(TaskState.Reported));
                    arena.Finished.TryWrite([new FinishedRecord(FinishedRecord.Reported, task.Slot, slot.Generation)]);
                }
            }
        }
    }
}
