// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler.Decisions.Orders;

/// <summary>
/// For rigid jobs: the smallest expected area first, whoever's it is, by what was learned of its class. The first that
/// does not fit holds a reservation, and others start meanwhile if they are expected not to delay it. A job that waited
/// many times its area goes first.
/// </summary>
internal sealed class BackfillOrder : TaskOrder
{
    private const long PatienceFactor = 64;

    public override string Name => "backfill";

    public override int Level(in OrderFacts facts) => 1 + Steps((double)facts.ExpectedUs * facts.Slots, 2);

    public override long PatienceUs(in OrderFacts facts) =>
        PatienceFactor * Math.Clamp(facts.ExpectedUs * facts.Slots, 1_000, long.MaxValue / PatienceFactor / 2);
}
