// SPDX-License-Identifier: Apache-2.0
using Muster.Server.Http2;
using Xunit;

namespace Muster.Unit.Http2;

public sealed class FrameBudgetTests
{
    [Fact]
    public void Earnings_OfALongLife_AreNotForgotten()
    {
        var budget = new FrameBudget(ticksPerSecond: 1_000);
        budget.Earn(int.MaxValue);
        budget.Earn(int.MaxValue);
        for (var frame = 0; frame < 2 * FrameBudget.FramesMax; frame++)
        {
            budget.Spend(1, now: 5);
        }
    }
}
