// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using Muster.Core;

namespace Muster.Journal;

/// <summary>
/// Makes a journal that refuses to open one that opens, by keeping the records before the first damage and nothing
/// behind it. What it cuts is moved aside under another name, never deleted.
/// One thread; <see cref="Apply"/> needs the folder's lock. It can be repeated after a power loss at any point.
/// </summary>
internal static class JournalRepair
{
    private const string InMaking = "repair.new";
    private const int CopyBytes = 1024 * 1024;

    /// <summary>Reads everything and says what could be kept. Changes nothing.</summary>
    public static Fault TryPlan(IJournalDisk disk, out RepairPlan plan)
    {
        plan = new() { Damage = Fault.None };
        var names = new List<string>();
        var errno = disk.List(names);
        if (errno != 0)
        {
            return JournalFaults.Unusable(disk.PathOf(""), "listing", errno);
        }

        names.RemoveAll(name => !SegmentName.TryParse(name, out _));
        names.Sort(StringComparer.Ordinal);
        var wrong = JournalLayout.TryRead(disk, out var layout);
        if (wrong.Code is not (FaultCode.None or FaultCode.JournalDamaged))
        {
            return wrong;
        }

        if (layout.Segments.Count == 0)
        {
            names.Reverse();
            plan = new() { Damage = wrong, Aside = names };
            return Fault.None;
        }

        // What is needed comes first: damage in what is only retained must not cost what is behind it.
        // The end of the journal knows what that is.
        _ = JournalScan.Run(disk, layout.Segments, layout.Segments.Count - 1, visit: null, out var end);
        var live = layout.IndexOf(Math.Max(layout.Newest.LiveFrom, end.LiveFrom));
        var fault = JournalScan.Run(disk, layout.Segments, live, visit: null, out var tail);
        if (fault.IsNone && wrong.IsNone)
        {
            fault = JournalScan.Run(disk, layout.Segments, 0, visit: null, out tail);
            plan = fault.IsNone ? plan with { LastSequence = tail.Last.Sequence } : WithoutOld(fault, layout, tail);
            return Readable(fault);
        }

        // A damaged record comes before a missing or damaged file.
        plan = UpTo(disk, fault.IsNone ? wrong : fault, layout, names, tail);
        return Readable(fault);
    }

    /// <summary>Carries a plan out.</summary>
    /// <param name="disk">The folder, locked.</param>
    /// <param name="plan">As <see cref="TryPlan"/> gave it.</param>
    /// <param name="unixUs">Now; part of the names of what is moved aside.</param>
    /// <param name="aside">Those names.</param>
    public static Fault Apply(IJournalDisk disk, RepairPlan plan, long unixUs, List<string> aside)
    {
        var prefix = SegmentName.AsidePrefix + unixUs.ToString(CultureInfo.InvariantCulture) + "-";
        if (plan.Rebuilt is { } rebuilt)
        {
            var errno = Rebuild(disk, rebuilt, plan);
            errno = errno != 0 ? errno : Copy(disk, rebuilt.Name, prefix + rebuilt.Name);
            errno = errno != 0 ? errno : disk.SyncFolder();
            if (errno != 0)
            {
                return JournalFaults.Unusable(disk.PathOf(rebuilt.Name), "copying", errno);
            }

            aside.Add(prefix + rebuilt.Name);
        }

        foreach (var name in plan.Aside)
        {
            var errno = disk.Rename(name, prefix + name);
            errno = errno != 0 ? errno : disk.SyncFolder();
            if (errno != 0)
            {
                return JournalFaults.Unusable(disk.PathOf(name), "moving aside", errno);
            }

            aside.Add(prefix + name);
        }

        if (plan.Rebuilt is { } replaced)
        {
            var errno = disk.Rename(InMaking, replaced.Name);
            errno = errno != 0 ? errno : disk.SyncFolder();
            if (errno != 0)
            {
                return JournalFaults.Unusable(disk.PathOf(replaced.Name), "replacing", errno);
            }
        }

        return Fault.None;
    }

    private static Fault Readable(in Fault fault) => fault.Code == FaultCode.JournalDamaged ? Fault.None : fault;

