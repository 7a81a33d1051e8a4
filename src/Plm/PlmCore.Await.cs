// SPDX-License-Identifier: Apache-2.0
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <content>Waiting for one task without a session.</content>
internal sealed partial class PlmCore
{
    /// <summary>
    /// Waits for a task's end: either it has ended, and its result can be read from the slot in this turn, or the
    /// awaiter will be resolved in a later one.
    /// </summary>
    public Fault Await(TaskId id, ITaskAwaiter awaiter, out uint slot, out bool isDone, ushort? owner = null)
    {
        Invariant.That(_inTurn);
        isDone = false;
        if (_extentRows.IsSpilled(id) && IsOwnSpilled(id, owner))
        {
            slot = 0;
            return ParkAwaiter(id, awaiter);
        }

        var fault = Find(id, out slot, out var word, owner);
        if (!fault.IsNone)
        {
            return fault;
        }

        if (word.State == TaskState.Done && IsPublished(in _tasks[slot]))
        {
            isDone = true;
            return Fault.None;
        }

        return _awaiters.TryAdd(slot, awaiter)
            ? Fault.None
            : TooManyAwaiters();
    }

    /// <summary>The call gave up. Harmless when the awaiter was resolved before.</summary>
    public void StopAwaiting(TaskId id, ITaskAwaiter awaiter)
    {
        Invariant.That(_inTurn);
        StopParked(id, awaiter);
        if (_tasks.TryFind(id, out var slot, out _))
        {
            _awaiters.Remove(slot, awaiter);
        }
    }

    private Fault TooManyAwaiters() => new(
        FaultCode.OutstandingLimit,
        $"{_awaiters.Count + _parkedCount} calls wait for tasks, or {PlmLimits.AwaitersPerTaskMax} for this one, "
        + "which is the limit; try again later, or use a session",
        _options.RetryAfterMs);
}
