// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text;
using System.Threading;
using Muster.Arena;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Arena.Tables;

public sealed class ProgressTableTests : IDisposable
{
    private readonly ArenaMap _arena = ArenaFile.CreatePrivate(new ArenaLimits
    {
        TasksMax = ArenaLimits.TasksMaxMin,
        WorkersMax = 16,
        ClientsMax = 16,
        KeysMax = 16,
        PayloadBytesMax = ArenaLimits.PayloadBytesMin,
        ResultBytesMax = ArenaLimits.ResultBytesMin,
    });

    public void Dispose() => _arena.Dispose();

    [Fact]
    public void Read_OfTheAttemptThatSpoke_IsItsLastWordAndOfNoOther()
    {
        var task = new TaskId(77);
        Say(task, 1, 10, "first");
        Say(task, 2, 20, "größer");
        Assert.True(_arena.Progress.TryRead(task, new(2), out var note));
        Assert.Equal(("größer", 20L), (note.Details, note.UnixUs));
        Assert.False(_arena.Progress.TryRead(task, new(1), out _));
        Assert.False(_arena.Progress.TryRead(new(78), new(2), out _));
    }

    [Fact]
    public void Write_LongText_IsCutToTheRow()
    {
        Say(new(5), 1, 1, new string('x', 500));
        Assert.True(_arena.Progress.TryRead(new(5), new(1), out var note));
        Assert.Equal(new string('x', 200), note.Details);
    }

    [Fact]
    public void Write_MoreTasksThanRows_KeepsTheLatestOfThem()
    {
        for (ulong task = 1; task <= 20_000; task++)
        {
            Say(new(task), 1, (long)task, "x");
        }

        var kept = Enumerable.Range(19_001, 1_000).Count(
            task => _arena.Progress.TryRead(new((ulong)task), new(1), out _));
        Assert.InRange(kept, 950, 1_000);
    }

    [Fact]
    public void Read_WhileItIsWritten_NeverMixesTwoTexts()
    {
        var stop = 0;
        var writer = new Thread(() =>
        {
            for (var round = 0; Volatile.Read(ref stop) == 0; round++)
            {
                Say(new(9), 1, round, new string((char)('a' + (round % 26)), 200));
            }
        });
        writer.Start();
        var seen = 0;
        for (var look = 0; look < 20_000; look++)
        {
            if (_arena.Progress.TryRead(new(9), new(1), out var note))
            {
                seen++;
                Assert.Equal(new string((char)('a' + (note.UnixUs % 26)), 200), note.Details);
            }
        }

        Volatile.Write(ref stop, 1);
        writer.Join();
        Assert.True(seen > 0);
    }

    private void Say(TaskId task, uint attempt, long unixUs, string text) =>
        _arena.Progress.Write(task, new(attempt), unixUs, Encoding.UTF8.GetBytes(text));
}
