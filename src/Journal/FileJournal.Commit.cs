// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Core;

namespace Muster.Journal;

/// <summary>The committing thread: sealing, writing, flushing, changing segments.</summary>
internal sealed partial class FileJournal
{
    private readonly byte[] _proofBytes = new byte[FlushProof.Bytes];
    private IJournalFile? _file;
    private AppendBuffer _writing = new();
    private ChainLink _link;
    private long _offset;
    private ChainLink _syncedLink;
    private ulong _syncedEnd;
    private bool _hasUnsyncedFacts;
    private bool _isClosed;

    public JournalPosition Commit(bool sync)
    {
        ThrowIfFailed();
        Invariant.That(!_isClosed);
        WriteAppended();
        if (sync && _written > _synced)
        {
            if (_hasUnsyncedFacts)
            {
                Flush();
                MarkSynced();
            }
            else
            {
                // Nothing new but our own mark: an idle moment, in which the last flush gets a proof of its own.
                WriteProof(isClosed: false);
                Flush();
            }
        }

        return new(_written, _synced);
    }

    public void Close()
    {
        _ = Commit(sync: true);
        if (!_writing.IsDrained)
        {
            // The disk is full, and nobody was told that the rest is safe: it ends here, without the mark of an end.
            _isClosed = true;
            return;
        }

        lock (_gate)
        {
            Add(JournalFormat.ClosedMark, []);
        }

        WriteAppended();
        WriteProof(isClosed: true);
        Flush();
        _isClosed = true;
    }

    /// <summary>Writes what was appended, as far as there is room; false when some had to stay.</summary>
    private bool WriteAppended()
    {
        if (!WriteOut())
        {
            return false;
        }

        lock (_gate)
        {
            (_filling, _writing) = (_writing, _filling);
        }

        return WriteOut();
    }

    private bool WriteOut()
    {
        while (!_writing.IsDrained)
        {
            var bytes = SealRun(out var link, out var hasFacts);
            if (bytes == 0)
            {
                if (!Rotate())
                {
                    return false;
                }

                continue;
            }

            CrashPoint.Hit("journal.write.before");
            Require(WholeTransfer.Write(_file!, _offset, _writing.Span(_writing.Offset, bytes)), "writing");
            CrashPoint.Hit("journal.write.after");
            _writing.Advance(bytes);
            _offset += bytes;
            _link = link;
            _hasUnsyncedFacts |= hasFacts;
            _bytesSinceMaintained += bytes;
            Interlocked.Add(ref _pendingBytes, -bytes);
            Volatile.Write(ref _headPosition, Current.Header.BasePosition + (ulong)_offset);
            Volatile.Write(ref _written, link.Sequence);
        }

        return true;
    }

    /// <summary>Completes as many records as fit into the segment.</summary>
    private int SealRun(out ChainLink link, out bool hasFacts)
    {
        var segment = Current.Header;
        var room = segment.SegmentBytes - _offset;
        var start = _writing.Offset;
        var bytes = 0;
        link = _link;
        hasFacts = false;
        while (start + bytes < _writing.Length)
        {
            var record = _writing.RecordAt(start + bytes, out var header);
            if (bytes + record.Length > room)
            {
                break;
            }

            Invariant.That(header.Sequence == link.Sequence + 1);
            var sealedBytes = record[..(JournalFormat.RecordHeaderBytes + (int)header.BodyBytes)];
            var position = segment.BasePosition + (ulong)(_offset + bytes);
            link = new(
                header.Sequence, RecordHeader.Seal(sealedBytes, segment.Seed, position, _syncedLink, link.Crc));
            hasFacts |= !header.IsMark;
            bytes += record.Length;
        }

        return bytes;
    }

