// SPDX-License-Identifier: Apache-2.0
using System;
using FsCheck;
using FsCheck.Fluent;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Core;

public sealed class StateWordTests
{
    private static Arbitrary<(byte State, uint Attempt, uint Generation)> Parts => (
        from state in Gen.Choose(0, 31)
        from attempt in Gen.Choose(0, (1 << 27) - 1)
        from generation in Gen.Choose(int.MinValue, int.MaxValue)
        select ((byte)state, (uint)attempt, (uint)generation)).ToArbitrary();

    [Fact]
    public void Parts_AnyThree_ComeBackFromTheWord()
    {
        Prop.ForAll(Parts, parts =>
        {
            var word = new StateWord((TaskState)parts.State, new Attempt(parts.Attempt), parts.Generation);
            return word.State == (TaskState)parts.State
                && word.Attempt.Value == parts.Attempt
                && word.GenerationLow == parts.Generation
                && new StateWord(word.Value) == word;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void With_AnotherState_LeavesTheRest()
    {
        Prop.ForAll(Parts, parts =>
        {
            var word = new StateWord(TaskState.Ready, new Attempt(parts.Attempt), parts.Generation);
            return word.With((TaskState)parts.State)
                == new StateWord((TaskState)parts.State, new Attempt(parts.Attempt), parts.Generation);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Zero_IsAFreeSlotWithoutAttempt()
    {
        Assert.Equal(new StateWord(TaskState.Free, Attempt.None, 0), new StateWord(0));
    }

    [Fact]
    public void Extremes_StayWithinTheirBits()
    {
        var most = new Attempt((Attempt.EpochMax << Attempt.CountBits) | Attempt.CountMax);
        var word = new StateWord(TaskState.Waiting, most, uint.MaxValue);
        Assert.Equal((TaskState.Waiting, most, uint.MaxValue), (word.State, word.Attempt, word.GenerationLow));
        Assert.All(Enum.GetValues<TaskState>(), state => Assert.InRange((int)state, 0, 15));
    }
}
