// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Scheduler;
using Xunit;

namespace Muster.Unit.Scheduler;

/// <summary>Keeps what the Scheduler orders, and checks that no attempt ever goes to two workers.</summary>
internal sealed class FakeSchedulerEffects(ArenaMap arena) : ISchedulerEffects
{
    private readonly Dictionary<AttemptKey, uint> _workerOf = [];

    public List<(uint Row, ushort Handler, uint TimeoutMs, AttemptKey Key)> Sent { get; } = [];

    public List<(uint Row, AttemptKey Key)> Cancelled { get; } = [];

    public List<(uint Row, long Stream, FaultCode Code)> Closed { get; } = [];

    /// <summary>Assignments that still fit; what is beyond finds the stream full.</summary>
    public int Room { get; set; } = int.MaxValue;

    /// <summary>Only counts, for the test of allocations.</summary>
    public bool CountOnly { get; set; }

    public long Count { get; private set; }

    public SendOutcome SendAssignments(uint row, in AssignmentTerms terms, ReadOnlySpan<TakenTask> tasks)
    {
        var handled = Math.Min(tasks.Length, Room);
        Room -= Room == int.MaxValue ? 0 : handled;
        Count += handled;
        if (CountOnly)
        {
            return new(handled, handled);
        }

        foreach (var task in tasks[..handled])
        {
            var key = new AttemptKey(arena.Tasks.IdOf(task.Slot), task.Word.Attempt);
            Assert.True(_workerOf.TryAdd(key, row) || _workerOf[key] == row, $"{key} went to two workers");
            Sent.Add((row, terms.Handler, terms.TimeoutMs, key));
        }

        return new(handled, handled);
    }

    public void SendCancels(uint row, ReadOnlySpan<AttemptKey> attempts)
    {
        foreach (var key in attempts)
        {
            Cancelled.Add((row, key));
        }
    }

    public void CloseStream(uint row, long stream, Fault fault) => Closed.Add((row, stream, fault.Code));
}
