// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Journal;

/// <summary>
/// A log of records that outlives processes and power. It knows nothing of what they mean.
/// Two threads use it at a time: one that appends (whoever holds the owner's turn) and one that commits. Appending only
/// copies into memory, so a turn never waits for a disk. What is appended and not yet written is bounded:
/// <see cref="Refusal"/> speaks long before <see cref="Append"/> fails.
/// A failed write or flush throws <see cref="JournalFailedException"/> from then on, whatever is called; the process
/// has to stop, since nothing is known of what the disk holds.
/// </summary>
internal interface IJournal : IDisposable
{
    /// <summary>Random number made with the journal, never 0; two journals are the same when it is.</summary>
    ulong Lineage { get; }

    /// <summary>
    /// The last sequence that <see cref="Append"/> gave, or that was found at opening. Any thread.
    /// </summary>
    ulong AppendedSequence { get; }

    /// <summary>
    /// The last sequence that survives the death of every process; the journal's own marks count, so it may be above
    /// <see cref="AppendedSequence"/>. Any thread.
    /// </summary>
    ulong WrittenSequence { get; }

    /// <summary>The last sequence that survives a power loss. Any thread.</summary>
    ulong SyncedSequence { get; }

    /// <summary>Bytes appended and not yet written. Any thread.</summary>
    long PendingBytes { get; }

    /// <summary>
    /// Bytes that a replay would read now, to decide when a snapshot is worth its cost. Any thread.
    /// </summary>
    long LiveBytes { get; }

    /// <summary>
    /// None while new work may be accepted. DISK_FULL when no spare segment can be made: the one in use is kept for the
    /// outcomes of what was accepted. JOURNAL_BEHIND when the disk does not keep up. Both end by themselves. Any
    /// thread.
    /// </summary>
    Fault Refusal { get; }

    /// <summary>
    /// Shows every record that has not been forgotten, oldest first, before the first append.
    /// </summary>
    /// <returns>JOURNAL_DAMAGED, with file and offset, when a record is not what was written.</returns>
    Fault Replay(JournalVisitor visit);

    /// <summary>
    /// Takes a record into memory; one appender at a time, beside one committer. Costs a copy.
    /// </summary>
    /// <param name="kind">Below <see cref="JournalLimits.KindsMax"/>.</param>
    /// <param name="body">At most <see cref="JournalOptions.BodyBytesMax"/> bytes.</param>
    /// <returns>Its sequence, to be compared with <see cref="JournalPosition"/>.</returns>
    ulong Append(ushort kind, ReadOnlySpan<byte> body);

    /// <summary>
    /// Writes everything appended so far, and, with <paramref name="sync"/>, flushes what has not been: one write and
    /// one flush however many records. The committing thread alone. When the disk is full to the last reserve it
    /// returns without progress; the next call tries again.
    /// Calling it with <paramref name="sync"/> once more after an idle moment makes durable the proof that the last
    /// flush happened, without which damage to the last records could look like an unfinished write.
    /// </summary>
    JournalPosition Commit(bool sync);

    /// <summary>
    /// One slice of housekeeping, a few milliseconds of disk: prepares the spare segment, lets forgotten ones go. The
    /// committing thread, after it has passed the positions on.
    /// </summary>
    /// <returns>Whether there is more to do soon.</returns>
    bool Maintain();

    /// <summary>
    /// Notes that records before this sequence are not needed any more; <see cref="Maintain"/> acts on it once the note
    /// itself is synced. Any thread.
    /// </summary>
    void ForgetBefore(ulong sequence);

    /// <summary>
    /// Writes and syncs all, with a mark that says so. Nothing may be appended afterwards. The committing thread, once
    /// nobody appends. Disposing without it is what a crash leaves.
    /// </summary>
    void Close();
}
