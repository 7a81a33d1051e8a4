// SPDX-License-Identifier: Apache-2.0
namespace Muster.Journal;

/// <summary>Where a scan ended.</summary>
internal readonly record struct JournalTail
{
    /// <summary>Index of the segment in the layout.</summary>
    public int Segment { get; init; }

    /// <summary>Where in its file the next record goes, or the first that is not whole is.</summary>
    public long Offset { get; init; }

    /// <summary>The last whole record.</summary>
    public ChainLink Last { get; init; }

    /// <summary>How far flushes are known to have reached.</summary>
    public ulong Synced { get; init; }

    /// <summary>The first offset in the last segment that holds a record not known to be flushed.</summary>
    public long UnsyncedOffset { get; init; }

    /// <summary>The highest sequence that the journal says is not needed any more; 0 for none said.</summary>
    public ulong LiveFrom { get; init; }

    /// <summary>Whether the last record is the mark of a clean stop.</summary>
    public bool IsClosed { get; init; }

    /// <summary>Where whatever an unfinished write left ends; <see cref="Offset"/> when there is nothing.</summary>
    public long RemainsEnd { get; init; }

    /// <summary>Whole records behind the first that is not.</summary>
    public long RemainsCount { get; init; }

    /// <summary>Whether the end of the journal is an unfinished write.</summary>
    public bool IsTorn => RemainsEnd > Offset;
}
