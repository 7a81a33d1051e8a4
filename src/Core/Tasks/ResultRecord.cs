// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;

namespace Muster.Core.Tasks;

/// <summary>
/// The bytes of a result block: <c>u8 version, u32 length of the error, the error, the output</c>, numbers in little
/// endian. The error is an encoded muster.v1.TaskError; what follows it to the end of the block is the output. A result
/// with neither takes no block at all: its record has no bytes. The Register writes records, the PLM reads them.
/// </summary>
internal static class ResultRecord
{
    public const byte Version = 1;
    public const int HeaderBytes = 5;

    /// <summary>Bytes that a record of these parts takes.</summary>
    public static int Size(int errorBytes, int outputBytes)
    {
        Invariant.That(errorBytes >= 0 && outputBytes >= 0);
        return errorBytes == 0 && outputBytes == 0 ? 0 : checked(HeaderBytes + errorBytes + outputBytes);
    }

    /// <summary>Writes a record into a block of exactly <see cref="Size"/> bytes.</summary>
    public static void Write(Span<byte> block, ReadOnlySpan<byte> error, ReadOnlySpan<byte> output)
    {
        Invariant.That(block.Length == Size(error.Length, output.Length));
        if (block.IsEmpty)
        {
            return;
        }

        block[0] = Version;
        BinaryPrimitives.WriteUInt32LittleEndian(block[1..], (uint)error.Length);
        error.CopyTo(block[HeaderBytes..]);
        output.CopyTo(block[(HeaderBytes + error.Length)..]);
    }

    /// <summary>
    /// Splits a record into its parts, which stay inside <paramref name="block"/>. False when the bytes are no record:
    /// then the arena is damaged, or the block was given to another since.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> block, out ReadOnlySpan<byte> error, out ReadOnlySpan<byte> output)
    {
        error = default;
        output = default;
        if (block.IsEmpty)
        {
            return true;
        }

        if (block.Length < HeaderBytes || block[0] != Version)
        {
            return false;
        }

        var errorBytes = BinaryPrimitives.ReadUInt32LittleEndian(block[1..]);
        if (errorBytes > (uint)(block.Length - HeaderBytes))
        {
            return false;
        }

        error = block.Slice(HeaderBytes, (int)errorBytes);
        output = block[(HeaderBytes + (int)errorBytes)..];
        return true;
    }
}
