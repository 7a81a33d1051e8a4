// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using Muster.Core;

namespace Muster.Worker.Attempts;

/// <summary>Why an attempt failed, in the words of muster.v1.TaskError, each text cut to its limit.</summary>
internal sealed class AttemptFailure
{
    private const int TypeBytesMax = 512;
    private const string Ellipsis = "...";

    public AttemptFailure(FaultCode code, string message, string type = "", string stack = "")
    {
        Code = FaultCodes.Name(code);
        Message = Cut(message, TaskLimits.ErrorMessageBytesMax);
        Type = Cut(type, TypeBytesMax);
        Stack = Cut(stack, TaskLimits.StackBytesMax);
    }

    public string Code { get; }

    public string Message { get; }

    public string Type { get; }

    public string Stack { get; }

    /// <summary>The last that a command wrote.</summary>
    public string OutputTail { get; init; } = "";

    /// <summary>The next attempt shall not begin sooner, in milliseconds; 0: the submission's back-off holds.</summary>
    public ulong RetryAfterMs { get; init; }

    /// <summary>No other attempt shall be made.</summary>
    public bool IsFinal { get; init; }

    /// <summary>What it keeps in memory, about.</summary>
    public long Bytes => sizeof(char) * (long)(Message.Length + Type.Length + Stack.Length + OutputTail.Length);

    public static AttemptFailure From(Fault fault) => new(fault.Code, fault.Message);

    /// <summary>
    /// From what a handler threw. Message and stack of an exception are user code too, and may throw.
    /// </summary>
    public static AttemptFailure From(Exception exception)
    {
        var type = exception.GetType().FullName ?? exception.GetType().Name;
        try
        {
            // With inner exceptions only the whole text tells what happened first.
            var stack = exception.InnerException is null ? exception.StackTrace : exception.ToString();
            return new(FaultCode.HandlerFailed, exception.Message, type, stack ?? "")
            {
                RetryAfterMs = RetryAfterMsOf(exception),
                IsFinal = exception is FinalFailureException,
            };
        }
        catch (Exception second)
        {
            return new(
                FaultCode.HandlerFailed, $"an exception whose own text threw {second.GetType().FullName}", type);
        }
    }

    /// <summary>The last bytes of what a command wrote, as text, from the beginning of a character on.</summary>
    public static string Tail(ReadOnlySpan<byte> output)
    {
        var start = Math.Max(0, output.Length - TaskLimits.OutputTailBytesMax);
        while (start > 0 && start < output.Length && (output[start] & 0xc0) == 0x80)
        {
            start++;
        }

        return Encoding.UTF8.GetString(output[start..]);
    }

    private static ulong RetryAfterMsOf(Exception exception) =>
        exception is RetryAfterException { RetryAfter: var wait }
        ? (ulong)Math.Clamp(Math.Ceiling(wait.TotalMilliseconds), 1, TaskLimits.RetryAfterMsMax)
        : 0;

    /// <summary>The longest beginning of a text within a number of UTF-8 bytes.</summary>
    public static string Cut(string text, int bytesMax)
    {
        if (text.Length * 3L <= bytesMax || Encoding.UTF8.GetByteCount(text) <= bytesMax)
        {
            return text;
        }

        var bytes = 0;
        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > bytesMax - Ellipsis.Length)
            {
                break;
            }

            length += rune.Utf16SequenceLength;
        }

        return string.Concat(text.AsSpan(0, length), Ellipsis);
    }
}
