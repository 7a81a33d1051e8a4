// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using Muster.Arena.Tables;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Arena.Tables;

public sealed class HandlerTableTests : IDisposable
{
    private readonly PrivateTables _arena = new();

    private HandlerTable Handlers => _arena.Handlers;

    public void Dispose() => _arena.Dispose();

    [Fact]
    public void NewTable_HoldsTheCommandHandlerFirst()
    {
        Assert.Equal(1, Handlers.Count);
        Assert.True(Handlers.TryFind("muster.command"u8, out var index));
        Assert.Equal(0, index);
        Assert.Equal(TaskLimits.CommandHandler, Handlers.Name(0));
        Assert.True(Handlers.NameUtf8(0).SequenceEqual("muster.command"u8));
        Assert.True(Handlers.TryIntern("muster.command"u8, out index));
        Assert.Equal(0, index);
        Assert.Equal(1, Handlers.Count);
    }

    [Fact]
    public void TryIntern_NamesOfEveryLength_AreStoredOnceAndSeenByOthers()
    {
        var other = _arena.NewHandlers();
        for (var length = 1; length <= TaskLimits.HandlerNameBytesMax; length++)
        {
            var name = Encoding.UTF8.GetBytes(new string('h', length));
            Assert.False(other.TryFind(name, out _));
            Assert.True(Handlers.TryIntern(name, out var index));
            Assert.Equal(length, index);
            Assert.True(other.TryIntern(name, out var again));
            Assert.Equal(index, again);
            Assert.True(other.NameUtf8(index).SequenceEqual(name));
            Assert.Equal(new string('h', length), Handlers.Name(index));
        }

        Assert.Equal(TaskLimits.HandlerNameBytesMax + 1, other.Count);
    }

    [Fact]
    public void Name_IndexAddedByAnother_IsRead()
    {
        Assert.True(_arena.NewHandlers().TryIntern("späte.aufgabe"u8, out var index));
        Assert.Equal("späte.aufgabe", Handlers.Name(index));
        Assert.Throws<InvariantException>(() => Handlers.Name((ushort)(index + 1)));
    }

    [Fact]
    public void TryIntern_FullTable_SaysSoAndStillFindsAll()
    {
        for (var number = 1; number < 1024; number++)
        {
            Assert.True(Handlers.TryIntern(Encoding.UTF8.GetBytes($"handler.{number}"), out var index));
            Assert.Equal(number, index);
        }

        Assert.Equal(1024, Handlers.Count);
        Assert.False(Handlers.TryIntern("one.more"u8, out _));
        var other = _arena.NewHandlers();
        Assert.False(other.TryIntern("one.more"u8, out _));
        Assert.True(other.TryIntern("handler.1023"u8, out var last));
        Assert.Equal(1023, last);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    [InlineData("a name of 129 bytes: ********************************************************************************"
        + "****************************")]
    public void TryIntern_NameThatValidationRefuses_IsABrokenInvariant(string name)
    {
        Assert.Throws<InvariantException>(() => Handlers.TryIntern(Encoding.UTF8.GetBytes(name), out _));
    }

    [Fact]
    public void TryIntern_TwoProcessesAndFourThreads_AgreeOnEveryIndex()
    {
        var tables = new[] { Handlers, _arena.NewHandlers() };
        var found = new Dictionary<string, ushort>[4];
        using var start = new Barrier(4);
        var threads = Enumerable.Range(0, 4).Select(number => new Thread(() =>
        {
            var mine = found[number] = [];
            start.SignalAndWait();
            for (var step = 0; step < 500; step++)
            {
                var name = $"handler.{(step * 7 + number * 13) % 500}";
                Assert.True(tables[number % 2].TryIntern(Encoding.UTF8.GetBytes(name), out var index));
                mine[name] = index;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(501, Handlers.Count);
        Assert.All(found, mine => Assert.Equal(found[0].OrderBy(pair => pair.Key), mine.OrderBy(pair => pair.Key)));
        Assert.Equal(500, found[0].Values.Distinct().Count());
    }

    [Fact]
    public void TryIntern_AfterAHolderOfTheLockDied_GoesOn()
    {
        _arena.DieHolding(_arena.NamesLock, () => { });
        Assert.True(Handlers.TryIntern("after"u8, out var index));
        Assert.Equal(1, index);
    }

    [Fact]
    public void TryFind_KnownAndUnknownNames_AllocateNothing()
    {
        Assert.True(Handlers.TryIntern("known"u8, out _));
        Handlers.TryFind("known"u8, out _);
        Handlers.TryFind("unknown"u8, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var step = 0; step < 1000; step++)
        {
            Handlers.TryFind("known"u8, out _);
            Handlers.TryFind("unknown"u8, out _);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
