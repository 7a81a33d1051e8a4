// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Journal;

/// <summary>How a journal behaves. Sizes are bytes.</summary>
internal sealed record JournalOptions
{
    /// <summary>
    /// Size of each new segment file, 16 KiB to 1 GiB, a multiple of 4,096; 64 MiB unless said otherwise. The largest
    /// body is bounded by it: <see cref="BodyBytesMax"/>.
    /// </summary>
    public long SegmentBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Bytes appended and not yet written from which on <see cref="IJournal.Refusal"/> speaks; 16 MiB unless said
    /// otherwise.
    /// </summary>
    public int PendingBytesMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>
    /// How long after its last record a segment is kept that nobody needs any more; zero (the default) lets it go at
    /// once. Such segments give way when the disk is full.
    /// </summary>
    public TimeSpan RetainAge { get; init; } = TimeSpan.Zero;

    /// <summary>Most bytes of segments kept by <see cref="RetainAge"/>; 1 GiB unless said otherwise.</summary>
    public long RetainBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>
    /// For the thread that commits: the longest that a record of level relaxed waits for a flush, 10 ms unless said
    /// otherwise. The journal itself has no clock.
    /// </summary>
    public int FlushIntervalMs { get; init; } = 10;

    /// <summary>
    /// Whether spare segments are written full of zeros before use, which makes later flushes cheaper (no extents to
    /// convert). On by default; simulations switch it off.
    /// </summary>
    public bool WritesSparesAhead { get; init; } = true;

    /// <summary>
    /// Most bytes of a spare that are written between two commits; 8 MiB unless said otherwise. With less than what is
    /// appended meanwhile the spare is late, and is made at once or from a segment that nobody needs.
    /// </summary>
    public long SliceBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>Microseconds since 1970, for people and for <see cref="RetainAge"/>.</summary>
    public required Func<long> UnixUs { get; init; }

    /// <summary>Unpredictable numbers, for the lineage of a new journal and the mark of each opening.</summary>
    public required Func<ulong> NextRandom { get; init; }

    /// <summary>The largest body that fits.</summary>
    public int BodyBytesMax => (int)Math.Min(
        JournalLimits.BodyBytesMax, SegmentBytes - JournalFormat.DataOffset - JournalFormat.RecordHeaderBytes);

    /// <summary>Throws when an option, or the options together, make no sense.</summary>
    public void Validate()
    {
        if (SegmentBytes is < JournalLimits.SegmentBytesMin or > JournalLimits.SegmentBytesMax
            || SegmentBytes % JournalFormat.BlockBytes != 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(SegmentBytes), SegmentBytes, "a segment has 16 KiB to 1 GiB, a multiple of 4 KiB");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(PendingBytesMax, 4096);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(PendingBytesMax, 256 * 1024 * 1024);
        ArgumentOutOfRangeException.ThrowIfLessThan(RetainAge, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegative(RetainBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(FlushIntervalMs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(SliceBytesMax, JournalFormat.BlockBytes);
        Invariant.That(BodyBytesMax > 0);
    }
}
