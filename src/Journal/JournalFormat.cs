// SPDX-License-Identifier: Apache-2.0
namespace Muster.Journal;

/// <summary>
/// Sizes, names and kinds of the format; docs/internals/journal.md describes it in full. Numbers are little endian.
/// </summary>
internal static class JournalFormat
{
    public const uint Version = 1;

    /// <summary>What a disk may lose, swap or bring back in one piece.</summary>
    public const int BlockBytes = 4096;

    /// <summary>
    /// Where the proof of the last flush is: in a block of its own, so that it survives what hits another.
    /// </summary>
    public const int ProofOffset = BlockBytes;

    /// <summary>Where the first record of a segment is: behind the header's block and the proof's block.</summary>
    public const int DataOffset = 2 * BlockBytes;

    public const int RecordHeaderBytes = 40;
    public const int RecordAlignment = 8;

    /// <summary>First record of each opening for writing; body: random number, Unix microseconds.</summary>
    public const ushort OpenedMark = 0xFF00;

    /// <summary>Written after a flush; its header says how far the flush reached. No body.</summary>
    public const ushort SyncedMark = 0xFF01;

    /// <summary>The writer stopped cleanly. No body.</summary>
    public const ushort ClosedMark = 0xFF02;

    /// <summary>Records before the sequence in the body are not needed any more.</summary>
    public const ushort ForgottenMark = 0xFF03;

    /// <summary>Bytes of a record on the disk.</summary>
    public static int RecordBytes(int bodyBytes) =>
        (RecordHeaderBytes + bodyBytes + RecordAlignment - 1) & ~(RecordAlignment - 1);

    /// <summary>What `muster journal` calls a mark.</summary>
    public static string MarkName(ushort kind) => kind switch
    {
        OpenedMark => "opened",
        SyncedMark => "synced",
        ClosedMark => "closed",
        ForgottenMark => "forgotten",
        _ => "unknown mark",
    };
}
