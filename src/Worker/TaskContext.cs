// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster;

/// <summary>What a handler may know about the attempt that it runs. Immutable.</summary>
public sealed class TaskContext
{
    internal TaskContext(TaskId taskId, uint attempt, int execution, DateTimeOffset? deadline)
    {
        TaskId = taskId;
        Attempt = attempt;
        Execution = execution;
        Deadline = deadline;
    }

    /// <summary>The task.</summary>
    public TaskId TaskId { get; }

    /// <summary>
    /// Fencing token of this attempt: grows with each start of the task and never repeats. A system that the handler
    /// writes to can refuse an older one, and so whatever a lost attempt still tries to write.
    /// </summary>
    public uint Attempt { get; }

    /// <summary>1 for the task's first start, 2 for the second and so on.</summary>
    public int Execution { get; }

    /// <summary>
    /// When the attempt's time is over, by this host's clock; the handler's token is cancelled then. Null: no limit.
    /// </summary>
    public DateTimeOffset? Deadline { get; }
}
