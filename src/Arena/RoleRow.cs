// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena;

/// <summary>
/// Who holds a role, 512 bytes in the arena. Written by the role's holder alone, which the lock file makes the only
/// one. A sequence lock: odd while being written; a reader that meets an odd or a changed number looks again.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = ArenaLayout.RoleRowBytes)]
internal unsafe struct RoleRow
{
    public const int AddressBytesMax = 240;

    [FieldOffset(0)] public uint Sequence;

    /// <summary>1 while the lease lasts; a holder that died leaves 1.</summary>
    [FieldOffset(4)] public uint Held;
    [FieldOffset(8)] public uint Pid;
    [FieldOffset(12)] public uint Epoch;
    [FieldOffset(16)] public ulong PidStart;
    [FieldOffset(24)] public long SinceUnixUs;
    [FieldOffset(32)] public uint AddressBytes;
    [FieldOffset(64)] public fixed byte Addresses[AddressBytesMax];
}
