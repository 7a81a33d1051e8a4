// SPDX-License-Identifier: Apache-2.0
namespace Muster.Core.Tasks;

/// <summary>Names one execution of one task, as muster.v1.AttemptKey does on the wire.</summary>
internal readonly record struct AttemptKey(TaskId Task, Attempt Attempt)
{
    /// <summary>By the task: hardly ever are two attempts of one task in the same place.</summary>
    public override int GetHashCode() => Task.Value.GetHashCode();
}
