// SPDX-License-Identifier: Apache-2.0
namespace Muster;

/// <summary>What is known of a task that ended without success.</summary>
internal readonly record struct TaskFailure(
    TaskId Id, Outcome Outcome, uint Attempt, uint Executions, string Code, string Message, string Type, string Stack)
{
    /// <summary>Those before the last one, oldest first.</summary>
    public System.Collections.Generic.IReadOnlyList<FailedAttempt> Attempts { get; init; } = [];
}
