// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Muster.Core;

namespace Muster.Client.Sessions;

/// <summary>
/// The TaskOptions message of a handler and <see cref="SubmitOptions"/>, encoded once. Tasks that share one object go
/// into one batch.
/// </summary>
internal sealed class EncodedTaskOptions
{
    private EncodedTaskOptions(string handler, SubmitOptions options, byte[] bytes)
    {
        Handler = handler;
        Options = options;
        Bytes = bytes;
    }

    public string Handler { get; }

    public SubmitOptions Options { get; }

    public byte[] Bytes { get; }

    /// <summary>Checks every limit that the contract names, so that a mistake shows where it was made.</summary>
    public static EncodedTaskOptions Create(string handler, SubmitOptions options) =>
        new(handler, options, ToMessage(handler, options).ToByteArray());

    public static V1.TaskOptions ToMessage(string handler, SubmitOptions options)
    {
        if (TaskTypeName.Problem(handler) is { } problem)
        {
            throw Refusal(FaultCode.HandlerNameInvalid, problem);
        }

        if (options.Priority is < 0 or > TaskLimits.PriorityMax)
        {
            throw Refusal(
                FaultCode.PriorityOutOfRange,
                Text($"priority {options.Priority} is not between 0 (last) and {TaskLimits.PriorityMax} (first)"));
        }

        if (options.AttemptsMax is < 1 or > TaskLimits.AttemptsMaxMax)
        {
            throw Refusal(
                FaultCode.InvalidArgument,
                Text($"attempts_max {options.AttemptsMax} is not between 1 and {TaskLimits.AttemptsMaxMax}"));
        }

        if (options.Durability is < Durability.CellDefault or > Durability.Durable)
        {
            throw Refusal(FaultCode.InvalidArgument, Text($"durability {(int)options.Durability} is no level"));
        }

        if (options.RetryFactor is not (>= 1 and <= 10) || options.RetryJitter is not (>= 0 and <= 1))
        {
            throw Refusal(
                FaultCode.InvalidArgument,
                Text($"retry factor {options.RetryFactor} is not 1 to 10, or jitter {options.RetryJitter} not 0 to 1"));
        }

        var message = new V1.TaskOptions
        {
            Handler = handler,
            Priority = options.Priority,
            AttemptsMax = (uint)options.AttemptsMax,
            TimeoutMs = Milliseconds("timeout", options.Timeout, TaskLimits.DurationMsMax),
            ExpiresAfterMs = Milliseconds("expires_after", options.ExpiresAfter, TaskLimits.DurationMsMax),
            Durability = (V1.Durability)options.Durability,
            RetentionMs = Milliseconds("retention", options.Retention, TaskLimits.DurationMsMax),
            KeyRetentionMs = Milliseconds("key_retention", options.KeyRetention, TaskLimits.DurationMsMax),
            RetryDelayMs = Milliseconds("retry_delay", options.RetryDelay, TaskLimits.RetryDelayMsMax),
            RetryDelayMaxMs = Milliseconds("retry_delay_max", options.RetryDelayMax, TaskLimits.RetryDelayMsMax),
            RetryFactorPercent = PercentOf(options.RetryFactor, TaskLimits.RetryFactorPercentDefault),
            RetryJitterPercent = PercentOf(options.RetryJitter, 0),
            RetryBudgetMs = Milliseconds("retry_budget", options.RetryBudget, TaskLimits.DurationMsMax),
            ProgressTimeoutMs = Milliseconds("progress_timeout", options.ProgressTimeout, TaskLimits.DurationMsMax),
            TotalTimeoutMs = Milliseconds("total_timeout", options.TotalTimeout, TaskLimits.DurationMsMax),
            CancelGraceMs = Milliseconds("cancel_grace", options.CancelGrace, TaskLimits.CancelGraceMsMax),
        };
        AddFinalErrors(message, options);
        return message;
    }

    // 0 on the wire for what is the default there.
    private static uint PercentOf(double value, uint byDefault)
    {
        var percent = (uint)Math.Round(value * 100);
        return percent == byDefault ? 0 : percent;
    }

    private static void AddFinalErrors(V1.TaskOptions message, SubmitOptions options)
    {
        var bytes = 0;
        foreach (var name in options.FinalErrors)
        {
            bytes += Encoding.UTF8.GetByteCount(name) + 1;
            var isName = name.Length > 0 && !name.AsSpan().ContainsAnyInRange('\0', ' ');
            if (!isName || bytes > TaskLimits.FinalErrorsBytesMax)
            {
                throw Refusal(
                    FaultCode.InvalidArgument,
                    Text($"the final error '{name}' is no name, or all of them have more than ")
                    + Text($"{TaskLimits.FinalErrorsBytesMax} bytes"));
            }

            message.FinalErrors.Add(name);
        }
    }

    private static ulong Milliseconds(string name, TimeSpan? span, long max)
    {
        if (span is not { } value)
        {
            return 0;
        }

        var milliseconds = (long)Math.Ceiling(value.TotalMilliseconds);
        if (milliseconds <= 0 || milliseconds > max)
        {
            throw Refusal(
                FaultCode.InvalidArgument,
                Text($"{name} {value} is not above zero and at most {TimeSpan.FromMilliseconds(max)}"));
        }

        return (ulong)milliseconds;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static MusterException Refusal(FaultCode code, string message) => new(FaultCodes.Name(code), message);
}
