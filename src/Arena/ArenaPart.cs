// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena;

/// <summary>Where one part of the arena lies.</summary>
/// <param name="Offset">From the arena's first byte.</param>
/// <param name="Bytes">Length, alignment of the next part not counted.</param>
internal readonly record struct ArenaPart(long Offset, long Bytes)
{
    /// <summary>One past the last byte.</summary>
    public long End => Offset + Bytes;
}
