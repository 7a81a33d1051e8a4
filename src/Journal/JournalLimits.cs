// SPDX-License-Identifier: Apache-2.0
namespace Muster.Journal;

/// <summary>What bounds a journal.</summary>
internal static class JournalLimits
{
    /// <summary>
    /// Twice the largest message that a cell accepts, so that whatever comes in one message fits into one record.
    /// </summary>
    public const int BodyBytesMax = 8 * 1024 * 1024;

    /// <summary>Kinds from here on are the journal's own marks, which no visitor sees.</summary>
    public const ushort KindsMax = 0xFF00;

    /// <summary>Small segments are for tests; a segment must hold at least a few records.</summary>
    public const int SegmentBytesMin = 16 * 1024;

    public const int SegmentBytesMax = 1024 * 1024 * 1024;

    /// <summary>
    /// How many times <see cref="JournalOptions.PendingBytesMax"/> may be in memory before appending fails. Above one,
    /// because outcomes of what was accepted must still be recorded when new work is already refused.
    /// </summary>
    public const int PendingTimesMax = 4;
}
