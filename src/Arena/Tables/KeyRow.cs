// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Tables;

/// <summary>
/// One idempotency key, 64 bytes in the arena; all words are the PLM's. A row counts while <see cref="State"/> says
/// used, which is written last when it is taken and first when it is let go.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal struct KeyRow
{
    public const int SizeBytes = 64;

    public const uint StateFree = 0;
    public const uint StateUsed = 1;

    /// <summary>128 bits of a hash of namespace and key.</summary>
    [FieldOffset(0)] public ulong HashHigh;
    [FieldOffset(8)] public ulong HashLow;

    /// <summary>64 bits of a hash of the task's handler and payload.</summary>
    [FieldOffset(16)] public ulong Fingerprint;

    /// <summary>The task that the key names; it may be gone by now.</summary>
    [FieldOffset(24)] public ulong TaskId;

    /// <summary>Wall clock ms since 1970 from which the key means nothing; 0 while the task has not ended.</summary>
    [FieldOffset(32)] public ulong ExpiresUnixMs;

    /// <summary>How long the key is remembered after the task's end.</summary>
    [FieldOffset(40)] public uint RetentionMs;

    /// <summary>Durability of the task, as on the wire.</summary>
    [FieldOffset(44)] public uint Durability;

    [FieldOffset(48)] public uint State;
}
