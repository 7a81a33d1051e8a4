// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;

namespace Muster.Journal;

/// <summary>
/// Walks the records of one segment file, each checked against the one before it, through a window of memory that grows
/// to the largest record. Owner: one scan, one thread.
/// </summary>
internal sealed class SegmentScanner
{
    private const int WindowBytes = 256 * 1024;

    private readonly IJournalFile _file;
    private readonly SegmentHeader _segment;
    private byte[] _window;
    private long _windowStart;
    private int _windowBytes;

    /// <param name="file">Open for reading; stays the caller's.</param>
    /// <param name="segment">Its header.</param>
    public SegmentScanner(IJournalFile file, in SegmentHeader segment)
    {
        _file = file;
        _segment = segment;
        _window = new byte[Math.Min(WindowBytes, segment.SegmentBytes)];
        Offset = JournalFormat.DataOffset;
        Last = segment.Before;
    }

    /// <summary>Where the next record should be.</summary>
    public long Offset { get; private set; }

    /// <summary>The record before it.</summary>
    public ChainLink Last { get; private set; }

    /// <summary>Not 0: the file cannot be read, so that what was found says nothing.</summary>
    public int Errno { get; private set; }

    /// <summary>Steps over the record at <see cref="Offset"/> if it is whole and follows the one before.</summary>
    public bool TryNext(out ScannedRecord record)
    {
        if (!TryReadAt(Offset, out record)
            || record.Header.Sequence != Last.Sequence + 1
            || record.Header.PreviousCrc != Last.Crc)
        {
            return false;
        }

        Offset += JournalFormat.RecordBytes((int)record.Header.BodyBytes);
        Last = new(record.Header.Sequence, record.Header.Crc);
        return true;
    }

    /// <summary>Finds the next whole record at or after an offset that belongs there, whatever is before it.</summary>
    public bool TryFind(long from, out ScannedRecord record)
    {
        while (from + JournalFormat.RecordHeaderBytes <= _segment.SegmentBytes && Errno == 0)
        {
            var window = Window(from, JournalFormat.RecordHeaderBytes);
            var end = window.Length - JournalFormat.RecordHeaderBytes;
            if (end < 0)
            {
                break;
            }

            var at = 0;
            var expected = _segment.BasePosition + (ulong)from;
            while (at <= end && BinaryPrimitives.ReadUInt64LittleEndian(
                window[(at + RecordHeader.PositionOffset)..]) != expected + (ulong)at)
            {
                at += JournalFormat.RecordAlignment;
            }

            from += at;
            if (at <= end && TryReadAt(from, out record))
            {
                return true;
            }

            from += at <= end ? JournalFormat.RecordAlignment : 0;
        }

        record = default;
        return false;
    }

    /// <summary>Goes back to where it was.</summary>
    public void Rewind(long offset, ChainLink last)
    {
        Offset = offset;
        Last = last;
    }

    /// <summary>Forgets what was read, as another process may have written meanwhile.</summary>
    public void Refresh() => _windowBytes = 0;

    /// <summary>
    /// Whether there is a header at <see cref="Offset"/> that says it belongs there: an unfinished write.
    /// </summary>
    public bool IsBegun()
    {
        var window = Window(Offset, JournalFormat.RecordHeaderBytes);
        return window.Length >= JournalFormat.RecordHeaderBytes
            && RecordHeader.Read(window).Position == _segment.BasePosition + (ulong)Offset;
    }

    private bool TryReadAt(long offset, out ScannedRecord record)
    {
        record = default;
        var window = Window(offset, JournalFormat.RecordHeaderBytes);
        if (window.Length < JournalFormat.RecordHeaderBytes)
        {
            return false;
        }

        var header = RecordHeader.Read(window);
        var room = _segment.SegmentBytes - offset - JournalFormat.RecordHeaderBytes;
        if (header.Position != _segment.BasePosition + (ulong)offset
            || header.BodyBytes > Math.Min(room, JournalLimits.BodyBytesMax))
        {
            return false;
        }

        var bytes = JournalFormat.RecordHeaderBytes + (int)header.BodyBytes;
        window = Window(offset, bytes);
        if (window.Length < bytes || RecordHeader.Check(window[..bytes], _segment.Seed) != header.Crc)
        {
            return false;
        }

        record = new(header, _segment.Number, offset, window[JournalFormat.RecordHeaderBytes..bytes]);
        return true;
    }

    /// <summary>What the file holds from an offset on: at least this many bytes, unless it ends before.</summary>
    private ReadOnlySpan<byte> Window(long offset, int bytes)
    {
        if (offset >= _windowStart && offset + bytes <= _windowStart + _windowBytes)
        {
            return _window.AsSpan((int)(offset - _windowStart), _windowBytes - (int)(offset - _windowStart));
        }

        if (_window.Length < bytes)
        {
            _window = new byte[Math.Max(bytes, _window.Length * 2)];
        }

        _windowStart = offset;
        var want = (int)Math.Min(_window.Length, Math.Max(0, _segment.SegmentBytes - offset));
        Errno = WholeTransfer.Read(_file, offset, _window.AsSpan(0, want), out _windowBytes);
        return _window.AsSpan(0, _windowBytes);
    }
}
