// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Text;
using Muster.Checking;
using Muster.Simulation.Kernel;
using Muster.Transport.Wire;

namespace Muster.Simulation.Actors;

/// <summary>
/// What payloads and outputs hold, so that whoever meets one knows whose it is and whether it is whole.
/// </summary>
internal static class TaskBytes
{
    public const int HeaderBytes = 20;

    public static byte[] MakePayload(ulong key, TaskKind kind, int failures, uint runsUs, int outputBytes, int filler)
    {
        var payload = new byte[HeaderBytes + filler];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, key);
        payload[8] = (byte)kind;
        payload[9] = (byte)failures;
        BinaryPrimitives.WriteUInt16LittleEndian(payload.AsSpan(10), (ushort)outputBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(payload.AsSpan(12), runsUs);
        Fill(payload.AsSpan(HeaderBytes - 4), key);
        return payload;
    }

    public static ulong KeyOf(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadUInt64LittleEndian(payload);

    public static TaskKind KindOf(ReadOnlySpan<byte> payload) => (TaskKind)payload[8];

    public static int FailuresOf(ReadOnlySpan<byte> payload) => payload[9];

    public static int OutputBytesOf(ReadOnlySpan<byte> payload) =>
        BinaryPrimitives.ReadUInt16LittleEndian(payload[10..]);

    public static uint RunsUsOf(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadUInt32LittleEndian(payload[12..]);

    /// <summary>Names the task and the attempt, and differs with each run.</summary>
    public static byte[] MakeOutput(ulong key, uint attempt, int bytes, SimRandom random)
    {
        var output = new byte[HeaderBytes + bytes];
        BinaryPrimitives.WriteUInt64LittleEndian(output, key);
        BinaryPrimitives.WriteUInt32LittleEndian(output.AsSpan(8), attempt);
        Fill(output.AsSpan(12), random.Next64());
        return output;
    }

    /// <summary>The text of an encoded TaskError; empty without one.</summary>
    public static ReadOnlySpan<byte> ErrorMessage(ReadOnlySpan<byte> error)
    {
        ReadOnlySpan<byte> message = default;
        var reader = new ProtoReader(error);
        while (reader.NextField())
        {
            if (reader.Field == 2)
            {
                message = reader.ReadBytes();
            }
            else
            {
                reader.Skip();
            }
        }

        return message;
    }

    public static ulong HashResult(Outcome outcome, ReadOnlySpan<byte> output, ReadOnlySpan<byte> message) =>
        HistoryHash.OfResult((byte)outcome, message, output);

    public static ulong HashResult(Outcome outcome, ReadOnlySpan<byte> output, string message) =>
        HashResult(outcome, output, Encoding.UTF8.GetBytes(message));

    private static void Fill(Span<byte> bytes, ulong seed)
    {
        for (var at = 0; at < bytes.Length; at++)
        {
            seed = (seed * 6364136223846793005) + 1442695040888963407;
            bytes[at] = (byte)(seed >> 56);
        }
    }
}
