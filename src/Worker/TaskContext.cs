// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;
using Muster.Worker.Attempts;

namespace Muster;

/// <summary>
/// What a handler may know about the attempt that it runs, and its way to say how far it is. For any thread; harmless
/// after the attempt has ended.
/// </summary>
public sealed class TaskContext
{
    private readonly HeldAttempt _attempt;
    private readonly TimeProvider _time;

    internal TaskContext(HeldAttempt attempt, TimeProvider time, DateTimeOffset? deadline)
    {
        _attempt = attempt;
        _time = time;
        TaskId = attempt.Key.Task;
        Attempt = attempt.Key.Attempt.Value;
        Execution = (int)attempt.Execution;
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

    /// <summary>
    /// Says that the attempt goes on, and how far it is: it restarts the time of a progress limit, and the text shows
    /// in <c>muster tasks ID</c>. The latest text goes out with the worker's next beat, within a second, and costs
    /// nothing until then: call it as often as there is something to say.
    /// </summary>
    /// <param name="details">
    /// For people; at most 200 bytes of UTF-8, the rest is cut off. Null: only that it goes on.
    /// </param>
    public void Report(string? details = null)
    {
        var now = _time.GetTimestamp();
        if (details is null)
        {
            _attempt.Speak(now);
        }
        else
        {
            _attempt.Report(now, AttemptFailure.Cut(details, TaskLimits.ProgressBytesMax));
        }
    }
}
