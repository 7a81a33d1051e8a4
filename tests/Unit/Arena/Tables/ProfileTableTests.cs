// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Arena.Tables;

public sealed class ProfileTableTests : IDisposable
{
    private readonly ArenaMap _arena = ArenaFile.CreatePrivate(new ArenaLimits
    {
        TasksMax = 8_192,
        WorkersMax = 16,
        ClientsMax = 16,
        KeysMax = 16,
        PayloadBytesMax = ArenaLimits.PayloadBytesMin,
        ResultBytesMax = ArenaLimits.ResultBytesMin,
    });

    private ProfileTable Table => _arena.Profiles;

    public void Dispose() => _arena.Dispose();

    [Fact]
    public void Intern_TheSameOptions_IsTheSameRowAndOtherOptionsAnother()
    {
        var row = Row(7);
        row.SetFinalErrors("A\nB\n"u8);
        var first = Intern(row);
        Assert.Equal(first, Intern(row));
        Assert.Equal("A\nB\n", Encoding.UTF8.GetString(Table[first].FinalErrors));

        var other = row;
        other.SetFinalErrors("A\nC\n"u8);
        Assert.NotEqual(first, Intern(other));

        // Names that were there before leave nothing behind.
        other.SetFinalErrors("A\nB\n"u8);
        Assert.Equal(first, Intern(other));
        other.CancelGraceMs++;
        Assert.NotEqual(first, Intern(other));
    }

    [Fact]
    public void Intern_MoreThanFit_IsRefusedUntilARowFallsIdle()
    {
        for (uint delay = 0; delay < ProfileTable.SubmittedMax; delay++)
        {
            Table.Hold(Intern(Row(delay)));
        }

        Assert.Equal(ProfileTable.SubmittedMax, Table.Count);
        Assert.False(Table.TryIntern(Row(1_000_000), ProfileTable.SubmittedMax, out _));
        Assert.True(Table.TryIntern(Row(5), ProfileTable.SubmittedMax, out var known));
        Assert.Equal(5u, Table[known].RetryDelayMs);

        // What comes back from disk has rows of its own.
        Assert.True(Table.TryIntern(Row(1_000_000), ArenaLayout.ProfilesMax, out var reserved));
        Table.Hold(reserved);
        Table.Drop(reserved);
        Table.Drop(known);
        Assert.True(Table.TryIntern(Row(2_000_000), ProfileTable.SubmittedMax, out var reused));
        Assert.Equal(2_000_000u, Table[reused].RetryDelayMs);
    }

    [Fact]
    public void Rows_OfRandomLives_AlwaysSayWhatWasInterned()
    {
        var random = new Random(23);
        var held = new List<(ushort Index, uint Delay)>();
        for (var step = 0; step < 40_000; step++)
        {
            if (held.Count < 3_000 && random.Next(2) == 0)
            {
                var delay = (uint)random.Next(20_000);
                var index = Intern(Row(delay));
                Table.Hold(index);
                held.Add((index, delay));
            }
            else if (held.Count > 0)
            {
                var at = random.Next(held.Count);
                Table.Drop(held[at].Index);
                held[at] = held[^1];
                held.RemoveAt(held.Count - 1);
            }

            if (step % 1_000 == 0)
            {
                Assert.All(held, each => Assert.Equal(each.Delay, Table[each.Index].RetryDelayMs));
                Assert.Equal(held.Select(each => each.Index).Distinct().Count(), Table.Count);
            }
        }

        Assert.Equal(
            held.Select(each => each.Delay).Distinct().Count(), held.Select(each => each.Index).Distinct().Count());
    }

    [Fact]
    public void Rebuild_CountsWhatSlotsNameAndForgetsTheRest()
    {
        var kept = Intern(Row(1));
        var idle = Intern(Row(2));
        _arena.Tasks.HighWater = 2;
        foreach (var slot in new uint[] { 0, 1 })
        {
            _arena.Tasks[slot].Generation = 4_097;
            _arena.Tasks[slot].Profile = kept;
            var accepted = new StateWord(TaskState.Accepted, Attempt.None, 4_097);
            Assert.True(_arena.Tasks.TryStep(Muster.Core.Role.Plm, slot, _arena.Tasks.Read(slot), accepted));
        }

        Table.Rebuild(_arena.Tasks);
        Assert.Equal(1, Table.Count);
        Table.CheckInvariants(_arena.Tasks);
        Assert.Equal(kept, Intern(Row(1)));
        Assert.NotEqual(kept, Intern(Row(2)));
        Assert.True(idle < ArenaLayout.ProfilesMax);
    }

    private static ProfileRow Row(uint delayMs) => new() { AttemptsMax = 3, RetryDelayMs = delayMs };

    private ushort Intern(in ProfileRow row)
    {
        Assert.True(Table.TryIntern(row, ProfileTable.SubmittedMax, out var index));
        return index;
    }
}
