// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

public sealed class PlmSubmitTests
{
    [Fact]
    public void Submit_SessionBatch_IsReadyDeliveredAndFreed()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var (ids, faults) = cell.Submit(session, stream, cell.Spec(), "a", "b", "c");
        Assert.Empty(faults);
        Assert.Equal(3, ids.Distinct().Count());
        Assert.Equal(3u, cell.Arena.Ready.Count);
        Assert.True(cell.Effects.SchedulerSignals > 0);
        var taken = cell.Assign();
        Assert.Equal("b", Encoding.UTF8.GetString(Payload(cell, taken[1].Slot)));
        Assert.True(cell.Report(taken[1], output: "B"));
        Assert.True(cell.Report(taken[0], output: "A"));
        cell.Turn();
        Assert.Equal([2ul, 1ul], stream.Results.Select(result => result.Ref));
        Assert.Equal(["B", "A"], stream.Results.Select(result => result.Output));
        Assert.True(cell.Confirm(session, stream, 2).IsNone);
        Assert.Equal(TaskState.Free, cell.StateOf(ids[0]));
        Assert.Equal(TaskState.Assigned, cell.StateOf(ids[2]));
        cell.DrainOthers();
        Assert.Equal(0, cell.ResultBytesUsed);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Submit_BatchWithBadItems_RefusesOnlyThose()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var spec = cell.Spec();
        var tooLarge = new byte[(1 << 20) + 1];
        cell.Turn(core =>
        {
            Assert.True(core.BeginBatch(session, stream, 1, 4, spec).IsNone);
            core.AddItem("a"u8);
            core.AddItem(tooLarge);
            core.AddItem("c"u8, new byte[TaskLimits.KeyBytesMax + 1]);
            core.AddItem("d"u8);
            var receipt = core.EndBatch();
            Assert.Equal([1, 2], receipt.Faults.Select(fault => fault.Index));
            Assert.Equal(FaultCode.PayloadTooLarge, receipt.Faults[0].Fault.Code);
            Assert.Equal(FaultCode.InvalidArgument, receipt.Faults[1].Fault.Code);
            Assert.Equal([true, false, false, true], receipt.Ids.ToArray().Select(id => id != 0));
            Assert.Equal(4ul, cell.SlotOf(receipt.Ids[3]).Ref);
        });
        Assert.Equal(4ul, session.DecidedRef);
        Assert.Equal(2u, session.Outstanding);
        Assert.Equal(2ul, cell.Arena.Counter(CellCounter.Refused));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Submit_BadOptions_RefusesEveryItemAndDecidesTheRefs()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var refusal = TaskRules.TryMake(
            cell.Arena,
            new TaskOptionsView { HandlerUtf8 = "work"u8, HasPriority = true, Priority = -1 },
            out var spec);
        cell.Turn(core =>
        {
            Assert.True(core.BeginBatch(session, stream, 1, 2, spec, refusal).IsNone);
            core.AddItem("a"u8);
            core.AddItem("b"u8);
            var receipt = core.EndBatch();
            Assert.All(receipt.Faults, fault => Assert.Equal(FaultCode.PriorityOutOfRange, fault.Fault.Code));
            Assert.Equal(2, receipt.Faults.Count);
        });
        Assert.Equal(2ul, session.DecidedRef);
        Assert.Equal(0u, session.Outstanding);
    }

    [Fact]
    public void Submit_WrongFirstRefEmptyOrHugeBatch_ChangesNothing()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var spec = cell.Spec();
        cell.Turn(core =>
        {
            Assert.Equal(FaultCode.RefOutOfOrder, core.BeginBatch(session, stream, 2, 1, spec).Code);
            Assert.Equal(FaultCode.InvalidArgument, core.BeginBatch(session, stream, 1, 0, spec).Code);
            Assert.Equal(FaultCode.BatchTooLarge, core.BeginBatch(session, stream, 1, 10_001, spec).Code);
        });
        Assert.Equal(0ul, session.DecidedRef);
        Assert.Equal(0ul, cell.Arena.Ready.Count);
    }

    [Fact]
    public void Submit_ArenaFull_RefusesTheTailAndRecoversAfterConfirm()
    {
        using var cell = new PlmCell(new PlmOptions { OutstandingMax = 2_000 });
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var spec = cell.Spec();
        cell.Submit(session, stream, spec, [.. Enumerable.Repeat("x", 20)]);
        cell.Submit(null, null, spec, [.. Enumerable.Repeat("x", 1_000)]);
        var (ids, faults) = cell.Submit(session, stream, spec, [.. Enumerable.Repeat("x", 10)]);
        Assert.Equal(4, ids.Count(id => id != 0));
        Assert.Equal([4, 5, 6, 7, 8, 9], faults.Select(fault => fault.Index));
        Assert.All(faults, fault => Assert.Equal(FaultCode.ArenaFull, fault.Fault.Code));
        Assert.All(faults, fault => Assert.True(fault.Fault.RetryAfterMs > 0));
        foreach (var task in cell.Assign(5))
        {
            cell.Report(task);
        }

        cell.Turn();
        Assert.Equal(5, stream.Results.Count);
        cell.Confirm(session, stream, 5);
        (ids, faults) = cell.Submit(session, stream, spec, [.. Enumerable.Repeat("x", 6)]);
        Assert.Equal(5, ids.Count(id => id != 0));
        Assert.Single(faults);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Submit_PayloadSpaceFull_RefusesWithRetryDelay()
    {
        using var cell = new PlmCell(new PlmOptions { OutstandingMax = 2_000 });
        var big = new string('x', 300_000);
        var (ids, faults) = cell.Submit(null, null, cell.Spec(), big, big, big, big, big);
        Assert.InRange(ids.Count(id => id != 0), 2, 3);
        Assert.Equal(FaultCode.ArenaFull, faults[0].Fault.Code);
        Assert.True(faults[0].Fault.RetryAfterMs > 0);

        // What was refused took nothing: the small ones of a later batch fit.
        (_, faults) = cell.Submit(null, null, cell.Spec(), "small");
        Assert.Empty(faults);
    }

    [Fact]
    public void Submit_OverTheSessionsLimit_IsRefusedWithRetryDelay()
    {
        using var cell = new PlmCell(new PlmOptions { OutstandingMax = 3 });
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(7, stream);
        var (ids, faults) = cell.Submit(session, stream, cell.Spec(), "a", "b", "c", "d");
        Assert.Equal(0ul, ids[3]);
        Assert.Equal(FaultCode.OutstandingLimit, faults[0].Fault.Code);
        Assert.True(faults[0].Fault.RetryAfterMs > 0);
        Assert.Equal(4ul, session.DecidedRef);
    }

    [Fact]
    public void Submit_SameSlotManyTimes_NeverRepeatsAnId()
    {
        using var cell = new PlmCell();
        var seen = new System.Collections.Generic.HashSet<ulong>();
        var spec = cell.Spec();
        for (var round = 0; round < 2_000; round++)
        {
            var (ids, _) = cell.Submit(null, null, spec, "x");
            Assert.True(seen.Add(ids[0]));
            Assert.Equal(CancelAnswer.Cancelled, cell.Cancel(ids[0]));
            Assert.Equal(1, cell.Turn(core => core.ReleaseTasks([ids[0]])));
        }

        Assert.Equal(1u, cell.Arena.Tasks.HighWater);
    }

    [Fact]
    public void Submit_SlotWithNoGenerationLeft_UsesAnother()
    {
        using var cell = new PlmCell();
        var spec = cell.Spec();
        var (ids, _) = cell.Submit(null, null, spec, "x");
        cell.Cancel(ids[0]);
        cell.Turn(core => core.ReleaseTasks([ids[0]]));

        // As after two million uses of the slot.
        var last = TaskId.FirstGeneration(1) - 1 + TaskId.CountMax;
        cell.Arena.Tasks[0].Generation = last;
        cell.Restart();
        Assert.Equal(1u, cell.Core.RetiredSlots);
        (ids, _) = cell.Submit(null, null, cell.Spec(), "y");
        Assert.Equal(1u, new TaskId(ids[0]).Slot);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Find_IdOfAnEarlierEpochOrOfNoTask_SaysSo()
    {
        using var cell = new PlmCell(epoch: 5);
        var earlier = new TaskId(0, TaskId.FirstGeneration(4));
        var present = new TaskId(0, TaskId.FirstGeneration(5));
        Assert.Equal(FaultCode.TaskIdFromEarlierArena, cell.Core.Find(earlier, out _, out _).Code);
        Assert.Equal(FaultCode.TaskNotFound, cell.Core.Find(present, out _, out _).Code);
        Assert.Equal(FaultCode.TaskNotFound, cell.Core.Find(TaskId.None, out _, out _).Code);
    }

    [Fact]
    public void Await_TaskWithoutSession_ResolvesAllWaitersAndKeepsTheResult()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        var first = new FakeAwaiter();
        var second = new FakeAwaiter();
        var gone = new FakeAwaiter();
        cell.Turn(core =>
        {
            foreach (var awaiter in new[] { first, gone, second })
            {
                Assert.True(core.Await(new TaskId(ids[0]), awaiter, out _, out var done).IsNone && !done);
            }

            core.StopAwaiting(new TaskId(ids[0]), gone);
        });
        cell.Report(cell.Assign()[0], output: "done");
        cell.Turn();
        Assert.Equal((1, 1, 0), (first.Resolved, second.Resolved, gone.Resolved));
        Assert.Equal("done", FakeStream.ReadResult(cell.Arena, first.Slot).Output);
        cell.Turn(core =>
        {
            Assert.True(core.Await(new TaskId(ids[0]), first, out var slot, out var done).IsNone && done);
            Assert.Equal(first.Slot, slot);
        });
        Assert.Equal(1, first.Resolved);
    }

    [Fact]
    public void Await_TooManyCalls_IsRefused()
    {
        using var cell = new PlmCell(new PlmOptions { AwaitersMax = 2 });
        var (ids, _) = cell.Submit(null, null, cell.Spec(), "x");
        cell.Turn(core =>
        {
            Assert.True(core.Await(new TaskId(ids[0]), new FakeAwaiter(), out _, out _).IsNone);
            Assert.True(core.Await(new TaskId(ids[0]), new FakeAwaiter(), out _, out _).IsNone);
            var third = core.Await(new TaskId(ids[0]), new FakeAwaiter(), out _, out _);
            Assert.Equal(FaultCode.OutstandingLimit, third.Code);
        });
    }

    [Fact]
    public void Retention_Ended_ForgetsTheTask()
    {
        using var cell = new PlmCell();
        var (ids, _) = cell.Submit(null, null, cell.Spec((ref TaskOptionsView view) => view.RetentionMs = 500), "x");
        cell.Report(cell.Assign()[0], output: "kept");
        cell.Turn();
        cell.NowMs += 499;
        cell.Turn();
        Assert.Equal(TaskState.Done, cell.StateOf(ids[0]));
        cell.NowMs += 1;
        cell.Turn();
        Assert.Equal(TaskState.Free, cell.StateOf(ids[0]));
        cell.DrainOthers();
        Assert.Equal(0, cell.ResultBytesUsed);
        Assert.Equal(0, cell.Arena.Payloads.UsedBytes);
        cell.Core.CheckInvariants();
    }

    private static byte[] Payload(PlmCell cell, uint index)
    {
        ref var slot = ref cell.Arena.Tasks[index];
        return cell.Arena.Payloads.Bytes(slot.PayloadBlock, (int)slot.PayloadBytes).ToArray();
    }
}
