// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena;

/// <summary>Counters and words in the arena, each written by one role; counters only grow.</summary>
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

    /// <summary>A word: 1 once the PLM has brought the arena up to date: it holds what the journal held.</summary>
    Populated = 15,

    /// <summary>A word: names the journal that the arena belongs to; 0: none.</summary>
    JournalLineage = 16,

    /// <summary>
    /// A word: the journal is on disk up to this sequence; one of the two largest numbers while
    /// everything is being told to a journal that was cut or replaced.
    /// </summary>
    JournalSynced = 17,

    /// <summary>
    /// A word: 1 while tasks that came back from the journal are held back for workers to claim.
    /// </summary>
    HoldsBack = 19,

    /// <summary>
    /// A word: of the ring of finished tasks, everything before this position was judged and is as durable as was
    /// promised.
    /// </summary>
    FinishedSafe = 18,

    Quarantined = 20,

    /// <summary>Tasks that wait on disk now; goes down too.</summary>
    SpilledNow = 21,

    /// <summary>Times that a task went to disk.</summary>
    SpilledTotal = 22,

    /// <summary>A word: tasks in slots that wait behind the ready ones of their class.</summary>
    HeldNow = 23,

    /// <summary>Items that were answered with an earlier task of the same idempotency key.</summary>
    Repeated = 24,

    /// <summary>Rows of idempotency keys in use now; goes down too.</summary>
    KeysNow = 25,

    /// <summary>Times that more of the journal was written, and that more of it was flushed to the disk.</summary>
    JournalWrites = 26,
    JournalFlushes = 27,

    /// <summary>
    /// A word: bytes that the role's process has allocated on its heap since it started; set about once a second. Each
    /// role has one, and roles in one process say the same.
    /// </summary>
    PlmAllocated = 28,

    // Scheduler.
    Assigned = 32,
    Returned = 33,
    SchedulerAllocated = 34,

    // Register.
    Superseded = 48,
    Reported = 49,
    WorkersLost = 50,
    Heartbeats = 51,

    /// <summary>Registers that took the arena over.</summary>
    RegisterStarts = 52,
    RegisterAllocated = 53,
}
