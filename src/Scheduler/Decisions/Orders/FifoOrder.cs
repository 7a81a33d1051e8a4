// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions.Orders;

/// <summary>First come, first served; when the first does not fit, all wait.</summary>
internal sealed class FifoOrder : TaskOrder
{
    public override string Name => "fifo";

    public override bool Backfills => false;

    public override bool WeighsSpeeds => false;

    public override int Level(in OrderFacts facts) => 1;
}
