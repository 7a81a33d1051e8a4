// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Plm.Attempts;

namespace Muster.Plm;

/// <summary>Reads what is remembered of a task's earlier attempts. Anywhere, from the arena alone.</summary>
internal static class TaskHistory
{
    /// <summary>The entries, as <see cref="HistoryBytes"/> lays them out; empty when there are none.</summary>
    public static ReadOnlySpan<byte> EntriesOf(ArenaMap arena, uint block)
    {
        if (block == 0 || !arena.Payloads.Covers(block, HistoryBytes.HeadBytes))
        {
            return default;
        }

        var size = BinaryPrimitives.ReadUInt32LittleEndian(arena.Payloads.Bytes(block, HistoryBytes.HeadBytes));
        return size is > HistoryBytes.HeadBytes and <= PlmLimits.HistoryBytesMax
            && arena.Payloads.Covers(block, (int)size)
            ? arena.Payloads.Bytes(block, (int)size)[HistoryBytes.HeadBytes..]
            : default;
    }

    /// <summary>Who ended the task by a decision, and why; empty when nobody said.</summary>
    public static ReadOnlySpan<byte> EndTextOf(ArenaMap arena, in TaskSlot slot)
    {
        var entries = EntriesOf(arena, slot.HistoryBlock);
        while (HistoryBytes.TryNext(ref entries, out var kind, out _, out var bytes))
        {
            if (kind == HistoryBytes.KindEnd)
            {
                return bytes;
            }
        }

        return default;
    }
}
