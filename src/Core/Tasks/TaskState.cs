// SPDX-License-Identifier: Apache-2.0
namespace Muster.Core.Tasks;

/// <summary>
/// What the state word of a task slot says. The values are in the arena: a changed one is a new arena layout.
/// </summary>
internal enum TaskState : byte
{
    /// <summary>The slot holds no task.</summary>
    Free = 0,

    /// <summary>The PLM has written the task; it is not in the task heap yet.</summary>
    Accepted = 1,

    /// <summary>In the task heap, waiting for a worker.</summary>
    Ready = 2,

    /// <summary>Given to a worker by the Scheduler under the attempt of the state word.</summary>
    Assigned = 3,

    /// <summary>The worker has said in a heartbeat that it runs. Short tasks skip this state.</summary>
    Running = 4,

    /// <summary>
    /// The Register has recorded the result of the current attempt; the PLM has not looked at it yet.
    /// </summary>
    Reported = 5,

    /// <summary>Waits for a moment: the back-off of a retry.</summary>
    Delayed = 6,

    /// <summary>Ended with an outcome; kept until the client confirms it or its retention ends.</summary>
    Done = 7,

    /// <summary>Waits for other tasks.</summary>
    Waiting = 8,
}
