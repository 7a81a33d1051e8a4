// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Policies;

/// <summary>
/// Where the tasks of a class go: the seam for other ways to place. Called in the Scheduler's turn, once per batch; no
/// allocation, no I/O, no clock.
/// </summary>
internal abstract class SchedulerPolicy
{
    /// <summary>A name for people.</summary>
    public abstract string Name { get; }

    /// <summary>The worker for the next batch of a class; false when none should get any now.</summary>
    /// <param name="index">Who has room.</param>
    /// <param name="handler">What the class runs.</param>
    /// <param name="ready">How many of its tasks wait, at least 1.</param>
    /// <param name="mayPrefetch">Whether they may be sent ahead of an idle slot.</param>
    /// <param name="pick">At least 1 task, at most the worker's room.</param>
    public abstract bool TryPick(CapacityIndex index, ushort handler, uint ready, bool mayPrefetch, out Pick pick);
}
