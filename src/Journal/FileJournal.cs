// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Journal;

/// <summary>The journal over a folder of segment files.</summary>
internal sealed class FileJournal : IJournal
{
    private FileJournal()
    {
    }

    public ulong Lineage => throw Unfinished();

    public ulong AppendedSequence => throw Unfinished();

    public ulong WrittenSequence => throw Unfinished();

    public ulong SyncedSequence => throw Unfinished();

    public long PendingBytes => throw Unfinished();

    public long LiveBytes => throw Unfinished();

    public Fault Refusal => throw Unfinished();

    /// <summary>
    /// Opens the journal of a folder, or makes one in an empty folder. The caller holds the folder's lock.
    /// </summary>
    public static Fault TryOpen(IJournalDisk disk, JournalOptions options, out FileJournal? journal)
    {
        options.Validate();
        journal = new FileJournal();
        _ = disk;
        throw Unfinished();
    }

    public Fault Replay(JournalVisitor visit) => throw Unfinished();

    public ulong Append(ushort kind, ReadOnlySpan<byte> body) => throw Unfinished();

    public JournalPosition Commit(bool sync) => throw Unfinished();

    public bool Maintain() => throw Unfinished();

    public void ForgetBefore(ulong sequence) => throw Unfinished();

    public void Close() => throw Unfinished();

    public void Dispose() => throw Unfinished();

    private static InvalidOperationException Unfinished() => new("the journal is being built");
}
