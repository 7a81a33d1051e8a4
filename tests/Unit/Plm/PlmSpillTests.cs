// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Muster.Arena;
using Muster.Arena.Spill;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

public sealed class PlmSpillTests : IDisposable
{
    private const int Many = 400;

    private static readonly PlmOptions s_options = new() { HoldFrom = 32, ExtentTasks = 16 };

    private readonly FakeSpill _files = new();
    private readonly FakeJournal _journal = new();
    private readonly PlmCell _cell;

    public PlmSpillTests() => _cell = new PlmCell(s_options, journal: _journal, spill: _files);

    public void Dispose() => _cell.Dispose();

    [Fact]
    public void Backlog_BeyondTheArena_WaitsOnDiskAndRunsInTheOrderOfSubmission()
    {
        var ids = Submit(Many);
        _cell.Spin();
        Assert.True(_cell.Arena.Counter(CellCounter.SpilledNow) > Many / 2);
        Assert.Equal((ulong)Many, _cell.Arena.Counter(CellCounter.TasksNow));
        _cell.Core.CheckInvariants();
        Assert.Equal(ids, RunAll());
        Assert.Equal(0, _files.Files);
        Assert.Equal(0ul, _cell.Arena.Counter(CellCounter.SpilledNow));
    }

    [Fact]
    public void Backlog_WhilePlmsDieAgainAndAgain_RunsOnceEachInOrder()
    {
        var random = new Random(3);
        var ids = Submit(Many);
        var ran = new List<ulong>();
        while (ran.Count < Many)
        {
            _cell.Turn(core => _files.Work(core, random.Next(3)));
            ran.AddRange(RunReady(random.Next(20)));
            if (random.Next(4) == 0)
            {
                _files.Die(random);
                _cell.Restart();
            }

            _cell.Core.CheckInvariants();
        }

        Assert.Equal(ids, ran);
    }

    [Fact]
    public void OtherClass_WhileOneFillsTheArena_DoesNotWait()
    {
        Submit(Many);
        _cell.Spin();
        var (ids, _) = _cell.Submit(null, null, Spec(DurabilityLevel.Memory, priority: 7), "urgent");
        Assert.Equal(ids, RunReady(1));
    }

    [Fact]
    public void Cancel_OfATaskOnDisk_EndsItWithoutItsTurn()
    {
        var stream = new FakeStream(_cell.Arena);
        var session = _cell.Open(5, stream);
        var ids = Submit(Many, session, stream);
        _cell.Spin();
        var onDisk = ids[^100];
        Assert.True(_cell.Arena.Spill.IsSpilled(new TaskId(onDisk)));
        Assert.Equal(CancelAnswer.Cancelled, _cell.Cancel(onDisk));
        Assert.Equal(CancelAnswer.AlreadyCancelled, _cell.Cancel(onDisk));
        _cell.Spin();
        var ended = Assert.Single(stream.Results);
        Assert.Equal((onDisk, Outcome.Cancelled), (ended.Id.Value, ended.Outcome));
        Assert.DoesNotContain(onDisk, RunAll(session, stream));
    }

    [Fact]
    public void Await_OfATaskOnDisk_IsResolvedWhenItHasRun()
    {
        var ids = Submit(Many);
        _cell.Spin();
        var awaiter = new FakeAwaiter();
        var gone = new FakeAwaiter();
        _cell.Turn(core =>
        {
            Assert.True(core.Await(new TaskId(ids[^1]), awaiter, out _, out var isDone).IsNone && !isDone);
            Assert.True(core.Await(new TaskId(ids[^2]), gone, out _, out _).IsNone);
            core.StopAwaiting(new TaskId(ids[^2]), gone);
        });
        RunAll();
        Assert.Equal(1, awaiter.Resolved);
        Assert.Equal(0, gone.Resolved);
    }

