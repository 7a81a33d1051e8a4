// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler.Decisions.Orders;

/// <summary>The longest remaining chain first, loose tasks by their own duration; all users are one.</summary>
internal sealed class BLevelOrder : TaskOrder
{
    // 2% apart: finer than durations are known.
    private const double StepsPerDoubling = 32;

    public override string Name => "blevel";

    public override int Level(in OrderFacts facts) => RankLevel(facts.IsMember ? facts.RankUs : facts.ExpectedUs);

    public static int RankLevel(long rankUs) =>
        Math.Max(1, (int)(63 * StepsPerDoubling) - Steps(rankUs, StepsPerDoubling));
}
