// SPDX-License-Identifier: Apache-2.0
namespace Muster.Journal;

/// <summary>Sizes and offsets of the format; docs/internals/journal.md describes it in full.</summary>
internal static class JournalFormat
{
    public const uint Version = 1;

    /// <summary>What a disk may lose, swap or bring back in one piece.</summary>
    public const int BlockBytes = 4096;

    /// <summary>Where the first record of a segment is: behind the header's block and the proof's block.</summary>
    public const int DataOffset = 2 * BlockBytes;

    public const int RecordHeaderBytes = 40;
}
