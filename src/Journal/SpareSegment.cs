// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Core;

namespace Muster.Journal;

/// <summary>
/// The file that becomes the next segment: room that is surely there, so that a full disk is noticed a whole segment
/// early. Made in slices, or from a segment that nobody needs any more.
/// Owner: the committing thread of the journal; any thread may read <see cref="Errno"/>.
/// </summary>
internal sealed class SpareSegment(IJournalDisk disk, JournalOptions options) : IDisposable
{
    private const long TryAgainUs = 1_000_000;

    private readonly byte[] _blocks = new byte[JournalFormat.DataOffset];
    private IJournalFile? _file;
    private long _zeroed;
    private long _failedUs;
    private int _errno;

    public bool IsReady { get; private set; }

    /// <summary>Not 0: why none can be made now.</summary>
    public int Errno => Volatile.Read(ref _errno);

    /// <summary>
    /// Takes over a spare that is there, as from an earlier life; what was in the making is worthless.
    /// </summary>
    public void Adopt()
    {
        _ = disk.Delete(SegmentName.SpareInMaking);
        if (disk.Open(SegmentName.Spare, isWritable: true, out _file) != 0)
        {
            _file = null;
            return;
        }

        IsReady = _file!.Length(out var bytes) == 0 && bytes == options.SegmentBytes;
        if (!IsReady)
        {
            Drop(SegmentName.Spare);
        }
    }

    /// <summary>
    /// Does a part of the work; false when there is nothing more to do now. With 0 bytes to write ahead, what was not
    /// written yet stays reserved.
    /// </summary>
    public bool Prepare(long sliceBytes)
    {
        if (IsReady)
        {
            return false;
        }

        if (_file is null)
        {
            var sinceFailureUs = Math.Abs(options.UnixUs() - _failedUs);
            return (Errno == 0 || sinceFailureUs >= TryAgainUs) && Settle(Begin()) == 0 && !IsReady;
        }

        var slice = options.WritesSparesAhead ? Math.Min(sliceBytes, options.SegmentBytes - _zeroed) : 0;
        if (slice == 0)
        {
            _ = Settle(Finish());
            return false;
        }

        var errno = WholeTransfer.WriteZeros(_file, _zeroed, slice);
        _zeroed += slice;

        // In small portions a flush of the spare never holds a commit up for long.
        return Settle(errno != 0 ? errno : WholeTransfer.Sync(_file)) == 0;
    }

    /// <summary>Makes it at once, with its room reserved but not written.</summary>
    public int MakeNow()
    {
        if (IsReady)
        {
            return 0;
        }

        var errno = _file is null ? Begin() : 0;
        return Settle(errno != 0 || IsReady ? errno : Finish());
    }

    /// <summary>Uses a segment that is not needed any more; replaces whatever spare was in the making.</summary>
    public int Recycle(string name)
    {
        if (_file is not null)
        {
            Drop(SegmentName.SpareInMaking);
        }

        var errno = disk.Rename(name, SegmentName.Spare);
        CrashPoint.Hit("journal.recycle.renamed");
        errno = errno != 0 ? errno : disk.SyncFolder();
        if (errno == 0)
        {
            // If it cannot be opened, for want of descriptors perhaps, it is tried again later.
            var opened = disk.Open(SegmentName.Spare, isWritable: true, out _file);
            IsReady = opened == 0;
            Volatile.Write(ref _errno, opened);
            _failedUs = options.UnixUs();
        }

        return errno;
    }

    /// <summary>
    /// Makes it a segment. Header and proof are flushed before it has a segment's name, and the name before
    /// this returns.
    /// </summary>
    /// <param name="header">What the segment begins with.</param>
    /// <param name="file">Its file, now the caller's.</param>
    public int Take(in SegmentHeader header, out IJournalFile? file)
    {
        file = null;
        _blocks.AsSpan().Clear();
        header.Write(_blocks);
        FlushProof.Of(header).Write(_blocks.AsSpan(JournalFormat.ProofOffset), header.Seed);
        var errno = WholeTransfer.Write(_file!, 0, _blocks);
        errno = errno != 0 ? errno : WholeTransfer.Sync(_file!);
        CrashPoint.Hit("journal.segment.header-flushed");
        errno = errno != 0 ? errno : disk.Rename(SegmentName.Spare, SegmentName.Of(header.Number));
        CrashPoint.Hit("journal.segment.named");
        errno = errno != 0 ? errno : disk.SyncFolder();
        if (errno == 0)
        {
            file = _file;
            _file = null;
            _zeroed = 0;
            IsReady = false;
        }

        return errno;
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    private int Begin()
    {
        // Room that is taken already may be there, when only opening it had failed.
        Adopt();
        if (IsReady)
        {
            return 0;
        }

        var errno = disk.FreeBytes(out var free);
        if (errno == 0 && free < options.SegmentBytes)
        {
            return JournalErrno.ENOSPC;
        }

        errno = errno != 0 ? errno : disk.Create(SegmentName.SpareInMaking, out _file);
        _zeroed = 0;
        return errno != 0 ? errno : _file!.Allocate(options.SegmentBytes);
    }

    private int Finish()
    {
        var errno = WholeTransfer.Sync(_file!);
        CrashPoint.Hit("journal.spare.made");
        errno = errno != 0 ? errno : disk.Rename(SegmentName.SpareInMaking, SegmentName.Spare);
        CrashPoint.Hit("journal.spare.named");
        errno = errno != 0 ? errno : disk.SyncFolder();
        IsReady = errno == 0;
        return errno;
    }

    /// <summary>Notes how a step went; a failed one leaves nothing behind.</summary>
    private int Settle(int errno)
    {
        Volatile.Write(ref _errno, errno);
        if (errno != 0)
        {
            _failedUs = options.UnixUs();
            Drop(SegmentName.SpareInMaking);
        }

        return errno;
    }

    private void Drop(string name)
    {
        _file?.Dispose();
        _file = null;
        IsReady = false;

        // It may not be there; what matters is that nothing here is taken for a spare.
        _ = disk.Delete(name);
    }
}
