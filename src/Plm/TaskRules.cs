// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Tables;
using Muster.Core;

namespace Muster.Plm;

/// <summary>
/// Checks the options of a batch and fills in the defaults. Every refusal has a stable code and says what to do; only
/// options that pass every check leave a trace in the arena (the handler's name, the class and the profile). Used
/// inside the PLM's turns only.
/// </summary>
internal static class TaskRules
{
    /// <param name="arena">Interns the handler, the class and the profile.</param>
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

        var profile = ProfileOf(options, durability);
        fault = TryIntern(arena, options.HandlerUtf8, ref profile);
        if (!fault.IsNone)
        {
            return fault;
        }

        if (!arena.Profiles.TryIntern(profile, ProfileTable.SubmittedMax, out var index))
        {
            return new(
                FaultCode.TooManyProfiles,
                $"the tasks that the cell holds have {arena.Profiles.Count} different sets of options, which is its "
                + "limit; put what varies from task to task into the payload, or wait until some have ended",
                PlmLimits.KeysFullRetryMs);
        }

        spec = TaskSpec.Of(index, profile);
        return Fault.None;
    }

    /// <summary>The class of tasks that have this profile, while none of their workers died.</summary>
    public static TaskClass ClassOf(in ProfileRow profile) => new(profile.Priority, profile.Handler);

    /// <summary>Fills in the indexes that stand for names in this arena.</summary>
    public static Fault TryIntern(ArenaMap arena, ReadOnlySpan<byte> handlerUtf8, ref ProfileRow profile)
    {
        if (!arena.Handlers.TryIntern(handlerUtf8, out var handler))
        {
            return new(
                FaultCode.TooManyHandlers,
                $"the cell knows {arena.Handlers.Count} handler names, which is its limit; submit to a handler that "
                + "exists, or put what varies into the payload");
        }

        profile.Handler = handler;
        if (!arena.Ready.TryIntern(ClassOf(profile), out var id))
        {
            return new(FaultCode.TooManyHandlers, "the cell's task classes (handler and priority) are used up; "
                + "use fewer different priorities or handlers");
        }

        profile.Class = id;
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

    // Without the indexes. Everything was checked.
    private static ProfileRow ProfileOf(in TaskOptionsView options, byte durability)
    {
        var delayMs = (uint)options.RetryDelayMs;
        var profile = new ProfileRow
        {
            Priority = (byte)(options.HasPriority ? options.Priority : TaskLimits.PriorityDefault),
            Durability = options.Durability == 0 ? durability : (byte)options.Durability,
            AttemptsMax = (byte)(options.AttemptsMax == 0 ? TaskLimits.AttemptsMaxDefault : options.AttemptsMax),
            RetryDelayMs = delayMs,
            TimeoutMs = (uint)options.TimeoutMs,
            ExpiresAfterMs = (uint)options.ExpiresAfterMs,
            ProgressTimeoutMs = (uint)options.Rare.ProgressTimeoutMs,
            TotalTimeoutMs = (uint)options.Rare.TotalTimeoutMs,
            RetentionMs = options.RetentionMs == 0 ? TaskLimits.RetentionMsDefault : (uint)options.RetentionMs,
            KeyRetentionMs = (uint)options.KeyRetentionMs,
            RetryBudgetMs = (uint)options.Rare.RetryBudgetMs,
            RetryJitterPercent = (byte)options.Rare.RetryJitterPercent,
            RetryFactorPercent = (ushort)(options.Rare.RetryFactorPercent == 0
                ? TaskLimits.RetryFactorPercentDefault
                : options.Rare.RetryFactorPercent),
            RetryDelayMaxMs = options.Rare.RetryDelayMaxMs == 0
                ? Math.Max(delayMs, TaskLimits.RetryDelayMaxMsDefault)
                : (uint)options.Rare.RetryDelayMaxMs,
            CancelGraceMs = options.Rare.CancelGraceMs == 0
                ? TaskLimits.CancelGraceMsDefault
                : (uint)options.Rare.CancelGraceMs,
        };
        profile.SetFinalErrors(options.Rare.FinalErrors.Lines);
        return profile;
    }

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
        fault = fault.IsNone ? CheckDuration("progress_timeout_ms", options.Rare.ProgressTimeoutMs, LongMs) : fault;
        fault = fault.IsNone ? CheckDuration("total_timeout_ms", options.Rare.TotalTimeoutMs, LongMs) : fault;
        fault = fault.IsNone ? CheckDuration("retention_ms", options.RetentionMs, LongMs) : fault;
        fault = fault.IsNone ? CheckDuration("key_retention_ms", options.KeyRetentionMs, LongMs) : fault;
        fault = fault.IsNone
            ? CheckDuration("cancel_grace_ms", options.Rare.CancelGraceMs, TaskLimits.CancelGraceMsMax)
            : fault;
        fault = fault.IsNone ? CheckRetries(options) : fault;
        return fault.IsNone ? CheckFeatures(options) : fault;
    }

    private static Fault CheckRetries(in TaskOptionsView options)
    {
        var fault = CheckDuration("retry_delay_ms", options.RetryDelayMs, TaskLimits.RetryDelayMsMax);
        fault = fault.IsNone
            ? CheckDuration("retry_delay_max_ms", options.Rare.RetryDelayMaxMs, TaskLimits.RetryDelayMsMax)
            : fault;
        fault = fault.IsNone
            ? CheckDuration("retry_budget_ms", options.Rare.RetryBudgetMs, TaskLimits.DurationMsMax)
            : fault;
        if (!fault.IsNone)
        {
            return fault;
        }

        if (options.Rare.RetryDelayMaxMs != 0 && options.Rare.RetryDelayMaxMs < options.RetryDelayMs)
        {
            return new(FaultCode.InvalidArgument,
                $"options.retry_delay_max_ms is {options.Rare.RetryDelayMaxMs} and "
                + $"retry_delay_ms, the first wait, is {options.RetryDelayMs}; use at least as much, or 0");
        }

        if (options.Rare.RetryFactorPercent is not 0
            and (< TaskLimits.RetryFactorPercentMin or > TaskLimits.RetryFactorPercentMax))
        {
            return new(FaultCode.InvalidArgument,
                $"options.retry_factor_percent is {options.Rare.RetryFactorPercent}; use "
                + $"{TaskLimits.RetryFactorPercentMin} (always the same wait) to {TaskLimits.RetryFactorPercentMax}");
        }

        if (options.Rare.RetryJitterPercent > 100)
        {
            return new(FaultCode.InvalidArgument,
                $"options.retry_jitter_percent is {options.Rare.RetryJitterPercent}; use 0 to 100");
        }

        return options.Rare.FinalErrors.IsBad
            ? new(FaultCode.InvalidArgument, "options.final_errors has an empty name, one with white space, or more "
                + $"than {TaskLimits.FinalErrorsBytesMax} bytes of names; name codes and types of exceptions, without "
                + "name spaces to save room")
            : Fault.None;
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
