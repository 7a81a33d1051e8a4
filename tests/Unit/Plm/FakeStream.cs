// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;

namespace Muster.Unit.Plm;

/// <summary>A client's end of a session: keeps every result that was pushed to it.</summary>
internal sealed class FakeStream(ArenaMap arena) : IResultStream
{
    internal readonly record struct Result(ulong Ref, TaskId Id, Outcome Outcome, string Output, string Error);

    public List<Result> Results { get; } = [];

    public Fault Closed { get; private set; }

    /// <summary>Results that it takes before it says that it is full.</summary>
    public int Room { get; set; } = int.MaxValue;

    public ulong Confirmed { get; set; }

    /// <summary>Keeps counts alone, for measurements.</summary>
    public bool CountsOnly { get; set; }

    public ulong Count { get; private set; }

    public int Deliver(ReadOnlySpan<uint> slots, PlmTime now)
    {
        var taken = Math.Min(slots.Length, Room);
        Room -= taken;
        Count += (ulong)taken;
        foreach (var index in CountsOnly ? default : slots[..taken])
        {
            Results.Add(ReadResult(arena, index));
        }

        return taken;
    }

    public void Close(Fault fault) => Closed = fault;

    public static Result ReadResult(ArenaMap arena, uint index)
    {
        ref var slot = ref arena.Tasks[index];
        var output = string.Empty;
        var error = slot.EndFault == 0 ? string.Empty : ((FaultCode)slot.EndFault).ToString();
        if ((slot.Flags & TaskSlot.FlagOutcomeIsResult) != 0 && slot.EndFault == 0)
        {
            if (!ResultRecord.TryRead(TaskResultBytes.Of(arena, in slot), out var errorBytes, out var outputBytes))
            {
                throw new InvalidOperationException("the result block holds no record");
            }

            output = System.Text.Encoding.UTF8.GetString(outputBytes);
            error = System.Text.Encoding.UTF8.GetString(errorBytes);
        }

        return new(slot.Ref, arena.Tasks.IdOf(index), (Outcome)slot.Outcome, output, error);
    }
}