    [Fact]
    public void Key_OfATaskOnDisk_NamesItStill()
    {
        Submit(100);
        var (first, _, _, _) = _cell.SubmitKeyed(null, null, Spec(DurabilityLevel.Memory), ("work", "key"));
        Submit(Many);
        _cell.Spin();
        Assert.True(_cell.Arena.Spill.IsSpilled(new TaskId(first[0])));
        _cell.Restart();
        var (again, _, duplicates, _) = _cell.SubmitKeyed(null, null, Spec(DurabilityLevel.Memory), ("work", "key"));
        Assert.Equal(first, again);
        Assert.Single(duplicates);
        Assert.Contains(first[0], RunAll());
        _cell.Core.CheckInvariants();
    }

    [Fact]
    public void Expiry_OfATaskOnDisk_EndsItInTime()
    {
        Submit(200);
        var late = Submit(16, spec: _cell.Spec((ref TaskOptionsView view) =>
        {
            view.Durability = DurabilityLevel.Memory;
            view.ExpiresAfterMs = 500;
        }));
        Submit(200);
        _cell.Spin();
        Assert.All(late, id => Assert.True(_cell.Arena.Spill.IsSpilled(new TaskId(id))));
        _cell.NowMs += 600;
        _cell.Spin();
        Assert.Equal((ulong)late.Length, _cell.Arena.Counter(CellCounter.Expired));
        Assert.Empty(RunAll().Intersect(late));
    }

    [Fact]
    public void Session_ThatComesBack_IsToldOfItsTasksOnDisk()
    {
        var stream = new FakeStream(_cell.Arena);
        var ids = Submit(Many, _cell.Open(5, stream), stream);
        _cell.Spin();
        _cell.Restart();
        _cell.Open(5, new FakeStream(_cell.Arena), out var known, first: 1, last: Many);
        Assert.Equal(ids, known.Select(entry => entry.Id.Value));
        Assert.Equal(Enumerable.Range(1, Many).Select(number => (ulong)number), known.Select(entry => entry.Ref));
    }

