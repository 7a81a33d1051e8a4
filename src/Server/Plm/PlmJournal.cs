// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;
using Muster.Journal;
using Muster.Plm;

namespace Muster.Server.PlmHosting;

/// <summary>
/// The journal as the PLM's core sees it. Appends come from turns; <see cref="JournalThread"/> commits.
/// </summary>
internal sealed class PlmJournal(IJournal journal, long snapshotBytesMin) : IPlmJournal
{
    // From here on what can wait should: a commit of this much takes some milliseconds.
    private const long BehindBytes = 1 << 20;

    private long _liveBytesAfterSnapshot;

    public IJournal Journal { get; } = journal;

    /// <summary>Something was appended since <see cref="TakeDirty"/>. Used inside turns.</summary>
    private bool _isDirty;

    public ulong Lineage => Journal.Lineage;

    public Fault Refusal => Journal.Refusal;

    public ulong LastSequence => Journal.AppendedSequence;

    public bool WantsSnapshot => Journal.LiveBytes > snapshotBytesMin + (2 * _liveBytesAfterSnapshot);

    public bool IsBehind => Journal.PendingBytes > BehindBytes;

    public ulong Append(ushort kind, ReadOnlySpan<byte> body)
    {
        _isDirty = true;
        return Journal.Append(kind, body);
    }

    public Fault Replay(FactVisitor visit)
    {
        var goesOn = true;
        return Journal.Replay((in JournalRecord record) => goesOn = goesOn && visit(record.Kind, record.Body));
    }

    public void ForgetBefore(ulong sequence)
    {
        Journal.ForgetBefore(sequence);
        _liveBytesAfterSnapshot = Math.Max(0, Journal.LiveBytes - snapshotBytesMin) / 2;
    }

    /// <summary>Whether something was appended since the last call. Inside a turn.</summary>
    public bool TakeDirty()
    {
        var isDirty = _isDirty;
        _isDirty = false;
        return isDirty;
    }
}
