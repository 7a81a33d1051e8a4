// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Threading;
using Muster.Core;

namespace Muster.Journal;

/// <summary>The committing thread's housekeeping: the spare segment, and letting go of what nobody needs.</summary>
internal sealed partial class FileJournal
{
    private const long SliceBytesMin = 1024 * 1024;

    /// <summary>
    /// Appended from one commit to the next, from which on spares are not written ahead: that would double what the
    /// disk has to take, and saves little for a commit of this size.
    /// </summary>
    private const long BusyBytes = 256 * 1024;

    // Under the gate.
    private ulong _forgetBefore;

    private long _bytesSinceMaintained;
    private bool _isProofWritten;
    private ulong _liveFrom;
    private ulong _noted;
    private ulong _noteSequence;

    public bool Maintain()
    {
        ThrowIfFailed();
        var isNoting = NoteForgotten();
        var released = ReleaseOne();

        // Twice what was appended meanwhile: so the spare is ready before the segment in use is full.
        var slice = _bytesSinceMaintained >= BusyBytes
            ? 0
            : Math.Min(Math.Max(2 * _bytesSinceMaintained, SliceBytesMin), _options.SliceBytesMax);
        _bytesSinceMaintained = 0;
        var isPreparing = !released && _spare.Prepare(slice);
        if (_spare.Errno != 0 && ReuseForgotten())
        {
            isPreparing = false;
        }

        return isNoting || released || isPreparing;
    }

    /// <summary>
    /// Puts the note into the log, and takes it for true once it is flushed: a segment must not be gone while a replay
    /// would still ask for it. True while it waits for that.
    /// </summary>
    private bool NoteForgotten()
    {
        TakeNote();
        Span<byte> body = stackalloc byte[sizeof(ulong)];
        lock (_gate)
        {
            if (_noted <= _liveFrom && _forgetBefore > _liveFrom)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(body, _forgetBefore);
                Add(JournalFormat.ForgottenMark, body);
                CrashPoint.Hit("journal.forget.noted");
                _noted = _forgetBefore;
                _noteSequence = _lastSequence;
            }
        }

        return _noted > _liveFrom;
    }

    /// <summary>
    /// Before the next segment's header is written, too: the header must know all notes of the segments before it,
    /// since opening reads no others.
    /// </summary>
    private void TakeNote()
    {
        if (_noted > _liveFrom && _synced >= _noteSequence)
        {
            _liveFrom = _noted;
            Volatile.Write(ref _liveBase, _segments[IndexOfLive()].Header.BasePosition);
        }
    }

    /// <summary>Lets one segment go, the oldest, unless it is needed or to be retained.</summary>
    private bool ReleaseOne()
    {
        if (!IsOldestForgotten())
        {
            return false;
        }

        if (IsYoung(_segments[1].Header.UnixUs) && ForgottenBytes() <= _options.RetainBytes)
        {
            return false;
        }

        if (!_spare.IsReady && ReuseForgotten())
        {
            return true;
        }

        Require(_disk.Delete(_segments[0].Name), "deleting a segment");
        CrashPoint.Hit("journal.forget.deleted");

        // Each by itself: a later one must not be gone while an earlier one is back after a power loss.
        Require(_disk.SyncFolder(), "flushing the folder");
        CrashPoint.Hit("journal.forget.folder-flushed");
        _segments.RemoveAt(0);
        return true;
    }

    // A segment from the future is not young: the clock was set back, and its age is anybody's guess.
    private bool IsYoung(long unixUs) =>
        _options.RetainAge > TimeSpan.Zero
        && _options.UnixUs() - unixUs is >= 0 and var ageUs
        && ageUs < _options.RetainAge.Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Makes the oldest segment the spare, if nobody needs it.</summary>
    private bool ReuseForgotten()
    {
        if (!IsOldestForgotten() || _segments[0].Header.SegmentBytes != _options.SegmentBytes)
        {
            return false;
        }

        Require(_spare.Recycle(_segments[0].Name), "reusing a segment");
        _segments.RemoveAt(0);
        return true;
    }

    private bool IsOldestForgotten() => _segments.Count > 1 && _segments[1].Header.FirstSequence <= _liveFrom;

    private long ForgottenBytes()
    {
        long bytes = 0;
        for (var index = 0; index < IndexOfLive(); index++)
        {
            bytes += _segments[index].Header.SegmentBytes;
        }

        return bytes;
    }
}