    /// <summary>
    /// Goes on in the spare. The old segment is flushed first, so that the new one's header proves it whole; the new
    /// header is flushed before the file gets its name, so that a file with a segment's name has one. Before anything
    /// is in the new one the old one says that it is there, so that it is missed if it is lost.
    /// </summary>
    private bool Rotate()
    {
        Flush();
        TakeNote();
        if (!_spare.IsReady)
        {
            var errno = _spare.MakeNow();
            if (errno != 0 && JournalErrno.IsFull(errno) && ReuseForgotten())
            {
                errno = 0;
            }

            if (errno != 0)
            {
                // Stuck without a reserve; a full disk may be freed, so the next commit tries again.
                return !JournalErrno.IsFull(errno) && Require(errno, "making a segment");
            }
        }

        CrashPoint.Hit("journal.rotate.flushed");
        var old = Current;
        var header = old.Header with
        {
            Number = old.Header.Number + 1,
            BasePosition = old.EndPosition,
            SegmentBytes = _options.SegmentBytes,
            FirstSequence = _link.Sequence + 1,
            LiveFrom = _liveFrom,
            UnixUs = _options.UnixUs(),
            PreviousCrc = _link.Crc,
        };
        Require(_spare.Take(header, out var file), "beginning a segment");
        CrashPoint.Hit("journal.rotate.taken");
        var proof = HasSynced(old.Header) ? Proof() : FlushProof.Of(old.Header);
        Require(WriteFollowed(_file!, old.Header, proof), "noting the next segment");
        CrashPoint.Hit("journal.rotate.followed");
        _file!.Dispose();
        _file = file;
        _segments.Add(new(SegmentName.Of(header.Number), header));
        _offset = JournalFormat.DataOffset;
        Volatile.Write(ref _headPosition, header.BasePosition + JournalFormat.DataOffset);
        return true;
    }

    private void Flush()
    {
        if (_written == _synced && !_isProofWritten)
        {
            return;
        }

        CrashPoint.Hit("journal.flush.before");
        Require(WholeTransfer.Sync(_file!), "flushing");
        CrashPoint.Hit("journal.flush.after");
        _isProofWritten = false;
        _hasUnsyncedFacts = false;
        _syncedLink = _link;
        _syncedEnd = _headPosition;
        Volatile.Write(ref _synced, _link.Sequence);
    }

    /// <summary>
    /// After a flush with nothing waiting behind it, a record that says how far it reached; it is not flushed itself.
    /// It is what tells damage to the last records from an unfinished write. Where it does not fit, the next segment is
    /// begun for it: its header is a proof as well.
    /// </summary>
    private void MarkSynced()
    {
        lock (_gate)
        {
            if (!_writing.IsDrained || !_filling.IsDrained)
            {
                return;
            }

            Add(JournalFormat.SyncedMark, []);
        }

        WriteAppended();
    }

    private void WriteProof(bool isClosed)
    {
        if (!HasSynced(Current.Header))
        {
            // Nothing of this segment is flushed; what it began with says so already.
            return;
        }

        (Proof() with { IsClosed = isClosed }).Write(_proofBytes, Current.Header.Seed);
        Require(WholeTransfer.Write(_file!, JournalFormat.ProofOffset, _proofBytes), "writing");
        _isProofWritten = true;
    }

    private bool HasSynced(in SegmentHeader segment) =>
        _syncedEnd >= segment.BasePosition + JournalFormat.DataOffset;

    private FlushProof Proof() => new(Lineage, _syncedLink.Sequence, _syncedEnd, _syncedLink.Crc);

    private static int WriteFollowed(IJournalFile file, in SegmentHeader segment, in FlushProof proof)
    {
        Span<byte> bytes = stackalloc byte[FlushProof.Bytes];
        (proof with { IsClosed = false, IsFollowed = true }).Write(bytes, segment.Seed);
        var errno = WholeTransfer.Write(file, JournalFormat.ProofOffset, bytes);
        return errno != 0 ? errno : WholeTransfer.Sync(file);
    }

    /// <summary>A failed call ends everything: fail-stop.</summary>
    private bool Require(int errno, string doing)
    {
        if (errno != 0)
        {
            Fail(JournalFaults.Failed(_disk.PathOf(Current.Name), doing, errno));
        }

        return true;
    }
}
