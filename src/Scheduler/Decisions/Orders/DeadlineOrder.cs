// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions.Orders;

/// <summary>The earliest deadline first; tasks without one come last, first come, first served.</summary>
internal sealed class DeadlineOrder : TaskOrder
{
    public override string Name => "edf";

    public override bool IsExact => true;

    public override int Level(in OrderFacts facts) => 1;

    public override ulong Key(in OrderFacts facts, long sequence) => facts.Task.DeadlineUs == long.MaxValue
        ? (1UL << 63) + (ulong)sequence
        : (ulong)facts.Task.DeadlineUs;
}
