// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena;

/// <summary>Counters in the arena, each written by one role and only growing.</summary>
internal enum CellCounter
{
    // PLM.
    Submitted = 0,
    Succeeded = 1,
    Failed = 2,
    TimedOut = 3,
    Cancelled = 4,
    Expired = 5,
    LostAttempts = 6,
    Retried = 7,
    Refused = 8,
    Delivered = 9,
    Aborted = 10,

    /// <summary>Tasks that are Delayed now; goes down too.</summary>
    DelayedNow = 11,

    /// <summary>Tasks that are Done now; goes down too.</summary>
    DoneNow = 12,

    /// <summary>Slots in use now; goes down too.</summary>
    TasksNow = 13,

    /// <summary>Connected sessions now; goes down too.</summary>
    ClientsNow = 14,

    // Scheduler.
    Assigned = 32,
    Returned = 33,

    // Register.
    Superseded = 48,
    Reported = 49,
    WorkersLost = 50,
    Heartbeats = 51,
}
