// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Muster.Unit.Core;

public sealed class TaskIdTests
{
    private const uint EpochMax = (1u << 15) - 1;

    private static Arbitrary<(uint Slot, ulong Generation)> Parts => (
        from slot in Gen.Choose(0, (int)TaskId.SlotMax)
        from epoch in Gen.Choose(1, (int)EpochMax)
        from count in Gen.Choose(1, (int)TaskId.CountMax)
        select ((uint)slot, ((ulong)epoch << TaskId.CountBits) | (uint)count)).ToArbitrary();

    [Fact]
    public void Parts_AnyTwo_ComeBackFromTheId()
    {
        Prop.ForAll(Parts, parts =>
        {
            var id = new TaskId(parts.Slot, parts.Generation);
            return id.Slot == parts.Slot
                && id.Generation == parts.Generation
                && id.Epoch == parts.Generation >> TaskId.CountBits
                && id != TaskId.None;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Text_OfAnyId_IsReadBack()
    {
        Prop.ForAll(Parts, parts =>
        {
            var id = new TaskId(parts.Slot, parts.Generation);
            return TaskId.TryParse(id.ToString(), out var read) && read == id && id.ToString().Length == 16;
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("0000000000000000")]
    [InlineData("00000000000000001")]
    [InlineData("1ffffffffffffffff")]
    [InlineData("xyz")]
    [InlineData("0x12")]
    [InlineData(" 12")]
    [InlineData("-1")]
    public void TryParse_NoId_SaysSo(string? text)
    {
        Assert.False(TaskId.TryParse(text, out var id));
        Assert.Equal(TaskId.None, id);
    }

    [Fact]
    public void Ids_AnyUsesOfSlotsAndNewArenas_NeverRepeat()
    {
        // Each number is a use of that slot; a negative one is a new arena: every slot starts from nothing again, and
        // the epoch has been raised. A new process on the living arena changes neither.
        var histories = Gen.ArrayOf(Gen.Choose(-2, 5)).ToArbitrary();
        Prop.ForAll(histories, history =>
        {
            var seen = new HashSet<TaskId>();
            var generations = new ulong[6];
            var epoch = 1u;
            foreach (var use in history)
            {
                if (use < 0)
                {
                    epoch++;
                    generations = new ulong[6];
                    continue;
                }

                generations[use] = TaskId.NextGeneration(generations[use], epoch);
                Assert.True(seen.Add(new TaskId((uint)use, generations[use])));
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void NextGeneration_AllUsesOfASlotInAnEpoch_AreDifferentAndThenEnd()
    {
        var last = 0UL;
        var uses = 0u;
        for (var next = TaskId.NextGeneration(0, 9); next != 0; next = TaskId.NextGeneration(next, 9))
        {
            Assert.True(next > last);
            last = next;
            uses++;
        }

        Assert.Equal(TaskId.CountMax, uses);
        Assert.Equal(TaskId.FirstGeneration(10), TaskId.NextGeneration(last, 10));
    }

    [Fact]
    public void Order_OfIds_IsThatOfTheirNumbers()
    {
        var ids = new[] { new TaskId(3), new TaskId(1), new TaskId(2) };
        Assert.Equal([1ul, 2ul, 3ul], ids.Order().Select(id => id.Value));
        Assert.True(new TaskId(1) < new TaskId(2) && new TaskId(2) > new TaskId(1));
        Assert.True(new TaskId(1) <= new TaskId(1) && new TaskId(1) >= new TaskId(1));
    }
}
