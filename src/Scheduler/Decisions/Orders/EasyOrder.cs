// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions.Orders;

/// <summary>
/// Plain EASY, a baseline: first come, first served, the first that does not fit holds a reservation, and others start
/// meanwhile if the limits that their users gave say that they do not delay it.
/// </summary>
internal sealed class EasyOrder : TaskOrder
{
    public override string Name => "easy";

    public override bool Learns => false;

    public override int Level(in OrderFacts facts) => 1;
}
