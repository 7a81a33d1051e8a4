// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core;

namespace Muster.Journal;

/// <summary>
/// The segments of a journal by their headers, oldest first, checked to be of one journal and without a gap. Reads
/// 4 KiB of each.
/// </summary>
internal sealed class JournalLayout
{
    private JournalLayout(List<SegmentFacts> segments) => Segments = segments;

    public List<SegmentFacts> Segments { get; }

    public SegmentHeader Newest => Segments[^1].Header;

    /// <summary>Reads what is in the folder; no segments at all is a journal that was never begun.</summary>
    /// <param name="disk">The folder.</param>
    /// <param name="layout">What was found; with a fault, the segments before the one that is wrong.</param>
    public static Fault TryRead(IJournalDisk disk, out JournalLayout layout)
    {
        layout = new([]);
        var names = new List<string>();
        var errno = disk.List(names);
        if (errno != 0)
        {
            return JournalFaults.Unusable(disk.PathOf(""), "listing", errno);
        }

        var numbers = new List<ulong>();
        foreach (var name in names)
        {
            if (SegmentName.TryParse(name, out var number))
            {
                numbers.Add(number);
            }
        }

        numbers.Sort();
        var block = new byte[JournalFormat.BlockBytes];
        foreach (var number in numbers)
        {
            var fault = ReadOne(disk, number, block, layout.Segments);
            if (!fault.IsNone)
            {
                return fault;
            }
        }

        return Fault.None;
    }

    /// <summary>Index of the segment that holds a sequence, or of the oldest.</summary>
    public int IndexOf(ulong sequence)
    {
        var index = Segments.Count - 1;
        while (index > 0 && Segments[index].Header.FirstSequence > sequence)
        {
            index--;
        }

        return index;
    }

    private static Fault ReadOne(IJournalDisk disk, ulong number, byte[] block, List<SegmentFacts> segments)
    {
        var name = SegmentName.Of(number);
        var path = disk.PathOf(name);
        var errno = disk.Open(name, isWritable: false, out var file);
        if (errno != 0)
        {
            return JournalFaults.Unusable(path, "opening", errno);
        }

        long bytes;
        int read;
        using (file!)
        {
            errno = file!.Length(out bytes);
            read = 0;
            errno = errno != 0 ? errno : WholeTransfer.Read(file, 0, block, out read);
            if (errno != 0)
            {
                return JournalFaults.Unusable(path, "reading", errno);
            }
        }

        if (read < block.Length || !SegmentHeader.IsWhole(block, out var version))
        {
            return JournalFaults.Damaged(path, 0, "the segment's header is damaged");
        }

        if (version != JournalFormat.Version)
        {
            return JournalFaults.Version(path, version);
        }

        var header = SegmentHeader.Read(block);
        var wrong = Wrong(header, number, bytes, segments);
        if (wrong is not null)
        {
            return JournalFaults.Damaged(path, 0, wrong);
        }

        segments.Add(new(name, header));
        return Fault.None;
    }

    private static string? Wrong(in SegmentHeader header, ulong number, long bytes, List<SegmentFacts> before)
    {
        if (header.Number != number || header.FirstSequence == 0 || header.SegmentBytes < JournalFormat.DataOffset)
        {
            return $"the header is that of segment {header.Number}, so the file has a wrong name or content";
        }

        if (bytes != header.SegmentBytes)
        {
            return $"the file has {bytes} bytes instead of {header.SegmentBytes}";
        }

        if (before.Count == 0)
        {
            return null;
        }

        var previous = before[^1];
        if (previous.Header.Lineage != header.Lineage || previous.Header.Seed != header.Seed)
        {
            return $"the file belongs to another journal than {previous.Name} ({header.Lineage:x16} instead of "
                + $"{previous.Header.Lineage:x16})";
        }

        if (previous.Header.Number + 1 != number)
        {
            return $"{SegmentName.Of(previous.Header.Number + 1)} is missing before it";
        }

        return previous.EndPosition == header.BasePosition && previous.Header.FirstSequence <= header.FirstSequence
            ? null
            : $"the header does not follow that of {previous.Name}";
    }
}
