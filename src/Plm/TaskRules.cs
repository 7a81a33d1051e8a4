// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Core;

namespace Muster.Plm;

/// <summary>
/// Checks the options of a batch and fills in the defaults. Every refusal has a stable code and says what to do; only
/// options that pass every check leave a trace in the arena (the handler's name and the class).
/// </summary>
internal static class TaskRules
{
    /// <param name="arena">Interns the handler and the class.</param>
    /// <param name="options">As they came.</param>
    /// <param name="spec">Checked and complete.</param>
    /// <param name="durability">What a batch gets that names no level.</param>
    public static Fault TryMake(
        ArenaMap arena, in TaskOptionsView options, out TaskSpec spec, byte durability = DurabilityLevel.Memory)
    {
        spec = default;
        var fault = Check(options);
        if (!fault.IsNone)
        {
            return fault;
        }

        if (!arena.Handlers.TryIntern(options.HandlerUtf8, out var handler))
        {
            return new(
                FaultCode.TooManyHandlers,
                $"the cell knows {arena.Handlers.Count} handler names, which is its limit; submit to a handler that "
                + "exists, or put what varies into the payload");
        }

        var priority = (byte)(options.HasPriority ? options.Priority : TaskLimits.PriorityDefault);
        if (!arena.Ready.TryIntern(new TaskClass(priority, handler), out var id))
        {
            return new(FaultCode.TooManyHandlers, "the cell's task classes (handler and priority) are used up; "
                + "use fewer different priorities or handlers");
        }

        spec = new TaskSpec
        {
            Class = id,
            Handler = handler,
            Priority = priority,
            AttemptsMax = (byte)(options.AttemptsMax == 0 ? TaskLimits.AttemptsMaxDefault : options.AttemptsMax),
            TimeoutMs = (uint)options.TimeoutMs,
            ExpiresAfterMs = (uint)options.ExpiresAfterMs,
            RetentionMs = options.RetentionMs == 0 ? TaskLimits.RetentionMsDefault : (uint)options.RetentionMs,
            RetryDelayMs = (uint)options.RetryDelayMs,
            KeyRetentionMs = (uint)options.KeyRetentionMs,
            Durability = options.Durability == 0 ? durability : (byte)options.Durability,
        };
        return Fault.None;
    }

    /// <summary>Refuses a payload that no arena of this size could ever hold.</summary>
    public static Fault CheckPayload(int bytes, long regionBytes)
    {
        var bytesMax = Math.Min(TaskLimits.PayloadBytesMax, regionBytes);
        return bytes <= bytesMax
            ? Fault.None
            : new(FaultCode.PayloadTooLarge, $"the payload has {bytes} bytes and the limit is {bytesMax}; "
                + "store the data elsewhere and submit a reference to it");
    }

    /// <summary>Refuses an idempotency key that is too long.</summary>
    public static Fault CheckKey(int bytes) => bytes <= TaskLimits.KeyBytesMax
        ? Fault.None
        : new(FaultCode.InvalidArgument, $"item.idempotency_key has {bytes} bytes; use at most "
            + $"{TaskLimits.KeyBytesMax}, or a hash of it");

    private static Fault Check(in TaskOptionsView options)
    {
        if (!HandlerName.IsValid(options.HandlerUtf8))
        {
            return new(FaultCode.HandlerNameInvalid, options.HandlerUtf8.IsEmpty
                ? "options.handler is empty; name the handler that runs the task"
                : $"options.handler has {options.HandlerUtf8.Length} bytes or characters that do not print; "
                    + $"use 1 to {TaskLimits.HandlerNameBytesMax} printable characters without white space");
        }

        if (options.HasPriority && options.Priority is < 0 or > TaskLimits.PriorityMax)
        {
            return new(FaultCode.PriorityOutOfRange,
                $"options.priority is {options.Priority}; use 0 (last) to {TaskLimits.PriorityMax} (first)");
        }

        if (options.AttemptsMax > TaskLimits.AttemptsMaxMax)
        {
            return new(FaultCode.InvalidArgument,
                $"options.attempts_max is {options.AttemptsMax}; use 1 to {TaskLimits.AttemptsMaxMax}, or 0");
        }

        const long LongMs = TaskLimits.DurationMsMax;
        var fault = CheckDuration("timeout_ms", options.TimeoutMs, LongMs);
        fault = fault.IsNone ? CheckDuration("expires_after_ms", options.ExpiresAfterMs, LongMs) : fault;
        fault = fault.IsNone ? CheckDuration("retention_ms", options.RetentionMs, LongMs) : fault;
        fault = fault.IsNone ? CheckDuration("key_retention_ms", options.KeyRetentionMs, LongMs) : fault;
        fault = fault.IsNone
            ? CheckDuration("retry_delay_ms", options.RetryDelayMs, TaskLimits.RetryDelayMsMax)
            : fault;
        return fault.IsNone ? CheckFeatures(options) : fault;
    }

    private static Fault CheckDuration(string field, ulong value, long max) =>
        value <= (ulong)max
            ? Fault.None
            : new(FaultCode.InvalidArgument, $"options.{field} is {value}; use at most {max}");

    private static Fault CheckFeatures(in TaskOptionsView options)
    {
        if (!options.QueueUtf8.IsEmpty && !options.QueueUtf8.SequenceEqual("default"u8))
        {
            return Unsupported("options.queue", "leave it empty or use \"default\"");
        }

        if (options.HasOtherResources)
        {
            return Unsupported("options.resources", "leave it empty: a task takes one slot");
        }

        // 0 leaves the choice to the cell.
        return options.Durability is >= DurabilityLevel.Unspecified and <= DurabilityLevel.Durable
            ? Fault.None
            : options.Durability == DurabilityLevel.Replicated
                ? Unsupported("options.durability", "use DURABILITY_DURABLE or leave it unspecified")
                : new(FaultCode.InvalidArgument, $"options.durability is {options.Durability}, which is no level");
    }

    private static Fault Unsupported(string field, string advice) =>
        new(FaultCode.FeatureUnsupported, $"{field} is not supported yet; {advice}");
}
