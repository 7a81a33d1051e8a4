// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;

namespace Muster.Shared.Histories;

/// <summary>
/// The task that all fault runs submit. Its payload is a number, how long to take, and filling; its result repeats the
/// number, answers it with a check word that only this payload has, and names the execution and attempt that made it,
/// so that a result of another task, of damaged bytes, or of a second attempt shows.
/// </summary>
internal static class TraceTask
{
    public const string Handler = "chaos.trace";
    public const int ResultBytes = 24;

    /// <summary>Of a payload, unless another size is asked for.</summary>
    public const int PayloadBytes = 100;

    private const int PayloadBytesMin = 20;

    /// <param name="key">The task's number.</param>
    /// <param name="waitMs">How long its execution takes; -1: the first fails.</param>
    /// <param name="bytes">Size of the payload, at least 20.</param>
    public static byte[] Payload(long key, int waitMs, int bytes = PayloadBytes)
    {
        var payload = new byte[Math.Max(bytes, PayloadBytesMin)];
        BinaryPrimitives.WriteInt64LittleEndian(payload, key);
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(8), waitMs);
        BinaryPrimitives.WriteUInt64LittleEndian(payload.AsSpan(12), Mix((ulong)key));
        return payload;
    }

    public static int WaitMs(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadInt32LittleEndian(payload[8..]);

    /// <summary>What a worker returns.</summary>
    public static byte[] Result(ReadOnlySpan<byte> payload, int execution, uint attempt)
    {
        var result = new byte[ResultBytes];
        payload[..8].CopyTo(result);
        var check = BinaryPrimitives.ReadUInt64LittleEndian(payload[12..]);
        BinaryPrimitives.WriteUInt64LittleEndian(result.AsSpan(8), Mix(check + (ulong)payload.Length));
        BinaryPrimitives.WriteInt32LittleEndian(result.AsSpan(16), execution);
        BinaryPrimitives.WriteUInt32LittleEndian(result.AsSpan(20), attempt);
        return result;
    }

    /// <summary>Whether these bytes are the result of this task and no other.</summary>
    public static bool IsRight(ReadOnlySpan<byte> result, long key, int bytes, uint attempt) =>
        result.Length == ResultBytes
        && BinaryPrimitives.ReadInt64LittleEndian(result) == key
        && BinaryPrimitives.ReadUInt64LittleEndian(result[8..])
            == Mix(Mix((ulong)key) + (ulong)Math.Max(bytes, PayloadBytesMin))
        && BinaryPrimitives.ReadUInt32LittleEndian(result[20..]) == attempt;

    public static int ExecutionOf(ReadOnlySpan<byte> result) =>
        result.Length == ResultBytes ? BinaryPrimitives.ReadInt32LittleEndian(result[16..]) : 0;

    public static uint AttemptOf(ReadOnlySpan<byte> result) =>
        result.Length == ResultBytes ? BinaryPrimitives.ReadUInt32LittleEndian(result[20..]) : 0;

    /// <summary>FNV-1a, 64 bits: enough to tell a changed result from the first one.</summary>
    public static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = 14695981039346656037UL;
        foreach (var item in bytes)
        {
            hash = (hash ^ item) * 1099511628211UL;
        }

        return hash;
    }

    // The finaliser of splitmix64: neighbouring numbers get words that have nothing in common.
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15UL;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
