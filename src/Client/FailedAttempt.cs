// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster;

/// <summary>What the cell remembers of an attempt that ended badly; texts are cut to some hundred bytes.</summary>
/// <param name="Attempt">Its fencing token.</param>
/// <param name="Worker">Name of the worker that ran it; empty when that is not known.</param>
/// <param name="Outcome"><see cref="Outcome.Failed"/> or <see cref="Outcome.TimedOut"/>.</param>
/// <param name="Code">As in <see cref="TaskFailedException.Code"/>; WORKER_LOST when it went down with its
/// worker.</param>
/// <param name="Message">For people.</param>
/// <param name="Type">Type of the exception; empty when there was none.</param>
/// <param name="OutputTail">The last that a command wrote; empty for others.</param>
/// <param name="Started">When it started, counted from the task's submission; null: not known.</param>
/// <param name="Finished">When it ended, counted in the same way; null: not known.</param>
public sealed record FailedAttempt(
    long Attempt,
    string Worker,
    Outcome Outcome,
    string Code,
    string Message,
    string Type,
    string OutputTail,
    TimeSpan? Started,
    TimeSpan? Finished);
