// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;

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
    /// The first wait before a failed attempt is repeated, up to a day; each further one is
    /// <see cref="RetryFactor"/> times as long, up to <see cref="RetryDelayMax"/>. Null, the default: at once. An
    /// attempt whose worker was lost is repeated at once in any case.
    /// </summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>Each wait is so many times the one before: 1 (always the same) to 10. Default 2 (two).</summary>
    public double RetryFactor { get; init; } = 2;

    /// <summary>
    /// The longest wait, from <see cref="RetryDelay"/> to a day. Null, the default: a minute, or
    /// <see cref="RetryDelay"/> when that is longer.
    /// </summary>
    public TimeSpan? RetryDelayMax { get; init; }

    /// <summary>
    /// The share of each wait that chance may take off, 0 (none) to 1 (all), so that tasks which failed together are
    /// not repeated together. Default 0 (zero).
    /// </summary>
    public double RetryJitter { get; init; }

    /// <summary>
    /// A failed attempt is not repeated when the repeat would begin later than this after the submission, up to 30
    /// days. Null, the default: no limit but <see cref="AttemptsMax"/>.
    /// </summary>
    public TimeSpan? RetryBudget { get; init; }

    /// <summary>
    /// Errors after which nothing is repeated: codes as in <see cref="TaskFailedException.Code"/>, and types of
    /// exceptions as in <see cref="TaskFailedException.RemoteType"/>, with or without name space. One object shared by
    /// alike tasks is cheapest. At most 384 bytes together. Default: none.
    /// </summary>
    public IReadOnlyList<string> FinalErrors { get; init; } = [];

    /// <summary>
    /// An attempt that says nothing for so long is stopped and counts as timed out, up to 30 days: a handler speaks by
    /// <c>TaskContext.Report</c>, a command by writing to its output. Null, the default: no limit.
    /// </summary>
    public TimeSpan? ProgressTimeout { get; init; }

    /// <summary>
    /// A task that has not ended so long after its submission ends as timed out, whatever it does then, and is stopped.
    /// Up to 30 days. Null, the default: no limit.
    /// </summary>
    public TimeSpan? TotalTimeout { get; init; }

    /// <summary>
    /// How long a command may go on after it was asked to stop (SIGTERM) before it is killed (SIGKILL), up to an hour.
    /// Null, the default: two seconds. Handlers are asked by their token and cannot be killed.
    /// </summary>
    public TimeSpan? CancelGrace { get; init; }

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
