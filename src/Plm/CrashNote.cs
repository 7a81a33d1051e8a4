// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Muster.Core;

namespace Muster.Plm;

/// <summary>
/// What people are told of the workers that a task killed: a sentence for each, and all of them as the error of the
/// quarantined task, an encoded muster.v1.TaskError (code in field 1, message in field 2).
/// </summary>
internal static class CrashNote
{
    private const byte CodeTag = (1 << 3) | 2;
    private const byte MessageTag = (2 << 3) | 2;

    private static readonly byte[] s_code = Encoding.UTF8.GetBytes(FaultCodes.Name(FaultCode.TaskQuarantined));

    /// <summary>One death.</summary>
    public static string Of(string worker, string host, uint pid, long unixUs)
    {
        var when = DateTimeOffset.FromUnixTimeMilliseconds(unixUs / 1_000)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        return $"{worker} (process {pid} on {host}) at {when}";
    }

    /// <summary>All deaths as an encoded TaskError.</summary>
    public static byte[] ErrorOf(int crashes, IReadOnlyList<string>? notes)
    {
        var known = notes?.Count ?? 0;
        var text = new StringBuilder();
        var what = crashes == 1 ? "process" : "processes";
        text.Append(CultureInfo.InvariantCulture, $"{crashes} worker {what} died while ");
        text.Append("it ran: ");
        text.AppendJoin("; ", notes ?? []);
        if (known < crashes)
        {
            text.Append(known == 0 ? "" : "; ");
            text.Append(CultureInfo.InvariantCulture, $"{crashes - known} before the PLM was restarted");
        }

        text.Append(". How they ended is in their own logs. `muster retry` submits it anew");
        var message = Encoding.UTF8.GetBytes(text.ToString());
        return Encode(message.AsSpan(0, Math.Min(message.Length, TaskLimits.ErrorMessageBytesMax)));
    }

    /// <summary>Whether an encoded error is one of these.</summary>
    public static bool IsNote(ReadOnlySpan<byte> error) =>
        error.Length > 2 + s_code.Length
        && error[0] == CodeTag
        && error[1] == s_code.Length
        && error[2..].StartsWith(s_code);

    private static byte[] Encode(ReadOnlySpan<byte> message)
    {
        Span<byte> length = stackalloc byte[4];
        var lengthBytes = WriteVarint(length, (uint)message.Length);
        var error = new byte[2 + s_code.Length + 1 + lengthBytes + message.Length];
        error[0] = CodeTag;
        error[1] = (byte)s_code.Length;
        s_code.CopyTo(error.AsSpan(2));
        var at = 2 + s_code.Length;
        error[at++] = MessageTag;
        length[..lengthBytes].CopyTo(error.AsSpan(at));
        message.CopyTo(error.AsSpan(at + lengthBytes));
        return error;
    }

    // At most two bytes: messages are short.
    private static int WriteVarint(Span<byte> target, uint value)
    {
        Invariant.That(value < 1 << 14);
        if (value < 0x80)
        {
            target[0] = (byte)value;
            return 1;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)(0x80 | (value & 0x7f) | ((value >> 7) << 8)));
        return 2;
    }
}
