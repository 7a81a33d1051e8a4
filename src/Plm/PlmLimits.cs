// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>Limits of the PLM's core that no caller changes.</summary>
internal static class PlmLimits
{
    /// <summary>
    /// Tasks pushed to the heap under one hold of its lock: short enough to let the Scheduler in between.
    /// </summary>
    public const int PushBatchMax = 1_024;

    /// <summary>
    /// A record of the journal is closed when it has grown to this: one payload or result more is the most it can be,
    /// or, alone in a record of a snapshot, the payload and the result of one task.
    /// </summary>
    public const int RecordBytesAim = 256 << 10;

    /// <summary>
    /// Tasks that may start once only and are granted at a time; a power loss costs at most so many. Enough to keep
    /// workers busy through a slow flush.
    /// </summary>
    public const int GrantsMax = 16_384;

    /// <summary>How soon the first Register of an arena is looked for again, while tasks are held back.</summary>
    public const long RegisterLookMs = 50;

    /// <summary>
    /// In the arena instead of a sequence that is safe: all is being told to its own journal, which was cut.
    /// </summary>
    public const ulong CutJournal = ulong.MaxValue;

    /// <summary>The same, to a journal that is not its own.</summary>
    public const ulong OtherJournal = ulong.MaxValue - 1;

    /// <summary>Slots that a snapshot tells in one turn.</summary>
    public const uint SnapshotSlotsPerTurn = 1_024;

    /// <summary>How soon a snapshot goes on with the next slots.</summary>
    public const long SnapshotPauseMs = 2;

    /// <summary>Results handed to a stream in one call.</summary>
    public const int DeliverBatchMax = 256;

    /// <summary>Ended tasks freed together: a crash in between leaks at most the result blocks of this many.</summary>
    public const int FreeBatchMax = 64;

    /// <summary>Finished records taken from the ring at once.</summary>
    public const int FinishedBatchMax = 256;

    /// <summary>Finished records taken in one turn: others wait for the turn's lock meanwhile.</summary>
    public const int FinishedPerTurnMax = 4_096;

    /// <summary>
    /// Most that a session's limit of tasks can be: the welcome that lists them all still fits into one message.
    /// </summary>
    public const uint OutstandingMax = 250_000;

    /// <summary>
    /// How soon a task that was not started in time is looked at again while it is on its way to a worker.
    /// </summary>
    public const long ExpiryAgainMs = 1_000;

    /// <summary>
    /// Cancellations that wait for room in the Scheduler's ring. More are dropped: their workers run to the end and the
    /// results are refused, which costs time but breaks nothing.
    /// </summary>
    public const int CancelsWaitingMax = 65_536;

    /// <summary>
    /// Results that a client may leave unconfirmed when its hello asks for no other number, and the most it may ask
    /// for.
    /// </summary>
    public const uint UnconfirmedMax = 65_536;

    /// <summary>Calls that wait for one task.</summary>
    public const int AwaitersPerTaskMax = 1_024;

    /// <summary>Tasks of which is remembered which workers died of them. Of more the number is known alone.</summary>
    public const int CrashNotesMax = 10_000;

    /// <summary>Rows of idempotency keys that one sweep looks at.</summary>
    public const uint KeysPerSweep = 8_192;

    /// <summary>
    /// When a submission refused for want of a key's row may come again: rows become free by the hour, not by the
    /// millisecond.
    /// </summary>
    public const uint KeysFullRetryMs = 1_000;

    /// <summary>Extents that are read ahead of need for each class.</summary>
    public const int SpillReadAhead = 4;

    /// <summary>
    /// How soon, at the latest, tasks that wait are looked at again: workers may take ready ones without a turn.
    /// </summary>
    public const long HoldLookMs = 20;

    /// <summary>
    /// How many slots ahead of the one at hand are fetched into the cache: far enough for memory to answer, near enough
    /// for the cache to hold.
    /// </summary>
    public const int PrefetchAhead = 4;

    /// <summary>More than the block of a task's history ever takes.</summary>
    public const int HistoryBytesMax = 8_192;

    /// <summary>Slots fetched together when the journal has reached what they wait for.</summary>
    public const int SettleBatchMax = 64;

    /// <summary>How soon a full ring is tried again.</summary>
    public const long RingRetryMs = 5;

    /// <summary>How long the session of an absent client is kept at least after a takeover.</summary>
    public const long SessionGraceMs = 600_000;

    /// <summary>How often sessions left alone for too long, and keys that have expired, are looked for.</summary>
    public const long SessionSweepMs = 5_000;

    /// <summary>How often attempts are looked for that were placed on a worker after it was given up.</summary>
    public const long OrphanSweepMs = 2_000;

    /// <summary>For how long after the last loss of a worker that search goes on.</summary>
    public const long OrphanWatchMs = 60_000;
}
