// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Tables;

/// <summary>What one running attempt said last, 256 bytes in the arena. The Register alone writes it.</summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal unsafe struct ProgressRow
{
    public const int SizeBytes = 256;
    public const int DetailsBytes = 200;

    /// <summary>Odd while the row is being written; changed by each writing.</summary>
    [FieldOffset(0)] public uint Version;
    [FieldOffset(4)] public uint Attempt;

    /// <summary>0: the row was never used.</summary>
    [FieldOffset(8)] public ulong TaskId;

    /// <summary>When it was said, microseconds since 1970.</summary>
    [FieldOffset(16)] public long UnixUs;

    /// <summary>Bytes of the text.</summary>
    [FieldOffset(24)] public uint Length;

    /// <summary>UTF-8.</summary>
    [FieldOffset(32)] public fixed byte Details[DetailsBytes];
}
