// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Arena.Tables;

namespace Muster.Plm;

/// <summary>
/// Where the record of a task's result lies: in the Register's region, or, when the task came back from the journal, in
/// the block that its payload had.
/// </summary>
internal static class TaskResultBytes
{
    /// <summary>The record; empty when the slot names none, or names what is no block.</summary>
    public static ReadOnlySpan<byte> Of(ArenaMap arena, in TaskSlot slot)
    {
        var isRestored = (slot.Flags & SlotFlags.ResultInPayload) != 0;
        var region = isRestored ? arena.Payloads : arena.Results;
        var block = isRestored ? slot.PayloadBlock : slot.ResultBlock;
        var bytes = (int)(isRestored ? slot.PayloadBytes : slot.ResultBytes);
        return region.Covers(block, bytes) ? region.Bytes(block, bytes) : default;
    }

    /// <summary>Whether the slot names bytes that are there.</summary>
    public static bool IsThere(ArenaMap arena, in TaskSlot slot) =>
        (slot.Flags & SlotFlags.ResultInPayload) != 0
            ? arena.Payloads.Covers(slot.PayloadBlock, (int)slot.PayloadBytes)
            : arena.Results.Covers(slot.ResultBlock, (int)slot.ResultBytes);
}