    [Fact]
    public void FullDisk_RefusesWhatDoesNotFitAndLosesNothing()
    {
        _files.IsFull = true;
        var accepted = new List<ulong>();
        Fault refusal;
        do
        {
            var (ids, faults) = _cell.Submit(null, null, Spec(DurabilityLevel.Memory), "task");
            refusal = faults.Length == 0 ? Fault.None : faults[0].Fault;
            accepted.AddRange(ids.Where(id => id != 0));
            _cell.Turn(core => _files.Work(core));
        }
        while (refusal.IsNone);
        Assert.Equal(FaultCode.DiskFull, refusal.Code);
        _files.IsFull = false;
        _cell.Spin();
        accepted.AddRange(Submit(Many));
        Assert.Equal(accepted, RunAll());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reboot_WithMoreThanTheArenaHolds_RestoresAllInOrder(bool withSnapshot)
    {
        var ids = Submit(2_000, level: DurabilityLevel.Durable);
        _cell.Sync();
        _cell.Spin();
        var ran = RunReady(100);
        _cell.Sync();
        _cell.NowMs += 10;
        _cell.Turn();
        _cell.Sync();
        if (withSnapshot)
        {
            _journal.WantsSnapshot = true;
            for (var turn = 0; turn < 4_000 && _journal.Forgotten == 0; turn++)
            {
                _cell.NowMs += 5;
                _cell.Turn(core => _files.Work(core));
                _journal.WantsSnapshot = false;
                _cell.Sync();
            }

            Assert.NotEqual(0ul, _journal.Forgotten);
        }

        using var next = Reboot();
        Assert.True(next.Recovered.IsNone, next.Recovered.Message);
        Assert.Equal((ulong)(ids.Length - ran.Length), next.Arena.Counter(CellCounter.TasksNow));
        Assert.Equal(ids.Except(ran), RunAll(next));
    }

    [Fact]
    public void Cancel_WhenThePlmDiesAsTheTaskIsReadIn_Holds()
    {
        _files.IsFull = true;
        var ids = Submit(100);
        var held = new TaskId(ids[^1]);
        var extents = _cell.Arena.Spill;
        Assert.True(extents.TryFindExtent(held, out var extent));
        Assert.Equal(SpillState.Held, extents.State(extent));

        // What a predecessor left that died between the mark and the end.
        SpillRow.Set(extents.Cancelled(extent), SpillTable.PlaceOf(held.Slot));
        _cell.Restart();
        Assert.Equal(1ul, _cell.Arena.Counter(CellCounter.Cancelled));
        Assert.Equal(ids[..^1], RunAll());
    }

    [Fact]
    public void Cancels_AllOverTheBacklog_LeaveRoomForThoseInTurn()
    {
        var ids = Submit(3_000);
        _cell.Spin();
        var cancelled = OnePerExtent(ids).Where(id => _cell.Arena.Spill.IsSpilled(new TaskId(id))).Reverse().ToArray();
        Assert.True(cancelled.Length > 100);
        Assert.All(cancelled, id => Assert.Equal(CancelAnswer.Cancelled, _cell.Cancel(id)));
        Assert.Equal(ids.Except(cancelled), RunAll());
        Assert.Equal((ulong)cancelled.Length, _cell.Arena.Counter(CellCounter.Cancelled));
    }

    [Fact]
    public void Extents_OfWhichATaskHasEnded_GoToDiskWhenItIsGone()
    {
        _files.IsFull = true;
        var ids = Submit(800);
        var cancelled = OnePerExtent(ids);
        Assert.All(cancelled, id => Assert.Equal(CancelAnswer.Cancelled, _cell.Cancel(id)));
        _cell.Spin();
        _cell.NowMs += 10;
        _cell.Turn();
        _files.IsFull = false;
        _cell.Spin();
        Assert.InRange(_cell.Arena.Counter(CellCounter.HeldNow), 0ul, 64ul);
        Assert.Equal(ids.Except(cancelled), RunAll());
    }

    [Fact]
    public void Await_WhatWasRefusedForWantOfRoom_TakesNone()
    {
        using var cell = new PlmCell(s_options with { AwaitersMax = 1 }, spill: _files);
        var ids = new List<ulong>();
        for (var turn = 0; turn < 100; turn++)
        {
            ids.AddRange(cell.Submit(null, null, cell.Spec(), "a", "b", "c", "d").Ids);
            cell.Turn(core => _files.Work(core));
        }

        var waits = new FakeAwaiter();
        cell.Turn(core =>
        {
            Assert.True(core.Await(new TaskId(ids[^100]), waits, out _, out _).IsNone);
            Assert.False(core.Await(new TaskId(ids[^101]), new FakeAwaiter(), out _, out _).IsNone);
            core.StopAwaiting(new TaskId(ids[^100]), waits);
            Assert.True(core.Await(new TaskId(ids[^102]), waits, out _, out _).IsNone);
        });
    }

    [Fact]
    public void Reboot_WithCancelsAllOverTheBacklog_RestoresTheRest()
    {
        var ids = Submit(2_000, level: DurabilityLevel.Durable);
        _cell.Spin();
        var cancelled = OnePerExtent(ids).Where(id => _cell.Arena.Spill.IsSpilled(new TaskId(id))).Reverse().ToArray();
        Assert.All(cancelled, id => Assert.Equal(CancelAnswer.Cancelled, _cell.Cancel(id)));
        _cell.Sync();
        using var next = Reboot();
        Assert.True(next.Recovered.IsNone, next.Recovered.Message);
        Assert.Equal(ids.Except(cancelled), RunAll(next));
        Assert.Equal((ulong)cancelled.Length, next.Arena.Counter(CellCounter.Cancelled));
    }

    [Fact]
    public void Reboot_OfASessionThatConfirmedSome_CountsTheOthersOnly()
    {
        var stream = new FakeStream(_cell.Arena);
        var session = _cell.Open(5, stream);
        var ids = Submit(450, session, stream, DurabilityLevel.Durable);
        _cell.Spin();
        Assert.Equal(CancelAnswer.Cancelled, _cell.Cancel(ids[^100]));
        _cell.Spin();
        _cell.Sync();
        _cell.Turn();
        Assert.Single(stream.Results);
        Assert.True(_cell.Confirm(session, stream, 1).IsNone);
        _cell.Sync();
        using var next = Reboot();
        var again = next.Open(5, new FakeStream(next.Arena), out var known, first: 1, last: 450);
        Assert.Equal(ids.Where(id => id != ids[^100]), known.Select(entry => entry.Id.Value));
        Assert.Equal(449u, again.Outstanding);
    }

    [Fact]
    public void NoFiles_RefusesAsBefore()
    {
        using var cell = new PlmCell();
        var (ids, faults) = cell.Submit(null, null, cell.Spec(), [.. Enumerable.Repeat("x", 1_100)]);
        Assert.Equal(FaultCode.ArenaFull, faults[0].Fault.Code);
        Assert.Equal(1_024, ids.Count(id => id != 0));
    }

    private static ulong[] OnePerExtent(IEnumerable<ulong> ids) =>
        [.. ids.Where(id => SpillTable.Covers(new TaskId(id).Slot))
            .GroupBy(id => SpillTable.ExtentOf(new TaskId(id).Slot)).Select(extent => extent.Last())];

    // The arena is gone, and what is on disk with it.
    private PlmCell Reboot()
    {
        _files.LoseArena();
        return new PlmCell(
            ArenaFile.CreatePrivate(_cell.Arena.Limits, epoch: 2),
            _journal,
            _cell.NowMs,
            _files,
            s_options with { ReattachMs = 0 });
    }

    private Muster.Plm.TaskSpec Spec(byte level, int priority = 4) => _cell.Spec((ref TaskOptionsView view) =>
    {
        view.Durability = level;
        view.HasPriority = true;
        view.Priority = priority;
        view.AttemptsMax = 3;
        view.RetentionMs = 1;
    });

    private ulong[] Submit(
        int count,
        PlmSession? session = null,
        FakeStream? stream = null,
        byte level = DurabilityLevel.Memory,
        Muster.Plm.TaskSpec? spec = null)
    {
        var all = new List<ulong>();
        while (all.Count < count)
        {
            var payloads = Enumerable.Range(all.Count, Math.Min(20, count - all.Count))
                .Select(number => number.ToString(CultureInfo.InvariantCulture)).ToArray();
            var (ids, faults) = _cell.Submit(session, stream, spec ?? Spec(level), payloads);
            Assert.Empty(faults);
            all.AddRange(ids);
            if (level != DurabilityLevel.Memory)
            {
                _cell.Sync();
            }

            _cell.NowMs++;
            _cell.Turn(core => _files.Work(core));
        }

        return [.. all];
    }

    private ulong[] RunReady(int max, PlmCell? cell = null)
    {
        cell ??= _cell;
        var ran = new List<ulong>();
        foreach (var task in cell.Assign(max))
        {
            ran.Add(cell.Arena.Tasks.IdOf(task.Slot).Value);
            Assert.True(cell.Report(task));
        }

        cell.NowMs += 10;
        cell.Turn();
        cell.DrainOthers();
        return [.. ran];
    }

    private ulong[] RunAll(PlmSession session, FakeStream stream)
    {
        var ran = RunAll(_cell, () => _cell.Confirm(session, stream, (ulong)stream.Results.Count));
        return ran;
    }

    private ulong[] RunAll() => RunAll(_cell);

    private static readonly Action s_nothing = () => { };

    private ulong[] RunAll(PlmCell cell, Action? between = null)
    {
        var ran = new List<ulong>();
        for (var idle = 0; idle < 20; idle++)
        {
            cell.NowMs += 60;
            cell.Turn(core => _files.Work(core));
            if (cell.Journal is not null)
            {
                cell.Sync();
            }

            var some = RunReady(50, cell);
            idle = some.Length > 0 ? 0 : idle;
            ran.AddRange(some);
            (between ?? s_nothing)();
        }

        return [.. ran];
    }
}
