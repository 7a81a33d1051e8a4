// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions.Orders;

/// <summary>
/// The shortest expected duration first; all users are one. Long tasks may wait for as long as short ones come.
/// </summary>
internal sealed class ShortestOrder : TaskOrder
{
    public override string Name => "shortest";

    public override int Level(in OrderFacts facts) => 1 + Steps(facts.ExpectedUs, 8);
}
