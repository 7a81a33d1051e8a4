// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Muster.Arena.Tables;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Arena.Tables;

public sealed class WorkerTableTests : IDisposable
{
    private readonly PrivateTables _arena = new(workersMax: 200);

    private WorkerTable Workers => _arena.Workers;

    public void Dispose() => _arena.Dispose();

    [Fact]
    public void TakeChanged_MarkedRows_AreToldOnceEach()
    {
        Workers.HighWater = 200;
        Workers.MarkChanged(0);
        Workers.MarkChanged(199);
        Workers.MarkChanged(63);
        Workers.MarkChanged(64);
        Workers.MarkChanged(63);
        Assert.Equal([0u, 63u, 64u, 199u], TakeAll(64).Order());
        Assert.Empty(TakeAll(64));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    public void TakeChanged_ShortSpanAndBusyRows_ReachesEveryRow(int room)
    {
        // Rows 0 to 4 change before every call; the others changed once. None may be hidden for ever.
        Workers.HighWater = 200;
        for (var row = 0u; row < 200; row++)
        {
            Workers.MarkChanged(row);
        }

        var seen = new HashSet<uint>();
        var rows = new uint[room];
        for (var call = 0; call < 2_000 && seen.Count < 200; call++)
        {
            for (var busy = 0u; busy < 5; busy++)
            {
                Workers.MarkChanged(busy);
            }

            seen.UnionWith(rows[..Workers.TakeChanged(rows)]);
        }

        Assert.Equal(200, seen.Count);
    }

    [Fact]
    public void TakeChanged_WhileTheRegisterWrites_MissesNoLastChange()
    {
        // The Register writes a number and marks the row; after its last mark the Scheduler must have seen the last
        // one.
        const uint Changes = 200_000;
        Workers.HighWater = 3;
        var seen = new uint[3];
        var register = new Thread(() =>
        {
            for (var change = 1u; change <= Changes; change++)
            {
                Volatile.Write(ref Workers[change % 3].Running, change);
                Workers.MarkChanged(change % 3);
            }
        });
        register.Start();
        var rows = new uint[2];
        bool ended;
        do
        {
            ended = !register.IsAlive;
            int count;
            while ((count = Workers.TakeChanged(rows)) > 0)
            {
                foreach (var row in rows[..count])
                {
                    seen[row] = Volatile.Read(ref Workers[row].Running);
                }
            }
        }
        while (!ended);
        Assert.Equal([Changes - 2, Changes - 1, Changes], seen.Order());
    }

    [Fact]
    public void MarkChanged_RowThatWasNeverUsed_IsABrokenInvariant()
    {
        Workers.HighWater = 3;
        Assert.Throws<InvariantException>(() => Workers.MarkChanged(3));
    }

    [Fact]
    public void SetTexts_ThenRead_GivesThemBack()
    {
        Workers.SetTexts(7, "fräser-7", "höst", "1.2.3");
        Assert.Equal(("fräser-7", "höst", "1.2.3"), (Workers.Name(7), Workers.Host(7), Workers.Version(7)));
        Workers.SetTexts(7, "x", "", "0");
        Assert.Equal(("x", "", "0"), (Workers.Name(7), Workers.Host(7), Workers.Version(7)));
    }

    [Fact]
    public void SetTexts_LongerThanTheField_AreCutBetweenCharacters()
    {
        var texts = new string('ü', 40);
        Workers.SetTexts(7, texts, texts + "\U0001F600", texts);
        Assert.Equal(new string('ü', 31), Workers.Name(7));
        Assert.Equal(new string('ü', 31), Workers.Host(7));
        Assert.Equal(new string('ü', 15), Workers.Version(7));
        Assert.Equal(0u, Workers[8].Health);
    }

    [Fact]
    public void SetTexts_LoneSurrogate_BecomesAReplacementCharacter()
    {
        Workers.SetTexts(7, "a\uD800b", "h", "v");
        Assert.Equal("a\uFFFDb", Workers.Name(7));
    }

    [Fact]
    public void SetHandlers_Replaces_TheSet()
    {
        Workers.SetHandlers(5, [0, 63, 64, 1023]);
        Assert.Equal([0, 63, 64, 1023], Offered(5));
        Workers.SetHandlers(5, [1]);
        Assert.Equal([1], Offered(5));
        Assert.Empty(Offered(4));
        Assert.Throws<InvariantException>(() => Workers.SetHandlers(5, [1024]));
        Assert.Throws<InvariantException>(() => Workers.Offers(5, 1024));
    }

    [Fact]
    public void IdOf_RowAndEpoch_AreInIt()
    {
        Workers[3].Epoch = 9;
        Assert.Equal(3 | (9UL << 32), Workers.IdOf(3));
    }

    [Fact]
    public void Health_OfAFreshRow_IsFree()
    {
        Assert.Equal(WorkerHealth.Free, Workers.Health(199));
        Workers[199].Health = (uint)WorkerHealth.Draining;
        Assert.Equal(WorkerHealth.Draining, Workers.Health(199));
        Assert.Throws<InvariantException>(() => Workers.Health(200));
    }

    private List<int> Offered(uint row) =>
        [.. Enumerable.Range(0, 1024).Where(handler => Workers.Offers(row, (ushort)handler))];

    private List<uint> TakeAll(int room)
    {
        var all = new List<uint>();
        var rows = new uint[room];
        int count;
        while ((count = Workers.TakeChanged(rows)) > 0)
        {
            all.AddRange(rows[..count]);
        }

        return all;
    }
}
