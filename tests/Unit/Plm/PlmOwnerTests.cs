// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Arena;
using Muster.Arena.Spill;
using Muster.Core;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>Whose a task is: kept in slots, on disk and in the journal, asked for wherever an id comes in.</summary>
public sealed class PlmOwnerTests : IDisposable
{
    private const int Many = 400;
    private const ushort One = 3;
    private const ushort Two = 60_000;

    private static readonly PlmOptions s_options = new() { HoldFrom = 32, ExtentTasks = 16 };

    private readonly FakeSpill _files = new();
    private readonly FakeJournal _journal = new();
    private readonly PlmCell _cell;

    public PlmOwnerTests() => _cell = new PlmCell(s_options, journal: _journal, spill: _files);

    public void Dispose() => _cell.Dispose();

    [Fact]
    public void TasksOfSeveral_InSlotsAndOnDisk_AreEachOnesOwn()
    {
        var owners = SubmitMixed(DurabilityLevel.Memory);

        Assert.True(owners.Keys.Count(id => _cell.Arena.Spill.IsSpilled(new TaskId(id))) > Many / 2);
        CheckAll(_cell, owners);
        _cell.Restart();
        CheckAll(_cell, owners);
        foreach (var (id, owner) in owners.Reverse().Take(100))
        {
            var other = owner == One ? Two : One;
            Assert.Equal(CancelAnswer.NotFound, Cancel(id, other));
            Assert.Equal(CancelAnswer.Cancelled, Cancel(id, owner));
        }
    }

    [Fact]
    public void TasksOfSeveral_AfterTheLossOfTheArena_AreEachOnesOwnStill()
    {
        var owners = SubmitMixed(DurabilityLevel.Durable);
        _cell.Sync();
        _files.LoseArena();
        using var next = new PlmCell(
            ArenaFile.CreatePrivate(_cell.Arena.Limits, epoch: 2),
            _journal,
            _cell.NowMs,
            _files,
            s_options with { ReattachMs = 0 });

        CheckAll(next, owners);
    }

    [Fact]
    public void Places_OfAnExtentOnDisk_AreMarkedForTheirOwnerAlone()
    {
        var owners = SubmitMixed(DurabilityLevel.Memory);
        var spilled = owners.Keys.Select(id => new TaskId(id)).First(id => _cell.Arena.Spill.IsSpilled(id));
        var extent = SpillTable.ExtentOf(spilled.Slot);
        var places = new ulong[SpillRow.Words];

        foreach (var owner in (ushort[])[One, Two])
        {
            var generation = _cell.Turn(core => core.MarkOwned(extent, owner, places));
            Assert.Equal(_cell.Arena.Spill[extent].Generation, generation);
            for (var place = 0; place < _cell.Arena.Spill[extent].Count; place++)
            {
                var id = new TaskId(SpillTable.SlotOf(extent, place), generation).Value;
                Assert.Equal(owners[id] == owner, SpillRow.IsSet(places, place));
            }
        }
    }

    [Fact]
    public void Answers_AboutForeignAndAbsentTasks_AreTheSameText()
    {
        var (ids, _) = _cell.Submit(null, null, Spec(DurabilityLevel.Memory, One), "x");
        var foreign = new TaskId(ids[0]);
        var absent = new TaskId(foreign.Slot + 100, foreign.Generation);

        var one = _cell.Turn(core => core.Find(foreign, out _, out _, Two));
        var other = _cell.Turn(core => core.Find(absent, out _, out _, Two));

        Assert.Equal(FaultCode.TaskNotFound, one.Code);
        Assert.Equal(other.Code, one.Code);
        Assert.Equal(
            other.Message.Replace(absent.ToString(), "", StringComparison.Ordinal),
            one.Message.Replace(foreign.ToString(), "", StringComparison.Ordinal));
    }

    // In batches too small for an extent, so that extents are shared.
    private Dictionary<ulong, ushort> SubmitMixed(byte level)
    {
        var owners = new Dictionary<ulong, ushort>();
        for (var batch = 0; owners.Count < Many; batch++)
        {
            var owner = (batch % 3) switch
            {
                0 => One,
                1 => Two,
                _ => (ushort)0,
            };
            var (ids, faults) = _cell.Submit(null, null, Spec(level, owner), "a", "b", "c", "d", "e");
            Assert.Empty(faults);
            foreach (var id in ids)
            {
                owners.Add(id, owner);
            }

            if (level != DurabilityLevel.Memory)
            {
                _cell.Sync();
            }

            _cell.NowMs++;
            _cell.Turn(core => _files.Work(core));
        }

        _cell.Spin();
        return owners;
    }

    private static void CheckAll(PlmCell cell, Dictionary<ulong, ushort> owners)
    {
        foreach (var (id, owner) in owners)
        {
            foreach (var asking in (ushort[])[0, One, Two])
            {
                Assert.Equal(asking == owner, cell.Turn(core => core.IsOwn(new TaskId(id), asking)));
            }
        }

        cell.Core.CheckInvariants();
    }

    private CancelAnswer Cancel(ulong id, ushort owner) => _cell.Turn(core =>
    {
        var answers = new CancelAnswer[1];
        core.Cancel([id], answers, owner: owner);
        return answers[0];
    });

    private TaskSpec Spec(byte level, ushort owner) => _cell.Spec((ref TaskOptionsView view) =>
    {
        view.Durability = level;
        view.AttemptsMax = 3;
        view.RetentionMs = 60_000;
    }) with { Owner = owner };
}
