// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using Muster.Core;

namespace Muster.Journal;

/// <summary>
/// The journal over a folder of segment files; docs/internals/journal.md describes them.
/// Threads: one appends, one commits and keeps house, any reads the counts. The gate between the first two is held for
/// a copy into memory, never over a disk call.
/// Capacity: <see cref="JournalOptions.PendingBytesMax"/> before new work is refused, four times that before
/// appending fails.
/// Owner: the host that opened it; it holds the folder's lock until after <see cref="Dispose"/>.
/// </summary>
internal sealed partial class FileJournal : IJournal
{
    private readonly IJournalDisk _disk;
    private readonly JournalOptions _options;
    private readonly SpareSegment _spare;
    private readonly List<SegmentFacts> _segments;
    private readonly Fault _full;
    private readonly Fault _behind;
    private readonly long _pendingBytesMost;
    private readonly Lock _gate = new();
    private JournalFailedException? _failure;

    // Under the gate.
    private AppendBuffer _filling = new();
    private ulong _lastSequence;
    private ulong _lastFact;

    // Written by the committing thread, read by any.
    private ulong _written;
    private ulong _synced;
    private ulong _liveBase;
    private ulong _headPosition;
    private long _pendingBytes;

    private FileJournal(IJournalDisk disk, JournalOptions options, List<SegmentFacts> segments, in JournalTail tail)
    {
        _disk = disk;
        _options = options;
        _segments = segments;
        _spare = new(disk, options);
        _full = JournalFaults.DiskFull(disk.PathOf(""));
        _behind = JournalFaults.Behind(disk.PathOf(""));
        _pendingBytesMost = (long)options.PendingBytesMax * JournalLimits.PendingTimesMax;
        Recovered = tail;
        _lastSequence = tail.Last.Sequence;
        _lastFact = _lastSequence;
        _written = _lastSequence;
        _synced = _lastSequence;
        _link = tail.Last;
        _syncedLink = tail.Last;
        _offset = tail.Offset;
        _liveFrom = Math.Max(1, tail.LiveFrom);
        _headPosition = Current.Header.BasePosition + (ulong)_offset;
        _syncedEnd = _headPosition;
        _liveBase = _segments[IndexOfLive()].Header.BasePosition;
    }

    public ulong Lineage => Current.Header.Lineage;

    public ulong AppendedSequence => Volatile.Read(ref _lastFact);

    public ulong WrittenSequence => Volatile.Read(ref _written);

    public ulong SyncedSequence => Volatile.Read(ref _synced);

    public long PendingBytes => Volatile.Read(ref _pendingBytes);

    public long LiveBytes =>
        (long)(Volatile.Read(ref _headPosition) - Volatile.Read(ref _liveBase)) + PendingBytes;

    public Fault Refusal => PendingBytes >= _options.PendingBytesMax ? _behind
        : _spare.Errno == 0 ? Fault.None
        : JournalErrno.IsFull(_spare.Errno) ? _full
        : JournalFaults.NoSpare(_disk.PathOf(""), _spare.Errno);

    /// <summary>What opening found, for a line in the log: how much an unfinished write had left.</summary>
    public JournalTail Recovered { get; }

    private SegmentFacts Current => _segments[^1];

    public Fault Replay(JournalVisitor visit)
    {
        ThrowIfFailed();
        Invariant.That(_lastFact == Recovered.Last.Sequence);
        var from = _liveFrom;
        var fault = JournalScan.Run(
            _disk,
            _segments,
            IndexOfLive(),
            (in ScannedRecord record) =>
            {
                var header = record.Header;
                if (!header.IsMark && header.Sequence >= from && header.Sequence <= Recovered.Last.Sequence)
                {
                    visit(new JournalRecord(header.Sequence, header.Kind, record.Body));
                }

                return true;
            },
            out var tail);
        return !fault.IsNone || tail.Last.Sequence >= Recovered.Last.Sequence
            ? fault
            : JournalFaults.Damaged(
                _disk.PathOf(_segments[tail.Segment].Name), tail.Offset, "records vanished since it was opened");
    }

    public ulong Append(ushort kind, ReadOnlySpan<byte> body)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(kind, JournalLimits.KindsMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, _options.BodyBytesMax);
        ThrowIfFailed();
        Invariant.That(!_isClosed);
        lock (_gate)
        {
            if (_pendingBytes >= _pendingBytesMost)
            {
                Fail(JournalFaults.Overrun(_disk.PathOf(""), _pendingBytes));
            }

            Add(kind, body);
            Volatile.Write(ref _lastFact, _lastSequence);
            return _lastSequence;
        }
    }

    public void ForgetBefore(ulong sequence)
    {
        lock (_gate)
        {
            Invariant.That(sequence <= _lastSequence + 1);
            _forgetBefore = Math.Max(_forgetBefore, sequence);
        }
    }

    public void Dispose()
    {
        _spare.Dispose();
        _file?.Dispose();
        _file = null;
    }

    /// <summary>Under the gate.</summary>
    private void Add(ushort kind, ReadOnlySpan<byte> body)
    {
        var before = _filling.Length;
        _filling.Add(kind, body, _lastSequence + 1);
        _lastSequence++;
        Interlocked.Add(ref _pendingBytes, _filling.Length - before);
    }

    private int IndexOfLive()
    {
        var index = _segments.Count - 1;
        while (index > 0 && _segments[index].Header.FirstSequence > _liveFrom)
        {
            index--;
        }

        return index;
    }

    private void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure)
        {
            throw new JournalFailedException(failure.Fault);
        }
    }

    /// <summary>From here on nothing is recorded any more.</summary>
    private void Fail(in Fault fault)
    {
        var failure = new JournalFailedException(fault);
        _ = Interlocked.CompareExchange(ref _failure, failure, null);
        throw failure;
    }
}
