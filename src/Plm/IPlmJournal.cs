// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Plm;

/// <summary>
/// The durable record as the core needs it: it appends inside turns and is told later, by
/// <see cref="PlmCore.JournalReached"/>, how far the record has been written and synced. Nothing here waits for a disk.
/// </summary>
internal interface IPlmJournal
{
    /// <summary>Names the journal for ever; not 0. Tasks that it holds belong to it.</summary>
    ulong Lineage { get; }

    /// <summary>
    /// Not none: nothing new is taken in now, for want of space or because the disk does not keep up.
    /// </summary>
    Fault Refusal { get; }

    /// <summary>Sequence of the last record appended or found; 0 before the first.</summary>
    ulong LastSequence { get; }

    /// <summary>So much was appended since the last snapshot that a new one is worth its cost.</summary>
    bool WantsSnapshot { get; }

    /// <summary>Much was appended and not written yet: what can wait should.</summary>
    bool IsBehind { get; }

    /// <summary>
    /// So much waits to be written that what is not accepted yet stays where it is: the ends of tasks too, of those
    /// that it is told of.
    /// </summary>
    bool IsOverrun { get; }

    /// <summary>Appends a record and returns its sequence, above the last. Copies the body.</summary>
    ulong Append(ushort kind, ReadOnlySpan<byte> body);

    /// <summary>
    /// Hands out every record, oldest first, until the visitor has enough. Before the first append. A fault says what
    /// is damaged.
    /// </summary>
    Fault Replay(FactVisitor visit);

    /// <summary>Records before this one are not needed any more.</summary>
    void ForgetBefore(ulong sequence);
}
