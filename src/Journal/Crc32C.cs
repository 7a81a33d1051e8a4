// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Numerics;

namespace Muster.Journal;

/// <summary>CRC-32C (Castagnoli), by the processor's instruction where there is one. Pure; any thread.</summary>
internal static class Crc32C
{
    /// <summary>The check of <paramref name="bytes"/> after <paramref name="seed"/>; 0 is the usual start.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes, uint seed = 0)
    {
        var crc = ~seed;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}
