// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;

namespace Muster;

/// <summary>A task ended without success. The task is known by its id; what went wrong at the worker is here as
/// text.</summary>
public sealed class TaskFailedException : Exception
{
    internal TaskFailedException(TaskFailure failure)
        : base(Describe(failure))
    {
        Id = failure.Id;
        Attempt = failure.Attempt;
        Executions = failure.Executions;
        Outcome = failure.Outcome;
        Code = failure.Code;
        RemoteMessage = failure.Message;
        RemoteType = failure.Type;
        RemoteStack = failure.Stack;
        EarlierAttempts = failure.Attempts;
    }

    /// <summary>The task.</summary>
    public TaskId Id { get; }

    /// <summary>Token of the last attempt; 0 when none was made. Grows with each start, and never repeats.</summary>
    public long Attempt { get; }

    /// <summary>How often the task was started.</summary>
    public long Executions { get; }

    /// <summary>How it ended; never <see cref="Outcome.Succeeded"/>.</summary>
    public Outcome Outcome { get; }

    /// <summary>Stable, in UPPER_SNAKE_CASE: HANDLER_FAILED when the handler threw.</summary>
    public string Code { get; }

    /// <summary>What the worker or the cell said, alone.</summary>
    public string RemoteMessage { get; }

    /// <summary>Type of the exception at the worker; empty when there was none.</summary>
    public string RemoteType { get; }

    /// <summary>Stack of the exception at the worker, at most 16 KiB; empty when there was none.</summary>
    public string RemoteStack { get; }

    /// <summary>The attempts before the last one that ended badly: the last five, oldest first.</summary>
    public IReadOnlyList<FailedAttempt> EarlierAttempts { get; }

    private static string Describe(TaskFailure failure)
    {
        var what = failure.Outcome switch
        {
            Outcome.TimedOut => "timed out",
            Outcome.Cancelled => "was cancelled",
            Outcome.Aborted => "was aborted",
            Outcome.Quarantined => "was quarantined",
            Outcome.Expired => "expired",
            _ => "failed",
        };
        var type = failure.Type.Length == 0 ? "" : $"{failure.Type}: ";
        var message = failure.Message.Length == 0 ? "nothing more is known" : failure.Message;
        return $"task {failure.Id} {what} ({failure.Code}): {type}{message}";
    }
}
