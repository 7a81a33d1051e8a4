// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Muster.Core;

namespace Muster.Journal;

/// <summary>Making a journal, and finding the end of one that exists.</summary>
internal sealed partial class FileJournal
{
    private const int CopyBytes = 1024 * 1024;

    /// <summary>
    /// Opens the journal of a folder, or makes one in a folder without. Reads the headers of all segments and the
    /// records of the last. What an unfinished write left is erased before this returns. The caller holds the folder's
    /// lock.
    /// </summary>
    public static Fault TryOpen(IJournalDisk disk, JournalOptions options, out FileJournal? journal)
    {
        options.Validate();
        journal = null;
        var fault = JournalLayout.TryRead(disk, out var layout);
        if (!fault.IsNone)
        {
            return fault;
        }

        if (layout.Segments.Count == 0)
        {
            return Create(disk, options, out journal);
        }

        var last = layout.Segments.Count - 1;
        fault = JournalScan.Run(disk, layout.Segments, last, visit: null, out var tail);
        return fault.IsNone ? Resume(disk, options, layout.Segments, tail, out journal) : fault;
    }

    private static Fault Create(IJournalDisk disk, JournalOptions options, out FileJournal? journal)
    {
        journal = null;
        using var spare = new SpareSegment(disk, options);
        while (spare.Prepare(options.SliceBytesMax))
        {
            // Written ahead like any other, so that no flush has extents to convert.
        }

        var errno = spare.Errno;
        if (!spare.IsReady)
        {
            return JournalErrno.IsFull(errno)
                ? JournalFaults.DiskFull(disk.PathOf(""))
                : JournalFaults.Unusable(disk.PathOf(SegmentName.SpareInMaking), "making the first segment", errno);
        }

        var seed = (uint)options.NextRandom();
        var lineage = options.NextRandom();
        var header = new SegmentHeader
        {
            Lineage = lineage == 0 ? 1 : lineage,
            Seed = seed,
            Number = 1,
            SegmentBytes = options.SegmentBytes,
            FirstSequence = 1,
            LiveFrom = 1,
            UnixUs = options.UnixUs(),

            // So that the chains of two journals differ from their first record on.
            PreviousCrc = (uint)lineage ^ (uint)(lineage >> 32),
        };
        errno = spare.Take(header, out var file);
        if (errno != 0)
        {
            return JournalFaults.Unusable(disk.PathOf(SegmentName.Of(1)), "making the first segment", errno);
        }

        var tail = new JournalTail
        {
            Offset = JournalFormat.DataOffset,
            RemainsEnd = JournalFormat.DataOffset,
            Last = header.Before,
            LiveFrom = 1,
        };
        journal = new(disk, options, [new(SegmentName.Of(1), header)], tail) { _file = file };
        return Begin(ref journal);
    }

    private static Fault Resume(
        IJournalDisk disk,
        JournalOptions options,
        List<SegmentFacts> segments,
        in JournalTail tail,
        out FileJournal? journal)
    {
        journal = null;
        var facts = segments[tail.Segment];
        var path = disk.PathOf(facts.Name);
        var errno = disk.Open(facts.Name, isWritable: true, out var file);
        if (errno != 0)
        {
            return JournalFaults.Unusable(path, "opening", errno);
        }

        errno = Settle(file!, facts.Header, tail);
        errno = errno != 0 || tail.Segment == 0 ? errno : SettleFollowed(disk, segments[tail.Segment - 1]);
        errno = errno != 0 ? errno : disk.SyncFolder();
        if (errno != 0)
        {
            file!.Dispose();
            return JournalFaults.Unusable(path, "flushing what was found", errno);
        }

        journal = new(disk, options, segments, tail) { _file = file };
        journal._spare.Adopt();
        return Begin(ref journal);
    }

    /// <summary>
    /// Writes and flushes the mark of this opening, and a proof of that: the first record of this life differs from
    /// whatever an earlier one left at the same place, and no part of an earlier one can be put back unnoticed.
    /// </summary>
    private static Fault Begin(ref FileJournal? journal)
    {
        Span<byte> body = stackalloc byte[sizeof(ulong) + sizeof(long)];
        var opened = journal!;
        BinaryPrimitives.WriteUInt64LittleEndian(body, opened._options.NextRandom());
        BinaryPrimitives.WriteInt64LittleEndian(body[sizeof(ulong)..], opened._options.UnixUs());
        lock (opened._gate)
        {
            opened.Add(JournalFormat.OpenedMark, body);
        }

        try
        {
            // On a full disk it may have to wait in memory, like any record.
            opened.WriteAppended();
            opened.Flush();
            opened.WriteProof(isClosed: false);
            opened.Flush();
            return Fault.None;
        }
        catch (JournalFailedException failure)
        {
            opened.Dispose();
            journal = null;
            return failure.Fault;
        }
    }

    /// <summary>
    /// Makes the end that was found the end on the disk. What was read may be in the system's cache alone, even after a
    /// flush that failed, so all that no flush is known to have reached is written again. What an unfinished write left
    /// is overwritten with zeros before anything is appended: a later unfinished write must not bring it back.
    /// </summary>
    private static int Settle(IJournalFile file, in SegmentHeader header, in JournalTail tail)
    {
        var errno = Rewrite(file, tail.UnsyncedOffset, tail.Offset);
        if (errno == 0 && tail.Offset < header.SegmentBytes)
        {
            var least = Math.Min(header.SegmentBytes, tail.Offset + JournalFormat.RecordHeaderBytes);
            CrashPoint.Hit("journal.open.before-erase");
            errno = WholeTransfer.WriteZeros(file, tail.Offset, Math.Max(tail.RemainsEnd, least) - tail.Offset);
        }

        CrashPoint.Hit("journal.open.erased");
        return errno != 0 ? errno : WholeTransfer.Sync(file);
    }

    /// <summary>Whoever began the last segment may have died before the one before it said so.</summary>
    private static int SettleFollowed(IJournalDisk disk, in SegmentFacts previous)
    {
        var errno = disk.Open(previous.Name, isWritable: true, out var file);
        if (errno != 0)
        {
            return errno;
        }

        using (file!)
        {
            Span<byte> bytes = stackalloc byte[FlushProof.Bytes];
            errno = WholeTransfer.Read(file!, JournalFormat.ProofOffset, bytes, out var read);
            if (errno != 0)
            {
                return errno;
            }

            // Nobody needs what else it says while there is a segment behind it.
            if (read < bytes.Length || !FlushProof.TryRead(bytes, previous.Header, out var proof))
            {
                proof = FlushProof.Of(previous.Header);
            }

            return proof.IsFollowed ? 0 : WriteFollowed(file!, previous.Header, proof);
        }
    }

    private static int Rewrite(IJournalFile file, long from, long to)
    {
        var bytes = new byte[Math.Min(CopyBytes, Math.Max(0, to - from))];
        while (from < to)
        {
            var part = bytes.AsSpan(0, (int)Math.Min(bytes.Length, to - from));
            var errno = WholeTransfer.Read(file, from, part, out var read);
            errno = errno == 0 && read < part.Length ? JournalErrno.EIO : errno;
            errno = errno != 0 ? errno : WholeTransfer.Write(file, from, part);
            if (errno != 0)
            {
                return errno;
            }

            from += part.Length;
        }

        return 0;
    }
}
