// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using FsCheck;
using FsCheck.Fluent;
using Muster.Core;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Core;

public sealed class AttemptTests
{
    [Fact]
    public void Next_FirstInAnEpoch_CountsFromOne()
    {
        var attempt = Attempt.None.Next(7);
        Assert.Equal((7u, 1u), (attempt.Epoch, attempt.Count));
    }

    [Fact]
    public void Next_AnyOrderOfDispatchesAndNewEpochs_GrowsEveryTime()
    {
        // Each number is a number of dispatches in one epoch; between them the epoch rises, as it does with each arena.
        var epochs = Gen.ArrayOf(Gen.Choose(0, 200)).ToArbitrary();
        Prop.ForAll(epochs, dispatches =>
        {
            var attempt = Attempt.None;
            var seen = new HashSet<uint>();
            for (var epoch = 0; epoch < dispatches.Length; epoch++)
            {
                for (var number = 0; number < dispatches[epoch]; number++)
                {
                    var next = attempt.Next((uint)epoch + 1);
                    Assert.True(next.Value > attempt.Value);
                    Assert.Equal((uint)epoch + 1, next.Epoch);
                    Assert.True(seen.Add(next.Value));
                    attempt = next;
                }
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Next_EpochGoesBack_IsABrokenInvariant()
    {
        Assert.Throws<InvariantException>(() => new Attempt((5 << Attempt.CountBits) | 1).Next(4));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Attempt.EpochMax + 1)]
    public void Next_EpochOutOfRange_IsABrokenInvariant(uint epoch)
    {
        Assert.Throws<InvariantException>(() => Attempt.None.Next(epoch));
    }

    [Fact]
    public void Next_CountUsedUp_IsABrokenInvariantUntilTheNextEpoch()
    {
        var last = new Attempt((3 << Attempt.CountBits) | Attempt.CountMax);
        Assert.Throws<InvariantException>(() => last.Next(3));
        Assert.Equal(new Attempt((4 << Attempt.CountBits) | 1), last.Next(4));
    }

    [Fact]
    public void ToString_ShowsEpochAndCount()
    {
        Assert.Equal("7.2", Attempt.None.Next(7).Next(7).ToString());
    }
}
