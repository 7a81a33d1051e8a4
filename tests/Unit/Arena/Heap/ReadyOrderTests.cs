// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Muster.Arena.Heap;
using Xunit;

namespace Muster.Unit.Arena.Heap;

public sealed class ReadyOrderTests : IDisposable
{
    private readonly PrivateTables _arena = new();

    public void Dispose() => _arena.Dispose();

    [Fact]
    public void Sort_AnyMoments_IsStableAndComplete()
    {
        // Few different moments, many, and far apart ones: each choice of bits takes another number of passes.
        var cases =
            from bits in Gen.Choose(0, ReadyOrder.MomentBits)
            from moments in Gen.Choose(0, int.MaxValue).Two()
                .Select(pair => ((ulong)pair.Item1 << 31) | (uint)pair.Item2).ArrayOf()
            select moments.Select(moment => bits == 0 ? 0 : moment & (ulong.MaxValue >> (64 - bits))).ToArray();
        var config = Config.QuickThrowOnFailure.WithMaxTest(500).WithEndSize(400);
        Check.One(config, Prop.ForAll(cases.ToArbitrary(), moments =>
        {
            var entries = moments.Select((moment, slot) => (moment << ReadyOrder.SlotBits) | (uint)slot).ToArray();
            using var scope = _arena.HeapLock.Enter();
            var sorted = ReadyOrder.Sort((ulong[])entries.Clone(), new ulong[entries.Length], scope).ToArray();
            Assert.Equal(entries.Order(), sorted);
        }));
    }

    [Fact]
    public void TryPack_MomentAtTheEdgeOfItsBits_FitsOrSaysNo()
    {
        const long Most = (1L << ReadyOrder.MomentBits) - 1;
        Assert.True(ReadyOrder.TryPack(1_000 + Most, 1_000, 0, 5, out var entry));
        Assert.Equal(5u, ReadyOrder.SlotOf(entry));
        Assert.False(ReadyOrder.TryPack(1_001 + Most, 1_000, 0, 5, out _));
        Assert.True(ReadyOrder.TryPack(1_001 + Most, 1_000, 1, 5, out _));
        Assert.False(ReadyOrder.TryPack(999, 1_000, 0, 5, out _));
        Assert.True(ReadyOrder.TryPack(long.MaxValue, long.MinValue, 28, 5, out _));
    }
}
