// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;
using Muster.Journal;
using Muster.Plm;
using Muster.Plm.Facts;

namespace Muster.Server.PlmHosting;

/// <summary>
/// The journal as the PLM's core sees it. Appends come from turns; <see cref="JournalThread"/> commits, once the
/// takeover is over.
/// </summary>
internal sealed class PlmJournal(IJournal journal, long snapshotBytesMin) : IPlmJournal
{
    // From here on what can wait should: a commit of this much takes some milliseconds.
    private const long BehindBytes = 1 << 20;

    // From here on the ends of tasks stay with the Register until the disk has caught up.
    private const long OverrunBytes = 32 << 20;

    private const int HeaderBytes = 40;

    // Until there is a thread that commits.
    private bool _commitsItself = true;

    // Something was appended since TakeDirty. Used inside turns.
    private bool _isDirty;

    // Bytes that went in; a journal that was found counts as what a replay of it would read.
    private long _appended = journal.LiveBytes;

    // Where the last snapshot began and the one under way, and how much it took.
    private long _snapshotAt;
    private long _begunAt;
    private long _snapshotBytes;

    public IJournal Journal { get; } = journal;

    public ulong Lineage => Journal.Lineage;

    public Fault Refusal => Journal.Refusal;

    public ulong LastSequence => Journal.AppendedSequence;

    public bool WantsSnapshot => _appended - _snapshotAt > snapshotBytesMin + (2 * _snapshotBytes);

    public bool IsBehind => Journal.PendingBytes > BehindBytes;

    public bool IsOverrun => Journal.PendingBytes > OverrunBytes;

    public ulong Append(ushort kind, ReadOnlySpan<byte> body)
    {
        _isDirty = true;
        if (kind == RecordKind.SnapshotBegin)
        {
            _begunAt = _appended;
        }

        _appended += HeaderBytes + body.Length;
        var sequence = Journal.Append(kind, body);
        if (_commitsItself && IsBehind)
        {
            _ = Journal.Commit(sync: false);
        }

        return sequence;
    }

    /// <summary>
    /// From now on another thread commits. Before that a takeover writes what it tells by itself: it may be more than
    /// fits into memory.
    /// </summary>
    public void LeaveCommits() => _commitsItself = false;

    public Fault Replay(FactVisitor visit)
    {
        var goesOn = true;
        return Journal.Replay((in JournalRecord record) => goesOn = goesOn && visit(record.Kind, record.Body));
    }

    public void ForgetBefore(ulong sequence)
    {
        Journal.ForgetBefore(sequence);
        _snapshotBytes = _appended - _begunAt;
        _snapshotAt = _begunAt;
    }

    /// <summary>Whether something was appended since the last call. Inside a turn.</summary>
    public bool TakeDirty()
    {
        var isDirty = _isDirty;
        _isDirty = false;
        return isDirty;
    }
}
