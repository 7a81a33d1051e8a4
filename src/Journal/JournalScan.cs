// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using Muster.Core;

namespace Muster.Journal;

/// <summary>
/// Reads records from a segment to the journal's end, checks the chain over all of them, and decides what the end is:
/// the last record, an unfinished write that may be cut, or damage. The decision: a record that is not whole may only
/// be an unfinished write if nothing says that a flush had reached it. What can say so: another segment behind it, a
/// whole record behind it, or the proof in the segment's second block, which is always whole unless it was damaged.
/// </summary>
internal sealed class JournalScan
{
    /// <summary>A writer beside us may be in the middle of it.</summary>
    private const int ProofReads = 3;

    private readonly IJournalDisk _disk;
    private readonly List<SegmentFacts> _segments;
    private readonly ScanVisitor? _visit;

    /// <summary>Of the last segment's records, by number; two bytes for at least forty in the file.</summary>
    private readonly List<ushort> _checks = [];
    private ulong _synced;
    private long _unsyncedOffset;
    private ulong _liveFrom;
    private FlushProof _proof;
    private ChainLink _unsyncedLast;
    private bool _isOuter;
    private bool _isAnother;
    private bool _isClosed;
    private bool _isStopped;

    private JournalScan(IJournalDisk disk, List<SegmentFacts> segments, ScanVisitor? visit)
    {
        _disk = disk;
        _segments = segments;
        _visit = visit;
        _liveFrom = segments[^1].Header.LiveFrom;
    }

    /// <summary>Scans from a segment on.</summary>
    /// <param name="disk">The folder.</param>
    /// <param name="segments">All of them, checked by <see cref="JournalLayout"/>.</param>
    /// <param name="first">Index of the segment to begin with.</param>
    /// <param name="visit">Gets each record, or null.</param>
    /// <param name="tail">Where it ended; with JOURNAL_DAMAGED, where the damage is.</param>
    public static Fault Run(
        IJournalDisk disk, List<SegmentFacts> segments, int first, ScanVisitor? visit, out JournalTail tail)
    {
        var scan = new JournalScan(disk, segments, visit);
        tail = default;
        for (var index = first; index < segments.Count && !scan._isStopped; index++)
        {
            var fault = scan.Segment(index, out tail);
            if (!fault.IsNone)
            {
                return fault;
            }
        }

        return Fault.None;
    }

    private Fault Segment(int index, out JournalTail tail)
    {
        var facts = _segments[index];
        tail = default;
        var path = _disk.PathOf(facts.Name);
        var errno = _disk.Open(facts.Name, isWritable: false, out var file);
        if (errno != 0)
        {
            return JournalFaults.Unusable(path, "opening", errno);
        }

        using (file!)
        {
            var scanner = new SegmentScanner(file!, facts.Header);
            _synced = Math.Max(_synced, facts.Header.FirstSequence - 1);
            _unsyncedOffset = JournalFormat.DataOffset;
            _unsyncedLast = facts.Header.Before;
            _isOuter = index + 1 == _segments.Count;
            var fault = _isOuter
                ? Outer(scanner, path, file!, ref tail)
                : Inner(scanner, path, _segments[index + 1].Header);
            tail = tail with
            {
                Segment = index,
                Offset = scanner.Offset,
                Last = scanner.Last,
                Synced = _synced,
                UnsyncedOffset = Math.Min(_unsyncedOffset, scanner.Offset),
                LiveFrom = _liveFrom,
                IsClosed = _isClosed,
                RemainsEnd = Math.Max(tail.RemainsEnd, scanner.Offset),
            };
            if (scanner.Errno != 0)
            {
                return JournalFaults.Unusable(path, "reading", scanner.Errno);
            }

            return fault.IsNone && index + 1 == _segments.Count && !_isStopped ? Oldest() : fault;
        }
    }

    /// <summary>A segment with another behind it: flushed to its last record before that one was begun.</summary>
    private Fault Inner(SegmentScanner scanner, string path, in SegmentHeader next)
    {
        while (scanner.Last.Sequence < next.FirstSequence - 1)
        {
            if (!Step(scanner))
            {
                return Damaged(
                    path, scanner.Offset, $"record {Text(scanner.Last.Sequence + 1)} is not what was written");
            }

            if (_isStopped)
            {
                return Fault.None;
            }
        }

        return scanner.Last == next.Before
            ? Fault.None
            : Damaged(path, scanner.Offset, "the next segment does not follow its last record");
    }

    /// <summary>The last segment.</summary>
    private Fault Outer(SegmentScanner scanner, string path, IJournalFile file, ref JournalTail tail)
    {
        var proofFault = ReadProof(path, file);
        while (true)
        {
            while (!_isAnother && Step(scanner))
            {
                if (_isStopped)
                {
                    return Fault.None;
                }
            }

            var sequence = scanner.Last.Sequence + 1;
            if (_isAnother)
            {
                return Another(scanner, path, $"record {Text(_proof.Synced)} is another than the one that was flushed");
            }

            var begun = scanner.IsBegun() ? scanner.Offset + JournalFormat.RecordHeaderBytes : scanner.Offset;
            tail = tail with { RemainsEnd = begun, RemainsCount = 0 };
            var why = LaterProof(scanner, ref tail, out var another);
            if (scanner.Errno != 0)
            {
                return Fault.None;
            }

            if (another is not null)
            {
                return Another(scanner, path, another);
            }

            if (why is null && !proofFault.IsNone)
            {
                return proofFault;
            }

            why ??= _proof.Synced < sequence ? null
                : _proof.IsClosed ? $"the journal was closed behind record {Text(_proof.Synced)}"
                : $"the journal was flushed to record {Text(_proof.Synced)}";
            if (why is null)
            {
                return Followed();
            }

            // A writer beside us may have finished the record meanwhile; it writes from front to back.
            var offset = scanner.Offset;
            scanner.Refresh();
            if (!Step(scanner))
            {
                return Damaged(
                    path, offset, $"record {Text(sequence)} is not what was written, and it had been: {why}");
            }
        }
    }

