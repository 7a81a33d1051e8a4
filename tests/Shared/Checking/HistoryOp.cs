// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking;

/// <summary>
/// What a line of a history says. Clients and workers of any test can write the first two groups; the third needs a
/// look into the roles, which only the simulation has. A check that finds none of the lines it needs holds trivially.
/// </summary>
internal enum HistoryOp : byte
{
    None = 0,

    /// <summary>
    /// A client's submission under its key. Unknown: sent, or given up without an answer; Ok: accepted as the task;
    /// Refused: never taken. Value: hash of the payload. Detail: <see cref="SubmitFacts"/>.
    /// </summary>
    Submit = 1,

    /// <summary>
    /// A result as it arrived at the client, each time. Detail: the outcome's number. Value: hash of outcome, error and
    /// output.
    /// </summary>
    Result = 2,

    /// <summary>A client's request to cancel the task; Ok when the answer says that it is cancelled.</summary>
    Cancel = 3,

    /// <summary>The client was told that an accepted task is not known any more.</summary>
    Forgotten = 4,

    /// <summary>A worker began to run an attempt. Value: hash of the payload. Detail: the registration.</summary>
    Start = 10,

    /// <summary>It made a result. Value: hash as in <see cref="Result"/>. Detail: the outcome's number.</summary>
    Ran = 11,

    /// <summary>The attempt left its slot, with a result or without one.</summary>
    Stop = 12,

    /// <summary>A worker is there. Detail: its slots.</summary>
    WorkerUp = 13,

    /// <summary>A worker's process is dead; nothing of it runs any more.</summary>
    WorkerDown = 14,

    /// <summary>The task may run. Detail: priority + (handler &lt;&lt; 8).</summary>
    Ready = 20,

    /// <summary>It was given to a worker under an attempt. Detail: the registration. Value: as in Ready.</summary>
    Dispatch = 21,

    /// <summary>
    /// The result of an attempt was taken. Value: hash as in <see cref="Result"/>. Detail: the registration that sent
    /// it. Outcome: Ok when the attempt succeeded, else Refused.
    /// </summary>
    Accept = 22,

    /// <summary>The task reached its end. Detail: the outcome's number.</summary>
    Done = 23,

    /// <summary>A registration was given up. Detail: the registration.</summary>
    Fence = 24,

    /// <summary>A timer was set for the task. Value: the moment, microseconds.</summary>
    TimerSet = 25,

    /// <summary>It went off.</summary>
    TimerFired = 26,

    /// <summary>The task may start only after another one has succeeded. Key: the other task's id.</summary>
    DependsOn = 27,

    /// <summary>
    /// A worker that outlived the arena got an attempt back that it still has. Detail: its registration.
    /// </summary>
    Attach = 30,

    /// <summary>Something counted that has a bound. Value: how much. Detail: the bound.</summary>
    Bound = 28,

    /// <summary>Parts that must add up. Task: used. Key: free. Value: all.</summary>
    Sum = 29,

    /// <summary>A role's process died.</summary>
    RoleDown = 40,

    /// <summary>A role's successor has taken over.</summary>
    RoleUp = 41,

    /// <summary>
    /// Memory is gone. Value: for how many microseconds before that the disk may have forgotten what was not flushed; 0
    /// when only processes and memory went, and the disk forgot nothing.
    /// </summary>
    PowerLoss = 42,

    /// <summary>An independent reader found the task in the journal. Detail: <see cref="JournalFacts"/>.</summary>
    InJournal = 43,

    /// <summary>That reader has come to the end.</summary>
    JournalRead = 44,

    /// <summary>The host's wall clock jumped. Value: by how much forward or back, microseconds.</summary>
    ClockJump = 45,

    /// <summary>From here on nothing goes wrong any more. Value: within how many microseconds all must end.</summary>
    Healed = 46,

    /// <summary>The test is over and everything was waited for. Ok: everything ended; Refused: something did
    /// not.</summary>
    Drained = 47,
}
