// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Tables;

/// <summary>
/// One client session, 128 bytes in the arena; all words are the PLM's. A row with ClientId 0 is free.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal unsafe struct ClientRow
{
    public const int SizeBytes = 128;
    public const int NameBytes = 64;

    [FieldOffset(0)] public ulong ClientId;

    /// <summary>The highest ref decided, accepted or refused. Written after the batch's last slot.</summary>
    [FieldOffset(8)] public ulong DecidedRef;

    /// <summary>Wall clock ms since 1970 at which it was last connected; 0 while connected.</summary>
    [FieldOffset(16)] public ulong LeftUnixMs;
    [FieldOffset(24)] public uint Outstanding;

    /// <summary>Sessions that the row has held so far: what waits on disk names its session by row and this.</summary>
    [FieldOffset(28)] public uint Sessions;

    /// <summary>Number of the identity whose session it is; 0: the cell's own user. Written before ClientId.</summary>
    [FieldOffset(32)] public ushort Owner;
    [FieldOffset(64)] public fixed byte Name[NameBytes];
}
