// SPDX-License-Identifier: Apache-2.0
using Muster.Core;
using Xunit;

namespace Muster.Unit.Core;

public sealed class InvariantTests
{
    [Fact]
    public void That_Holds_DoesNothing() => Invariant.That(true);

    [Fact]
    public void That_DoesNotHold_NamesTheCondition()
    {
        var freeSlots = -1;
        var error = Assert.Throws<InvariantException>(() => Invariant.That(freeSlots >= 0));
        Assert.Contains("freeSlots >= 0", error.Message, System.StringComparison.Ordinal);
    }
}
