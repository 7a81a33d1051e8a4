// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using System.Threading;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Arena.Tables;

/// <summary>
/// What running attempts said last, for people: 4,096 rows of 256 bytes. The Register alone writes, from one thread at
/// a time; anybody reads. A task's row is one of the eight behind the place that its id hashes to: the one it has, else
/// one never used, else the one that is silent longest, whose text is lost. So the table is never full, and a text is
/// kept for as long as fewer than some thousands of attempts report.
/// <para>
/// A version before and after each writing lets a reader see that it met one: it then reads again, and after some tries
/// says that there is nothing. A writer that dies inside leaves an odd version, which the row's next writing mends;
/// until then nobody can read it. A zeroed area is an empty table.
/// </para>
/// </summary>
internal sealed unsafe class ProgressTable
{
    private const int ProbesMax = 8;
    private const int TriesMax = 4;

    // Never read: it keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly ProgressRow* _rows;

    internal ProgressTable(ArenaMemory memory, long offset)
    {
        Invariant.That(sizeof(ProgressRow) == ArenaLayout.ProgressRowBytes);
        _memory = memory;
        _rows = (ProgressRow*)memory.At(offset, (long)ArenaLayout.ProgressRowsMax * sizeof(ProgressRow));
    }

    /// <summary>The attempt says this; texts that are too long are cut. Register only.</summary>
    public void Write(TaskId task, Attempt attempt, long unixUs, ReadOnlySpan<byte> details)
    {
        ref var row = ref _rows[RowFor(task.Value)];
        details = details[..Math.Min(details.Length, ProgressRow.DetailsBytes)];
        var version = row.Version | 1;
        Volatile.Write(ref row.Version, version);
        Volatile.WriteBarrier();
        row.Attempt = attempt.Value;
        row.TaskId = task.Value;
        row.UnixUs = unixUs;
        row.Length = (uint)details.Length;
        fixed (byte* text = row.Details)
        {
            details.CopyTo(new Span<byte>(text, ProgressRow.DetailsBytes));
        }

        Volatile.Write(ref row.Version, version + 1);
    }

    /// <summary>What this very attempt said last; false when it said nothing, or the row is another's by now.</summary>
    public bool TryRead(TaskId task, Attempt attempt, out ProgressNote note)
    {
        note = default;
        for (var probe = 0; probe < ProbesMax; probe++)
        {
            ref var row = ref _rows[Place(task.Value, probe)];
            for (var tries = 0; tries < TriesMax; tries++)
            {
                var version = Volatile.Read(ref row.Version);
                if (version % 2 == 0
                    && row.TaskId == task.Value
                    && row.Attempt == attempt.Value
                    && TryCopy(ref row, version, out note))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool TryCopy(ref ProgressRow row, uint version, out ProgressNote note)
    {
        Span<byte> text = stackalloc byte[ProgressRow.DetailsBytes];
        var length = (int)Math.Min(row.Length, ProgressRow.DetailsBytes);
        var (task, attempt, unixUs) = (row.TaskId, row.Attempt, row.UnixUs);
        fixed (byte* bytes = row.Details)
        {
            new ReadOnlySpan<byte>(bytes, ProgressRow.DetailsBytes).CopyTo(text);
        }

        Volatile.ReadBarrier();
        note = new(Encoding.UTF8.GetString(text[..length]), unixUs);
        return Volatile.Read(ref row.Version) == version && row.TaskId == task && row.Attempt == attempt;
    }

    private int RowFor(ulong task)
    {
        var oldest = Place(task, 0);
        for (var probe = 0; probe < ProbesMax; probe++)
        {
            var place = Place(task, probe);
            if (_rows[place].TaskId == task || _rows[place].TaskId == 0)
            {
                return place;
            }

            oldest = _rows[place].UnixUs < _rows[oldest].UnixUs ? place : oldest;
        }

        return oldest;
    }

    private static int Place(ulong task, int probe) =>
        (int)(((task * 0x9E3779B97F4A7C15) >> 40) + (uint)probe) & (ArenaLayout.ProgressRowsMax - 1);
}
