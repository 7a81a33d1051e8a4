// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster;

/// <summary>How a task is to be run. Immutable; keep and share one object for tasks that are alike, which is
/// cheapest.</summary>
public sealed record SubmitOptions
{
    /// <summary>The defaults.</summary>
    public static SubmitOptions Default { get; } = new();

    /// <summary>0 (last) to 7 (first). Default 4 (four).</summary>
    public int Priority { get; init; } = Core.TaskLimits.PriorityDefault;

    /// <summary>
    /// How often the task may run before it counts as failed, 1 to 100. Default 3 (three). With 1 a task whose worker
    /// was lost fails instead of running a second time.
    /// </summary>
    public int AttemptsMax { get; init; } = Core.TaskLimits.AttemptsMaxDefault;

    /// <summary>An attempt that runs longer is stopped. Null, the default: no limit. Up to 30 days, in
    /// milliseconds.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>A task that has not started by then ends as expired. Null, the default: never. Up to 30 days.</summary>
    public TimeSpan? ExpiresAfter { get; init; }

    /// <summary>
    /// The wait before a failed attempt is repeated; it doubles with each one, up to a minute. Null, the default: at
    /// once.
    /// </summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>What the accepted task survives. Default <see cref="Durability.CellDefault"/>.</summary>
    public Durability Durability { get; init; }

    /// <summary>
    /// Names the submission, for all clients of the cell: repeated with the same key, handler and input, by whatever
    /// program, it gives the first task and its result, and nothing runs a second time. With another input it is
    /// refused with IDEMPOTENCY_KEY_REUSED. At most 256 bytes of UTF-8. Null, the default: every submission is a new
    /// task, which is still accepted once only, whatever happens to connections and processes.
    /// </summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>
    /// How long the cell remembers <see cref="IdempotencyKey"/> after the task's end, up to 30 days. Null, the default:
    /// the cell's own, which is 24 hours unless its operator chose otherwise.
    /// </summary>
    public TimeSpan? KeyRetention { get; init; }

    /// <summary>
    /// How long the cell keeps the result of a task with an <see cref="IdempotencyKey"/> after it was delivered, up to
    /// 30 days; a submission that is repeated later is refused with IDEMPOTENCY_RESULT_GONE. Null, the default: an
    /// hour. Results of other tasks are kept until they are delivered.
    /// </summary>
    public TimeSpan? Retention { get; init; }
}
