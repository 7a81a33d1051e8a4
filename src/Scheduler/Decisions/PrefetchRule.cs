// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// How many tasks of a class may be sent to a worker ahead of a free slot. What is sent ahead is bound early; so it is
/// done only where waiting for the round trip would cost more.
/// </summary>
internal static class PrefetchRule
{
    public const int AheadMax = 16;

    /// <summary>None when half of the class takes over three round trips; else as many as fill one.</summary>
    public static int Ahead(double p50Us, double roundTripUs) =>
        p50Us <= 0 || p50Us > 3 * roundTripUs ? 0 : Math.Min(AheadMax, (int)Math.Ceiling(roundTripUs / p50Us));
}
