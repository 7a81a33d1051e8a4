// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Journal;

/// <summary>
/// What a repair would take out of the journal: the whole records behind the damage. They are not proved to follow each
/// other, only to be where they were written; good enough to say what would be lost, and for nothing else.
/// </summary>
internal static class JournalLoss
{
    /// <summary>Visits them segment by segment; a segment whose header is damaged is passed over.</summary>
    /// <param name="disk">The folder.</param>
    /// <param name="plan">As <see cref="JournalRepair.TryPlan"/> gave it.</param>
    /// <param name="visit">Gets each record; false ends the visit.</param>
    public static Fault Visit(IJournalDisk disk, RepairPlan plan, ScanVisitor visit)
    {
        var block = new byte[JournalFormat.BlockBytes];
        if (plan.Rebuilt is { } rebuilt)
        {
            var fault = Visit(disk, rebuilt.Name, block, plan.RebuiltBytes, visit);
            if (!fault.IsNone)
            {
                return fault;
            }
        }

        // Newest first in the plan.
        for (var at = plan.Aside.Count - 1; at >= 0; at--)
        {
            var fault = Visit(disk, plan.Aside[at], block, JournalFormat.DataOffset, visit);
            if (!fault.IsNone)
            {
                return fault;
            }
        }

        return Fault.None;
    }

    private static Fault Visit(IJournalDisk disk, string name, byte[] block, long from, ScanVisitor visit)
    {
        var errno = disk.Open(name, isWritable: false, out var file);
        if (errno != 0)
        {
            return JournalFaults.Unusable(disk.PathOf(name), "opening", errno);
        }

        using (file!)
        {
            errno = WholeTransfer.Read(file!, 0, block, out var read);
            if (errno != 0)
            {
                return JournalFaults.Unusable(disk.PathOf(name), "reading", errno);
            }

            if (read < block.Length
                || !SegmentHeader.IsWhole(block, out var version)
                || version != JournalFormat.Version)
            {
                return Fault.None;
            }

            var scanner = new SegmentScanner(file!, SegmentHeader.Read(block));
            while (scanner.TryFind(from, out var record) && visit(record))
            {
                from = record.Offset + JournalFormat.RecordBytes((int)record.Header.BodyBytes);
            }

            return scanner.Errno == 0
                ? Fault.None
                : JournalFaults.Unusable(disk.PathOf(name), "reading", scanner.Errno);
        }
    }
}
