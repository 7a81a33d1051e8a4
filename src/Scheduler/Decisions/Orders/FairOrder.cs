// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions.Orders;

/// <summary>Users share by weight on what they use most of; inside a user first come, first served.</summary>
internal sealed class FairOrder : TaskOrder
{
    public override string Name => "fair";

    public override bool SharesUsers => true;

    public override int Level(in OrderFacts facts) => 1;
}
