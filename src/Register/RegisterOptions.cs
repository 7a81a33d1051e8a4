// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Register;

/// <summary>
/// How the Register judges health. The defaults find a silent worker within 3.6 s and give no living one up on a
/// machine that is twice overcommitted.
/// </summary>
internal sealed record RegisterOptions
{
    /// <summary>Silence after which a worker is lost. 200 to 600,000. Default 3,000.</summary>
    public uint LeaseMs { get; init; } = 3_000;

    /// <summary>Silence after which a worker is suspect; at most half of the lease. Default 1,000.</summary>
    public uint SuspectMs { get; init; } = 1_000;

    /// <summary>
    /// How often a worker beats in a small fleet; at most half of <see cref="SuspectMs"/>. Default 250.
    /// </summary>
    public uint IntervalMs { get; init; } = 250;

    /// <summary>
    /// Beats of the whole fleet in a second that are worth their cost for early suspicion; beyond, the interval grows,
    /// up to what the lease allows (1 s of 3 s), so that silence is found as soon as ever. 10 to 1,000,000. Default
    /// 400, of 100 workers.
    /// </summary>
    public uint BeatsPerSecondEased { get; init; } = 400;

    /// <summary>
    /// Beats of the whole fleet in a second; beyond, the interval grows and the lease with it. 100 to 1,000,000.
    /// Default 4,000, of 4,000 workers.
    /// </summary>
    public uint BeatsPerSecondMax { get; init; } = 4_000;

    /// <summary>Being late itself by this much moves every deadline. 10 to 10,000. Default 100.</summary>
    public uint LatenessMs { get; init; } = 100;

    /// <summary>
    /// More of the workers than this suspect at once is the Register's own fault at first. Default 33.
    /// </summary>
    public uint BrakePercent { get; init; } = 33;

    /// <summary>The brake needs at least as many suspects. Default 3.</summary>
    public uint BrakeWorkersMin { get; init; } = 3;

    /// <summary>
    /// A worker whose process nobody watches, because it runs on another host, is taken for dead when its connections
    /// were closed at its end and it has not come back after this: the kernel of a process that dies does just that,
    /// and a living worker comes back within a few ms. 0: wait for the lease; at most the lease. Default 25.
    /// </summary>
    public uint ReconnectMs { get; init; } = 25;

    /// <summary>The row of a lost worker goes to another one no sooner. Default 60,000.</summary>
    public uint RowReuseMs { get; init; } = 60_000;

    /// <summary>The first option that is out of range, as a sentence; null when all is well.</summary>
    public string? Problem()
    {
        if (LeaseMs is < 200 or > 600_000)
        {
            return $"LeaseMs is {LeaseMs}; it must be 200 to 600,000";
        }

        if (SuspectMs < 20 || SuspectMs > LeaseMs / 2)
        {
            return $"SuspectMs is {SuspectMs}; it must be 20 to half of LeaseMs ({LeaseMs / 2})";
        }

        if (IntervalMs < 10 || IntervalMs > SuspectMs / 2)
        {
            return $"IntervalMs is {IntervalMs}; it must be 10 to half of SuspectMs ({SuspectMs / 2})";
        }

        if (BeatsPerSecondMax is < 100 or > 1_000_000)
        {
            return $"BeatsPerSecondMax is {BeatsPerSecondMax}; it must be 100 to 1,000,000";
        }

        if (BeatsPerSecondEased is < 10 or > 1_000_000)
        {
            return $"BeatsPerSecondEased is {BeatsPerSecondEased}; it must be 10 to 1,000,000";
        }

        if (LatenessMs is < 10 or > 10_000)
        {
            return $"LatenessMs is {LatenessMs}; it must be 10 to 10,000";
        }

        if (ReconnectMs > LeaseMs)
        {
            return $"ReconnectMs is {ReconnectMs}; it must be 0 to LeaseMs ({LeaseMs})";
        }

        return BrakePercent is 0 or > 100 || BrakeWorkersMin == 0
            ? "BrakePercent must be 1 to 100 and BrakeWorkersMin at least 1"
            : null;
    }

    /// <summary>Throws when an option is out of range: the host has checked before.</summary>
    public RegisterOptions Validated() =>
        Problem() is { } problem ? throw new ArgumentException(problem) : this;
}
