// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm.Facts;

/// <summary>The kinds of records that the PLM puts into the journal. The values are on disk.</summary>
internal static class RecordKind
{
    /// <summary>The facts of one turn: for each <c>u8 kind, u32 bytes, the fact</c>. They count together or not at
    /// all.</summary>
    public const ushort Turn = 1;

    /// <summary>From here on the state is told again: records before this one are not needed once the snapshot is
    /// complete. No body.</summary>
    public const ushort SnapshotBegin = 2;

    /// <summary>The state was told whole. Body: <c>u64</c> sequence of its begin.</summary>
    public const ushort SnapshotEnd = 3;
}
