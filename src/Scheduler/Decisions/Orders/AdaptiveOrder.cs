// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler.Decisions.Orders;

/// <summary>
/// The default. Users share by weight. Members of graphs go by rank, the longest remaining chain first. Loose tasks go
/// by expected area, duration times slots, smallest first, in steps of a factor of 4: finer steps gain little and turn
/// a wrong guess into a wrong order more often. Whoever waited many times what it takes goes first.
/// </summary>
internal sealed class AdaptiveOrder : TaskOrder
{
    /// <summary>
    /// A loose task is overdue after this many times its expected area; a member after this many times its graph's
    /// longest chain. High enough that only tasks which order alone would starve are touched.
    /// </summary>
    private const long PatienceFactor = 64;

    public override string Name => "adaptive";

    public override bool SharesUsers => true;

    public override int Level(in OrderFacts facts) => facts.IsMember
        ? BLevelOrder.RankLevel(facts.RankUs)
        : 1 + Steps((double)facts.ExpectedUs * facts.Slots, 0.5);

    public override long PatienceUs(in OrderFacts facts) => PatienceFactor * Math.Min(
        Math.Max(facts.IsMember ? facts.GraphUs : facts.ExpectedUs * facts.Slots, 1_000),
        long.MaxValue / PatienceFactor / 2);
}
