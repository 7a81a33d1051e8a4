// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler;

/// <summary>What a person may choose about placement.</summary>
internal sealed record SchedulerOptions
{
    /// <summary>
    /// How many attempts of short tasks a worker may hold beyond its slots, so that the network's round trip is hidden:
    /// as many as it has slots, at least 2, or as many as it lately ended in a millisecond if that is more, at most
    /// this. 0 to 65,535; 0 switches prefetch off. Default 1,024.
    /// </summary>
    public uint PrefetchMax { get; init; } = 1_024;

    /// <summary>
    /// A worker that gave an attempt back unstarted gets nothing new for this long, unless its own state changes first.
    /// 1 to 60,000. Default 1,000.
    /// </summary>
    public uint ReturnPauseMs { get; init; } = 1_000;

    /// <summary>
    /// A worker that is alive and has had no Dispatch stream for this long loses the attempts that it has not said it
    /// runs; they go to others. 100 to 600,000. Default 3,000.
    /// </summary>
    public uint StreamlessMs { get; init; } = 3_000;

    /// <summary>The first option that is out of range, as a sentence; null when all is well.</summary>
    public string? Problem()
    {
        if (PrefetchMax > SchedulerLimits.PrefetchMaxMax)
        {
            return $"PrefetchMax is {PrefetchMax}; it must be 0 to {SchedulerLimits.PrefetchMaxMax}";
        }

        if (ReturnPauseMs is 0 or > SchedulerLimits.ReturnPauseMsMax)
        {
            return $"ReturnPauseMs is {ReturnPauseMs}; it must be 1 to {SchedulerLimits.ReturnPauseMsMax}";
        }

        return StreamlessMs is < 100 or > 600_000
            ? $"StreamlessMs is {StreamlessMs}; it must be 100 to 600,000"
            : null;
    }

    /// <summary>Throws when an option is out of range: the host has checked before.</summary>
    public SchedulerOptions Validated() =>
        Problem() is { } problem ? throw new ArgumentException(problem) : this;
}