    /// <summary>Whether the last segment there is says that it is not the last.</summary>
    private Fault Followed()
    {
        var last = _segments[^1];
        if (!_proof.IsFollowed)
        {
            return Fault.None;
        }

        var next = SegmentName.Of(last.Header.Number + 1);
        var errno = _disk.Open(next, isWritable: false, out var file);
        if (errno == 0)
        {
            // A writer beside us began it after the folder was listed, or it is the one that is damaged.
            file!.Dispose();
            return Fault.None;
        }

        return errno == JournalErrno.ENOENT
            ? Damaged(_disk.PathOf(next), 0, $"the file is missing; {last.Name} says that the journal went on in it")
            : JournalFaults.Unusable(_disk.PathOf(next), "opening", errno);
    }

    /// <summary>
    /// What was written behind the scanner's place after that had been flushed; null for nothing, and then how far
    /// remains of an unfinished write reach.
    /// </summary>
    private string? LaterProof(SegmentScanner scanner, ref JournalTail tail, out string? another)
    {
        another = null;
        var first = scanner.Last.Sequence + 1;
        var from = scanner.Offset;
        while (scanner.TryFind(from, out var later))
        {
            var header = later.Header;
            if (header.Synced >= first)
            {
                return $"record {Text(header.Sequence)} at offset {Text(later.Offset)} was written after its flush";
            }

            // Behind the end there are only records of the same unfinished write, with later numbers.
            if (header.Sequence <= first || !FollowsSynced(header))
            {
                another = $"record {Text(header.Sequence)} at offset {Text(later.Offset)} follows other records";
                return null;
            }

            from = later.Offset + JournalFormat.RecordBytes((int)header.BodyBytes);
            tail = tail with { RemainsEnd = from, RemainsCount = tail.RemainsCount + 1 };
        }

        return null;
    }

    /// <summary>Whether the flushed record that a later one names is the one that is here.</summary>
    private bool FollowsSynced(in RecordHeader later)
    {
        var index = (long)later.Synced - (long)_segments[^1].Header.FirstSequence;
        return index < 0 || index >= _checks.Count || _checks[(int)index] == later.SyncedCheck;
    }

    /// <summary>
    /// Whole records that are not the ones that were flushed: a part of the file is from another time. Which part is
    /// not known; what is sure ends where these records themselves say that the last flush did.
    /// </summary>
    private Fault Another(SegmentScanner scanner, string path, string what)
    {
        scanner.Rewind(_unsyncedOffset, _unsyncedLast);
        return Damaged(path, scanner.Offset, $"from here on a part of the file is from another time: {what}");
    }

    /// <summary>Reads what the segment's proof says; it is always whole unless it was damaged.</summary>
    private Fault ReadProof(string path, IJournalFile file)
    {
        Span<byte> bytes = stackalloc byte[FlushProof.Bytes];
        var segment = _segments[^1].Header;
        for (var attempt = 0; attempt < ProofReads; attempt++)
        {
            var errno = WholeTransfer.Read(file, JournalFormat.ProofOffset, bytes, out var read);
            if (errno != 0)
            {
                return JournalFaults.Unusable(path, "reading", errno);
            }

            if (read == bytes.Length && FlushProof.TryRead(bytes, segment, out _proof))
            {
                return Fault.None;
            }
        }

        _proof = FlushProof.Of(segment);
        return Damaged(path, JournalFormat.ProofOffset, "the proof of the last flush is not what was written");
    }

    /// <summary>Whether everything is there that is still needed, as only the end of the journal knows.</summary>
    private Fault Oldest()
    {
        var oldest = _segments[0];
        return oldest.Header.FirstSequence <= _liveFrom
            ? Fault.None
            : Damaged(
                _disk.PathOf(oldest.Name),
                0,
                $"it begins with record {Text(oldest.Header.FirstSequence)}, and those from {Text(_liveFrom)} on are "
                + "needed: segments before it were removed");
    }

    private bool Step(SegmentScanner scanner)
    {
        var (offset, last) = (scanner.Offset, scanner.Last);
        if (!scanner.TryNext(out var record))
        {
            return false;
        }

        var header = record.Header;
        if (header.Sequence == _proof.Synced && header.Crc != _proof.Crc)
        {
            _isAnother = true;
            scanner.Rewind(offset, last);
            return false;
        }

        if (header.Synced > _synced)
        {
            // All records that are not covered by a flush were written after it, so they say so themselves.
            _synced = header.Synced;
            _unsyncedOffset = offset;
            _unsyncedLast = last;
        }

        if (_isOuter)
        {
            _checks.Add((ushort)header.Crc);
        }

        _isClosed = header.Kind == JournalFormat.ClosedMark;
        if (header.Kind == JournalFormat.ForgottenMark && record.Body.Length >= sizeof(ulong))
        {
            _liveFrom = Math.Max(_liveFrom, BinaryPrimitives.ReadUInt64LittleEndian(record.Body));
        }

        _isStopped = _visit is not null && !_visit(record);
        return true;
    }

    private static Fault Damaged(string path, long offset, string what) => JournalFaults.Damaged(path, offset, what);

    private static string Text<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