    /// <summary>Only history that nobody needs is damaged.</summary>
    private static RepairPlan WithoutOld(in Fault damage, JournalLayout layout, in JournalTail tail)
    {
        var aside = layout.Segments.GetRange(0, tail.Segment + 1).ConvertAll(segment => segment.Name);
        aside.Reverse();
        var kept = layout.Segments.GetRange(tail.Segment + 1, layout.Segments.Count - tail.Segment - 1);
        return new()
        {
            Damage = damage,
            Kept = kept,
            Aside = aside,
            FirstSequence = kept[0].Header.FirstSequence,
        };
    }

    private static RepairPlan UpTo(
        IJournalDisk disk, in Fault damage, JournalLayout layout, List<string> names, in JournalTail damaged)
    {
        var last = layout.Segments[damaged.Segment];
        var kept = layout.Segments.GetRange(0, damaged.Segment + 1);
        var aside = names.FindAll(name => string.CompareOrdinal(name, last.Name) > 0);
        aside.Reverse();

        // What is left has its own idea of what is needed: that of the time before the damage.
        _ = JournalScan.Run(disk, kept, damaged.Segment, visit: null, out var tail);
        kept.RemoveAt(damaged.Segment);
        var first = layout.Segments[0].Header.FirstSequence;
        return new()
        {
            Damage = damage,
            Kept = kept,
            Rebuilt = last,
            RebuiltBytes = damaged.Offset,
            Aside = aside,
            FirstSequence = first,
            LastSequence = damaged.Last.Sequence,
            MissingFrom = first > tail.LiveFrom ? tail.LiveFrom : 0,
        };
    }

    /// <summary>The same header, the records before the damage, the first proof, and zeros.</summary>
    private static int Rebuild(IJournalDisk disk, in SegmentFacts segment, RepairPlan plan)
    {
        _ = disk.Delete(InMaking);
        var errno = disk.Open(segment.Name, isWritable: false, out var from);
        if (errno != 0)
        {
            return errno;
        }

        using (from!)
        {
            errno = disk.Create(InMaking, out var to);
            if (errno != 0)
            {
                return errno;
            }

            using (to!)
            {
                errno = to!.Allocate(segment.Header.SegmentBytes);
                errno = errno != 0 ? errno : Transfer(from!, to, JournalFormat.DataOffset, plan.RebuiltBytes);
                var blocks = new byte[JournalFormat.DataOffset];
                var header = plan.MissingFrom == 0
                    ? segment.Header
                    : segment.Header with { LiveFrom = Math.Max(segment.Header.LiveFrom, plan.FirstSequence) };
                header.Write(blocks);
                FlushProof.Of(header).Write(blocks.AsSpan(JournalFormat.ProofOffset), header.Seed);
                errno = errno != 0 ? errno : WholeTransfer.Write(to, 0, blocks);
                return errno != 0 ? errno : WholeTransfer.Sync(to);
            }
        }
    }

    private static int Copy(IJournalDisk disk, string name, string copy)
    {
        var errno = disk.Open(name, isWritable: false, out var from);
        if (errno != 0)
        {
            return errno;
        }

        using (from!)
        {
            errno = disk.Create(copy, out var to);
            if (errno != 0)
            {
                return errno;
            }

            using (to!)
            {
                errno = from!.Length(out var bytes);
                errno = errno != 0 ? errno : Transfer(from!, to!, 0, bytes);
                return errno != 0 ? errno : WholeTransfer.Sync(to!);
            }
        }
    }

    private static int Transfer(IJournalFile from, IJournalFile to, long offset, long end)
    {
        var bytes = new byte[Math.Min(CopyBytes, Math.Max(0, end - offset))];
        while (offset < end)
        {
            var part = bytes.AsSpan(0, (int)Math.Min(bytes.Length, end - offset));
            var errno = WholeTransfer.Read(from, offset, part, out var read);
            errno = errno == 0 && read < part.Length ? JournalErrno.EIO : errno;
            errno = errno != 0 ? errno : WholeTransfer.Write(to, offset, part);
            if (errno != 0)
            {
                return errno;
            }

            offset += part.Length;
        }

        return 0;
    }
}
