// SPDX-License-Identifier: Apache-2.0
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Scheduler;

/// <summary>The limits of the Scheduler.</summary>
internal static class SchedulerLimits
{
    public const uint PrefetchMaxMax = 65_535;
    public const uint PrefetchMin = 2;

    /// <summary>
    /// Tasks that run at most this long are sent ahead. A round trip is about 0.2 ms, so a longer task loses less than
    /// a tenth by waiting for a slot, and gains that any worker can still have it.
    /// </summary>
    public const float ShortTaskUs = 2_000;

    /// <summary>A short task that has not ended this long after its placement is not short any more.</summary>
    public const float ShortTaskOverdueUs = 20_000;

    /// <summary>
    /// A worker's pace is taken over at least this long: several round trips, so that one batch is not taken for a
    /// pace.
    /// </summary>
    public const uint PaceWindowMs = 4;
    public const uint ReturnPauseMsMax = 60_000;

    /// <summary>
    /// Most tasks taken from the heap under one hold of its lock. 16 give 85% of what 256 give; 256 keep the lock for
    /// about 20 us.
    /// </summary>
    public const int BatchTasksMax = 256;

    /// <summary>Classes looked at in one pass; more are looked at in the next.</summary>
    public const int ClassesMax = 4_096;

    /// <summary>
    /// An attempt whose count in this epoch reached this is not taken back any more: a worker that returns what it gets
    /// must not be able to use up the count, which is <see cref="Attempt.CountMax"/>.
    /// </summary>
    public const uint ReturnableCountMax = Attempt.CountMax - 1_024;

    /// <summary>The relations between the limits; checked once at the start.</summary>
    public static void Check()
    {
        // Retries and losses must fit in what returning leaves.
        Invariant.That(Attempt.CountMax - ReturnableCountMax > TaskLimits.AttemptsMaxMax + TaskLimits.LostAttemptsMax);
        Invariant.That(BatchTasksMax <= ClassesMax);
    }
}
