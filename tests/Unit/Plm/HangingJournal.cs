// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Core;
using Muster.Journal;

namespace Muster.Unit.Plm;

/// <summary>A journal of nothing, whose flush does not end before the test says so.</summary>
internal sealed class HangingJournal : IJournal
{
    private readonly ManualResetEventSlim _released = new();

    /// <summary>Set while a flush hangs, and from then on.</summary>
    public ManualResetEventSlim Hangs { get; } = new();

    public ManualResetEventSlim Closed { get; } = new();

    public ulong Lineage => 1;

    public ulong AppendedSequence => 0;

    public ulong WrittenSequence => 0;

    public ulong SyncedSequence => 0;

    public long PendingBytes => 0;

    public long LiveBytes => 0;

    public Fault Refusal => Fault.None;

    public void Release() => _released.Set();

    public Fault Replay(JournalVisitor visit) => Fault.None;

    public ulong Append(ushort kind, ReadOnlySpan<byte> body) => 0;

    public JournalPosition Commit(bool sync)
    {
        Hangs.Set();
        _released.Wait();
        return default;
    }

    public bool Maintain() => false;

    public void ForgetBefore(ulong sequence)
    {
        // There is nothing to forget.
    }

    public void Close() => Closed.Set();

    public void Dispose()
    {
        _released.Dispose();
        Hangs.Dispose();
        Closed.Dispose();
    }
}
