// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using Muster.Core;

namespace Muster.Plm.Attempts;

/// <summary>
/// Encodes a muster.v1.AttemptInfo: what is remembered of an attempt that ended badly. Texts are cut to what fits into
/// <see cref="BytesMax"/> whatever they are. Written where protobuf's own types must not be; used again for each.
/// </summary>
internal sealed class AttemptNote
{
    /// <summary>More than the longest.</summary>
    public const int BytesMax = 1_024;

    private const int WorkerBytesMax = 64;
    private const int CodeBytesMax = 64;
    private const int TypeBytesMax = 128;
    private const int MessageBytesMax = 256;

    private readonly byte[] _bytes = new byte[BytesMax];
    private int _length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public void Begin(uint attempt)
    {
        _length = 0;
        Number(1, attempt);
    }

    public void Worker(ReadOnlySpan<byte> name) => Text(2, name, WorkerBytesMax);

    public void Outcome(byte outcome) => Number(3, outcome);

    public void Error(in ErrorFields error)
    {
        Text(4, error.Code, CodeBytesMax);
        Text(5, error.Message, MessageBytesMax);
        Text(6, error.Type, TypeBytesMax);
        Tail(7, error.OutputTail);
    }

    public void Error(FaultCode code, string message)
    {
        Text(4, Encoding.UTF8.GetBytes(FaultCodes.Name(code)), CodeBytesMax);
        Text(5, Encoding.UTF8.GetBytes(message), MessageBytesMax);
    }

    /// <summary>Moments, in microseconds after the submission; 0: unknown.</summary>
    public void Moments(float assignedUs, float startedUs, float finishedUs)
    {
        Number(8, Micros(assignedUs));
        Number(9, Micros(startedUs));
        Number(10, Micros(finishedUs));
    }

    public void RetryAfter(ulong ms) => Number(11, ms);

    /// <summary>The wait that the handler of an encoded attempt asked for.</summary>
    public static ulong RetryAfterOf(ReadOnlySpan<byte> note) => ErrorFields.NumberOf(note, 11);

    private static ulong Micros(float value) => value > 0 ? (ulong)value : 0;

    private void Number(int field, ulong value)
    {
        if (value != 0)
        {
            Varint(((uint)field << 3) | 0);
            Varint(value);
        }
    }

    private void Text(int field, ReadOnlySpan<byte> text, int bytesMax)
    {
        if (text.Length > bytesMax)
        {
            // Not inside a character.
            var end = bytesMax;
            while (end > 0 && (text[end] & 0xc0) == 0x80)
            {
                end--;
            }

            text = text[..end];
        }

        Bytes(field, text);
    }

    private void Tail(int field, ReadOnlySpan<byte> text)
    {
        var start = Math.Max(0, text.Length - TaskLimits.OutputTailBytesMax);
        while (start > 0 && start < text.Length && (text[start] & 0xc0) == 0x80)
        {
            start++;
        }

        Bytes(field, text[start..]);
    }

    private void Bytes(int field, ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty)
        {
            Varint(((uint)field << 3) | 2);
            Varint((uint)bytes.Length);
            bytes.CopyTo(_bytes.AsSpan(_length));
            _length += bytes.Length;
        }
    }

    private void Varint(ulong value)
    {
        while (value >= 0x80)
        {
            _bytes[_length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _bytes[_length++] = (byte)value;
    }
}
