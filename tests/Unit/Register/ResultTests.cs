// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Register;
using Xunit;
using static Muster.Unit.Register.RegisterCell;

namespace Muster.Unit.Register;

public sealed class ResultTests
{
    [Fact]
    public void Result_OfTheCurrentAttempt_IsRecordedToldAndConfirmed()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var key = cell.Assign(0);
        cell.NowMs += 5;
        var answer = cell.Beat(
            0, cell.LastStream, new Report(key, 1, "out", "bad", WaitedUs: 1_000, RanUs: 2_000, HeldUs: 500));
        Assert.True(answer.Fault.IsNone);
        Assert.Equal(1ul, answer.ConfirmedResultNumber);
        Assert.Empty(answer.Superseded);
        Assert.Equal(TaskState.Reported, cell.StateOf(key));
        Assert.Equal(("bad", "out"), cell.ResultOf(key));
        Assert.Equal(
            new FinishedRecord(FinishedRecord.Reported, key.Task.Slot, key.Task.Generation),
            Assert.Single(cell.ReadFinished()));
        ref var slot = ref cell.Arena.Tasks[key.Task.Slot];
        Assert.Equal((byte)Outcome.Failed, slot.AttemptOutcome);
        Assert.Equal(
            [1_500f, 2_500f, 4_500f, 5_000f], [slot.ReceivedUs, slot.StartedUs, slot.FinishedUs, slot.ReportedUs]);
        Assert.Equal(1ul, cell.Arena.Workers[0].EndedTotal);
    }

    [Fact]
    public void Result_OfADurableTask_IsConfirmedOnceThePlmSaysThatItIsSafe()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var key = cell.Assign(0);
        cell.MakeDurable(key.Task.Slot);
        Assert.Equal(0ul, cell.Beat(0, cell.LastStream, new Report(key, 1, "out")).ConfirmedResultNumber);

        // A later result of a task that was promised less must not say that the first is safe.
        var memory = cell.Assign(0);
        Assert.Equal(0ul, cell.Beat(0, cell.LastStream, new Report(memory, 2, "out")).ConfirmedResultNumber);
        cell.Core.Tick(cell.NowMs, cell.NowUnixUs);
        Assert.Empty(cell.Effects.Confirmed);
        cell.Arena.Set(CellCounter.FinishedSafe, 1);
        cell.Core.Tick(cell.NowMs, cell.NowUnixUs);
        Assert.Equal((0u, 1ul), Assert.Single(cell.Effects.Confirmed));
        cell.Arena.Set(CellCounter.FinishedSafe, 2);
        Assert.Equal(2ul, cell.Beat(0, cell.LastStream).ConfirmedResultNumber);
    }

    [Fact]
    public void Result_ImpossibleDurations_StayBetweenHandOverAndNow()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        cell.NowMs += 5;
        var key = cell.Assign(0);
        cell.NowMs += 5;
        cell.Beat(0, cell.LastStream, new Report(key, 1, RanUs: ulong.MaxValue, HeldUs: 3, WaitedUs: ulong.MaxValue));
        ref var slot = ref cell.Arena.Tasks[key.Task.Slot];
        Assert.InRange(slot.ReceivedUs, slot.AssignedUs, slot.StartedUs);
        Assert.InRange(slot.StartedUs, slot.ReceivedUs, slot.FinishedUs);
        Assert.InRange(slot.FinishedUs, slot.StartedUs, slot.ReportedUs);
    }

    [Fact]
    public void Result_OverTheLimit_IsRefusedAndNotRecorded()
    {
        using var cell = new RegisterCell(resultBytes: 16 << 20);
        cell.Hello(1);
        var key = cell.Assign(0);
        var output = new string('x', TaskLimits.OutputBytesMax + 1);
        Assert.Equal(FaultCode.OutputTooLarge, cell.Beat(0, cell.LastStream, new Report(key, 1, output)).Fault.Code);
        var error = new string('x', TaskLimits.ErrorBytesMax + 1);
        Assert.Equal(FaultCode.OutputTooLarge, cell.Beat(0, cell.LastStream, new Report(key, 1, "", error)).Fault.Code);
        Assert.Equal(TaskState.Assigned, cell.StateOf(key));
    }

    [Fact]
    public void Result_Empty_TakesNoBlock()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var key = cell.Assign(0);
        cell.Beat(0, cell.LastStream, new Report(key, 1));
        Assert.Equal(0u, cell.Arena.Tasks[key.Task.Slot].ResultBlock);
        Assert.Equal(("", ""), cell.ResultOf(key));
    }

    [Fact]
    public void Result_SentTwice_IsConfirmedAgainAndAppliedOnce()
    {
        using var cell = new RegisterCell();
        var welcome = cell.Hello(1);
        var key = cell.Assign(0);
        cell.Beat(0, cell.LastStream, new Report(key, 1, "a"));
        Assert.Equal(1ul, cell.Hello(1, welcome.WorkerId).ConfirmedResultNumber);
        var answer = cell.Beat(0, cell.LastStream, new Report(key, 1, "b"));
        Assert.Equal(1ul, answer.ConfirmedResultNumber);
        Assert.Empty(answer.Superseded);
        Assert.Equal("a", cell.ResultOf(key).Output);
        Assert.Single(cell.ReadFinished());
        Assert.Equal(1ul, cell.Arena.Counter(CellCounter.Reported));
        Assert.Equal(0ul, cell.Arena.Counter(CellCounter.Superseded));
    }

    [Fact]
    public void Result_RecordedButItsNumberLostWithTheRegister_IsNotCalledSuperseded()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var key = cell.Assign(0);
        cell.Beat(0, cell.LastStream, new Report(key, 1, "a"));
        cell.Arena.Workers[0].ResultNumber = 0;
        cell.Accept(key);
        var answer = cell.Beat(0, cell.LastStream, new Report(key, 1, "a"));
        Assert.Equal(1ul, answer.ConfirmedResultNumber);
        Assert.Empty(answer.Superseded);
    }

    [Fact]
    public void Result_OfAnotherAttempt_IsRefusedCountedAndTold()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var key = cell.Assign(0);
        var old = key with { Attempt = new(key.Attempt.Value + 1) };
        var answer = cell.Beat(0, cell.LastStream, new Report(old, 1, "late"));
        Assert.Equal(old, Assert.Single(answer.Superseded));
        Assert.Equal(1ul, answer.ConfirmedResultNumber);
        Assert.Equal(1ul, cell.Arena.Counter(CellCounter.Superseded));
        Assert.Equal(TaskState.Assigned, cell.StateOf(key));
        Assert.Empty(cell.ReadFinished());
    }

    [Fact]
    public void Result_OfAnotherWorkersAttempt_IsRefused()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        cell.Hello(2);
        var key = cell.Assign(0);
        Assert.Equal(key, Assert.Single(cell.Beat(1, cell.LastStream, new Report(key, 1, "forged")).Superseded));
        Assert.Equal(TaskState.Assigned, cell.StateOf(key));
    }

    [Fact]
    public void Result_OfAnUnknownTask_IsRefused()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var key = new AttemptKey(new(ulong.MaxValue), new(uint.MaxValue));
        Assert.Single(cell.Beat(0, cell.LastStream, new Report(key, 1)).Superseded);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Result_NumberMissingOrWithAGap_EndsTheStreamAndConfirmsWhatCameBefore(int number)
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var first = cell.Assign(0);
        var second = cell.Assign(0);
        var answer = cell.Beat(
            0, cell.LastStream, new Report(first, 1), new Report(second, (ulong)number));
        Assert.Equal(FaultCode.InvalidArgument, answer.Fault.Code);
        Assert.Equal(1ul, answer.ConfirmedResultNumber);
        Assert.Equal(TaskState.Assigned, cell.StateOf(second));
    }

    [Fact]
    public void Result_StreamReplaced_IsRefused()
    {
        using var cell = new RegisterCell();
        var welcome = cell.Hello(1);
        var older = cell.LastStream;
        cell.Hello(1, welcome.WorkerId);
        var key = cell.Assign(0);
        Assert.Equal(FaultCode.WorkerFenced, cell.Beat(0, older, new Report(key, 1)).Fault.Code);
        Assert.Equal(TaskState.Assigned, cell.StateOf(key));
    }

    [Fact]
    public void Region_Full_ConfirmsNothingAndTakesTheResultLater()
    {
        using var cell = new RegisterCell(resultBytes: 9 << 20);
        cell.Hello(1);
        var big = new string('x', 3_900_000);
        var stream = cell.LastStream;
        var keys = new[] { cell.Assign(0), cell.Assign(0), cell.Assign(0) };
        cell.Beat(0, stream, new Report(keys[0], 1, big));
        cell.Beat(0, stream, new Report(keys[1], 2, big));
        var answer = cell.Beat(0, stream, new Report(keys[2], 3, big));
        Assert.Equal(FaultCode.ArenaFull, answer.Fault.Code);
        Assert.True(answer.Fault.RetryAfterMs > 0);
        Assert.Equal(2ul, answer.ConfirmedResultNumber);
        Assert.Equal(TaskState.Assigned, cell.StateOf(keys[2]));
        Assert.Equal(1, cell.Effects.Full);

        cell.Accept(keys[0]);
        cell.WriteFreed(keys[0]);
        Assert.Equal(FaultCode.ArenaFull, cell.Beat(0, stream, new Report(keys[2], 3, big)).Fault.Code);
        cell.Forget(keys[0]);
        Assert.Equal(3ul, cell.Beat(0, stream, new Report(keys[2], 3, big)).ConfirmedResultNumber);
    }

    [Fact]
    public void Block_FreedTwiceAroundAPlmRestart_IsGivenAwayOnce()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var key = cell.Assign(0);
        cell.Beat(0, cell.LastStream, new Report(key, 1, "a"));
        cell.Accept(key);
        cell.WriteFreed(key);
        cell.Pass(50);
        Assert.NotEqual(0, cell.Arena.Results.UsedBytes);

        // The PLM died before it freed the slot; the next one does both.
        cell.WriteFreed(key);
        cell.Forget(key);
        cell.Pass(50);
        Assert.Equal(0, cell.Arena.Results.UsedBytes);
    }

    [Fact]
    public void Takeover_ClaimsWhatSlotsOwn_FreesWhatWasReturned_AndReportsAgain()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var kept = cell.Assign(0);
        var returned = cell.Assign(0);
        var done = cell.Assign(0);
        cell.Beat(
            0,
            cell.LastStream,
            new Report(kept, 1, "kept"),
            new Report(returned, 2, "returned"),
            new Report(done, 3, "done"));
        cell.ReadFinished();
        cell.Accept(returned);
        cell.Accept(done);
        cell.WriteFreed(returned);
        cell.Forget(returned);
        cell.Restart();
        Assert.Equal(
            new FinishedRecord(FinishedRecord.Reported, kept.Task.Slot, kept.Task.Generation),
            Assert.Single(cell.ReadFinished()));
        // What the PLM has not said to be safe stays with the worker.
        Assert.Equal(0ul, cell.Hello(1, cell.Arena.Workers.IdOf(0)).ConfirmedResultNumber);
        cell.Arena.Set(CellCounter.FinishedSafe, cell.Arena.Finished.WrittenTotal);
        Assert.Equal(3ul, cell.Hello(1, cell.Arena.Workers.IdOf(0)).ConfirmedResultNumber);
        var next = cell.Assign(0);
        cell.Beat(0, cell.LastStream, new Report(next, 4, "next"));
        Assert.Equal("kept", cell.ResultOf(kept).Output);
        Assert.Equal("done", cell.ResultOf(done).Output);
        Assert.Equal("next", cell.ResultOf(next).Output);
    }

    [Fact]
    public void Running_MarksOnlyTheWorkersOwnAssignedTasks()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var mine = cell.Assign(0);
        var other = cell.Assign(7);
        ulong[] running = [mine.Task.Value, other.Task.Value, 0, ulong.MaxValue];
        cell.Beat(0, cell.LastStream, new BeatFacts { HasLoad = true, Running = running });
        Assert.Equal(TaskState.Running, cell.StateOf(mine));
        Assert.Equal(TaskState.Assigned, cell.StateOf(other));
        Assert.Equal(4u, cell.Arena.Workers[0].Running);
        cell.Beat(0, cell.LastStream, new Report(mine, 1));
        Assert.Equal(TaskState.Reported, cell.StateOf(mine));
    }

    [Fact]
    public void FinishedRing_Full_KeepsTheRecordsForALaterTurn()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var filler = new FinishedRecord[cell.Arena.Finished.Capacity];
        Assert.Equal(filler.Length, cell.Arena.Finished.TryWrite(filler));
        var key = cell.Assign(0);
        Assert.Equal(1ul, cell.Beat(0, cell.LastStream, new Report(key, 1)).ConfirmedResultNumber);
        Assert.Equal(filler.Length, cell.Arena.Finished.Read(new FinishedRecord[filler.Length]));
        cell.Pass(50);
        Assert.Equal(key.Task.Slot, Assert.Single(cell.ReadFinished()).Index);
    }

    [Fact]
    public void Beat_SteadyState_AllocatesNothing()
    {
        using var cell = new RegisterCell();
        cell.Hello(1);
        var keys = new AttemptKey[600];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = cell.Assign(0);
        }

        var answer = new BeatAnswer();
        var reports = new AttemptReport[10];
        var bytes = new byte[256];
        Turn(0, 10);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Turn(10, 60);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(600ul, cell.Arena.Counter(CellCounter.Reported));

        void Turn(int from, int to)
        {
            for (var beat = from; beat < to; beat++)
            {
                for (var i = 0; i < reports.Length; i++)
                {
                    var number = (beat * reports.Length) + i;
                    reports[i] = new AttemptReport
                    {
                        Key = keys[number],
                        Outcome = Outcome.Succeeded,
                        Number = (ulong)number + 1,
                        OutputBytes = 100,
                    };
                }

                var facts = new BeatFacts { Bytes = bytes, Results = reports, EndedTotal = (ulong)(beat + 1) * 10 };
                cell.Core.Beat(0, cell.LastStream, facts, cell.NowMs, cell.NowUnixUs, answer);
            }
        }
    }
}
