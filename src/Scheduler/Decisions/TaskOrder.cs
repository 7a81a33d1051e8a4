// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// The order among waiting tasks: the seam for another policy. Tasks of equal level are one class and go first come,
/// first served; so the number of levels is what a decision costs, a few hundred at most. Pure: no state, no clock.
/// </summary>
internal abstract class TaskOrder
{
    /// <summary>Levels are 1 to this; lower goes first.</summary>
    public const int LevelMax = (1 << 23) - 1;

    /// <summary>A name for people, as it is asked for.</summary>
    public abstract string Name { get; }

    /// <summary>Whether users share by weight; otherwise all are one.</summary>
    public virtual bool SharesUsers => false;

    /// <summary>Whether <see cref="Key"/> orders each task by itself, in a heap, instead of levels.</summary>
    public virtual bool IsExact => false;

    /// <summary>
    /// Whether others may go past a task that does not fit, as long as they do not delay it. Otherwise all wait.
    /// </summary>
    public virtual bool Backfills => true;

    /// <summary>Whether durations that nobody gave are learned; otherwise the user's limit is believed.</summary>
    public virtual bool Learns => true;

    /// <summary>Whether a task may wait for a faster worker than the one that is idle.</summary>
    public virtual bool WeighsSpeeds => true;

    /// <summary>The task's level, 1 to <see cref="LevelMax"/>.</summary>
    public abstract int Level(in OrderFacts facts);

    /// <summary>The task's place when <see cref="IsExact"/>; lower goes first.</summary>
    public virtual ulong Key(in OrderFacts facts, long sequence) => (ulong)sequence;

    /// <summary>
    /// How long a task may be ready before it goes ahead of all that are not overdue; long.MaxValue: it is never
    /// overtaken for ever anyway.
    /// </summary>
    public virtual long PatienceUs(in OrderFacts facts) => long.MaxValue;

    /// <summary>A logarithmic scale with so many steps per doubling; 0 for one microsecond.</summary>
    protected static int Steps(double us, double perDoubling) => (int)(Math.Log2(Math.Max(us, 1)) * perDoubling);
}
