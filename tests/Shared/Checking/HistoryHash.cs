// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Numerics;

namespace Muster.Checking;

/// <summary>The hash of a history's values: the same bytes give the same number in every process and release.</summary>
internal static class HistoryHash
{
    private const ulong Start = 0x9ae16a3b2f90404f;
    private const ulong Factor = 0x9e3779b97f4a7c15;

    public static ulong Of(ReadOnlySpan<byte> bytes) => Add(Start, bytes);

    /// <summary>The result of a task: how it ended, what it says and what it returned.</summary>
    public static ulong OfResult(byte outcome, ReadOnlySpan<byte> errorMessage, ReadOnlySpan<byte> output) =>
        Add(Add(Mix(Start, outcome), errorMessage), output);

    private static ulong Add(ulong hash, ReadOnlySpan<byte> bytes)
    {
        hash = Mix(hash, (ulong)bytes.Length);
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }

        var rest = 0UL;
        for (var at = 0; at < bytes.Length; at++)
        {
            rest |= (ulong)bytes[at] << (8 * at);
        }

        return Mix(hash, rest);
    }

    private static ulong Mix(ulong hash, ulong value)
    {
        hash = BitOperations.RotateLeft(hash ^ value, 29) * Factor;
        return hash ^ (hash >> 32);
    }
}
