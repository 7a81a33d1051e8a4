// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>Same key, same task.</summary>
public sealed class PlmKeyTests
{
    private const ulong Client = 7;
    private const long Day = 86_400_000;

    [Fact]
    public void Submit_SameKeyTwice_NamesTheFirstTaskAndRunsNothingNew()
    {
        using var cell = new PlmCell();
        var (first, _, duplicates, _) = cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k"));
        Assert.Empty(duplicates);
        var again = cell.SubmitKeyed(null, null, cell.Spec(), ("other", "l"), ("x", "k"), ("x", null));
        Assert.Empty(again.Faults);
        Assert.Equal([1], again.Duplicates);
        Assert.Equal(first[0], again.Ids[1]);
        Assert.Equal(3, again.Ids.Distinct().Count());
        Assert.Equal(3u, cell.Arena.Ready.Count);
        Assert.Equal(3ul, cell.Arena.Counter(CellCounter.Submitted));
        Assert.Equal(1ul, cell.Arena.Counter(CellCounter.Repeated));
        Assert.Equal(2ul, cell.Arena.Counter(CellCounter.KeysNow));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Submit_SameKeyTwiceInOneBatch_IsOneTask()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(Client, stream);
        var spec = cell.Spec();
        var (ids, _, duplicates, _) = cell.SubmitKeyed(session, stream, spec, ("x", "k"), ("x", "k"), ("y", "m"));
        Assert.Equal(ids[0], ids[1]);
        Assert.Equal([1], duplicates);
        Assert.Equal(3ul, session.DecidedRef);
        Assert.Equal(2u, session.Outstanding);
        foreach (var task in cell.Assign())
        {
            cell.Report(task, output: "done");
        }

        // One result for each ref that is a task's own.
        cell.Turn();
        Assert.Equal([1ul, 3ul], stream.Results.Select(result => result.Ref).Order());
    }

    [Fact]
    public void Submit_SameKeyAfterTheEnd_NamesTheTaskWhoseResultIsStillThere()
    {
        using var cell = new PlmCell();
        var (ids, _, _, _) = cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k"));
        cell.Report(cell.Assign()[0], output: "once");
        cell.Turn();
        var again = cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k"));
        Assert.Equal(ids, again.Ids);
        cell.Turn(core =>
        {
            Assert.True(core.Await(new TaskId(ids[0]), new FakeAwaiter(), out var slot, out var isDone).IsNone);
            Assert.True(isDone);
            Assert.Equal("once", FakeStream.ReadResult(cell.Arena, slot).Output);
        });
        Assert.Empty(cell.Assign());
    }

    [Theory]
    [InlineData("y", "work")]
    [InlineData("x", "other")]
    public void Submit_SameKeyWithOtherWork_IsRefusedAloneAndChangesNothing(string payload, string handler)
    {
        using var cell = new PlmCell();
        cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k"));
        var spec = cell.Spec((ref TaskOptionsView view) =>
            view.HandlerUtf8 = handler == "work" ? "work"u8 : "other"u8);
        var (ids, faults, duplicates, _) = cell.SubmitKeyed(null, null, spec, (payload, "k"), ("z", null));
        Assert.Equal(0ul, ids[0]);
        Assert.NotEqual(0ul, ids[1]);
        Assert.Empty(duplicates);
        var fault = Assert.Single(faults).Fault;
        Assert.Equal(FaultCode.IdempotencyKeyReused, fault.Code);
        Assert.Equal(0u, fault.RetryAfterMs);
        Assert.Equal(2u, cell.Arena.Ready.Count);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Key_OfATaskThatHasNotEnded_NeverExpires()
    {
        using var cell = new PlmCell();
        var (ids, _, _, _) = cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k"));
        Pass(cell, 10 * Day);
        Assert.Equal(ids, cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k")).Ids);
    }

    [Theory]
    [InlineData(0, Day)]
    [InlineData(5_000, 5_000)]
    public void Key_RetentionAfterTheEnd_MakesANewTask(long retentionMs, long lastsMs)
    {
        using var cell = new PlmCell();
        var spec = cell.Spec((ref TaskOptionsView view) => view.KeyRetentionMs = (ulong)retentionMs);
        var (ids, _, _, _) = cell.SubmitKeyed(null, null, spec, ("x", "k"));
        cell.Cancel(ids[0]);
        Pass(cell, lastsMs - 1);
        Assert.Equal(ids, cell.SubmitKeyed(null, null, spec, ("x", "k")).Ids);
        cell.NowMs++;
        var again = cell.SubmitKeyed(null, null, spec, ("y", "k"));
        Assert.Empty(again.Faults);
        Assert.NotEqual(ids, again.Ids);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Sweep_ExpiredKeys_MakesTheirRowsFree()
    {
        using var cell = new PlmCell();
        var items = Enumerable.Range(0, 100).Select(n => ("x", (string?)$"k{n}")).ToArray();
        var (ids, _, _, _) = cell.SubmitKeyed(null, null, cell.Spec(), items);
        Assert.All(ids.Take(60), id => cell.Cancel(id));
        Pass(cell, Day + 1);
        Assert.Equal(40, cell.Core.KeyCount);
        Assert.Equal(40ul, cell.Arena.Counter(CellCounter.KeysNow));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Submit_TableFull_RefusesKeysAloneUntilSomeExpire()
    {
        using var cell = new PlmCell(limits: Limits(keysMax: 16));
        var items = Enumerable.Range(0, 16).Select(n => ("x", (string?)$"k{n}")).ToArray();
        var (ids, _, _, _) = cell.SubmitKeyed(null, null, cell.Spec(), items);
        var full = cell.SubmitKeyed(null, null, cell.Spec(), ("a", "new"), ("b", null), ("x", "k3"));
        var fault = Assert.Single(full.Faults);
        Assert.Equal((0, FaultCode.KeysFull), (fault.Index, fault.Fault.Code));
        Assert.True(fault.Fault.RetryAfterMs > 0);
        Assert.Equal(ids[3], full.Ids[2]);
        Assert.NotEqual(0ul, full.Ids[1]);
        cell.Cancel(ids[0]);
        cell.NowMs += Day;
        Assert.Empty(cell.SubmitKeyed(null, null, cell.Spec(), ("a", "new")).Faults);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Submit_ArenaFull_StillNamesKnownTasks()
    {
        using var cell = new PlmCell();
        var (first, _, _, _) = cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k"));
        cell.Submit(null, null, cell.Spec(), [.. Enumerable.Repeat("x", 1_023)]);
        Assert.Equal(first, cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k")).Ids);
        var full = cell.SubmitKeyed(null, null, cell.Spec(), ("x", "l"));
        Assert.Equal(FaultCode.ArenaFull, Assert.Single(full.Faults).Fault.Code);
        Assert.Equal(1, cell.Core.KeyCount);
    }

    [Fact]
    public void Confirm_TaskWithKey_StaysForWhoeverRepeatsIt()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(Client, stream);
        var (ids, _, _, _) = cell.SubmitKeyed(session, stream, cell.Spec(), ("x", "k"), ("y", null));
        foreach (var task in cell.Assign())
        {
            cell.Report(task, output: "done");
        }

        cell.Turn();
        cell.Confirm(session, stream, 2);
        Assert.Equal(0u, session.Outstanding);
        Assert.Equal(TaskState.Done, cell.StateOf(ids[0]));
        Assert.Equal(TaskState.Free, cell.StateOf(ids[1]));
        cell.Core.CheckInvariants();
        cell.Restart();
        var other = new FakeStream(cell.Arena);
        cell.Open(Client, other);
        Assert.Empty(other.Results);
        Assert.Equal("done", FakeStream.ReadResult(cell.Arena, new TaskId(ids[0]).Slot).Output);

        // Its retention over, the key is still known, and nothing runs again.
        Pass(cell, TaskLimits.RetentionMsDefault + 1);
        Assert.Equal(TaskState.Free, cell.StateOf(ids[0]));
        Assert.Equal(ids[0], cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k")).Ids[0]);
        Assert.Equal(0u, cell.Arena.Ready.Count);
    }

    [Fact]
    public void Forget_SessionWithKeyedTasks_KeepsThemForTheirRetention()
    {
        using var cell = new PlmCell(new PlmOptions { SessionKeptMs = 1_000 });
        var stream = new FakeStream(cell.Arena);
        var session = cell.Open(Client, stream);
        var (ids, _, _, _) = cell.SubmitKeyed(session, stream, cell.Spec(), ("x", "k"), ("y", "l"));
        cell.Report(cell.Assign(1)[0], output: "done");
        cell.Turn();
        cell.Turn(core => core.LeaveSession(session, stream));
        Pass(cell, 20_000);
        Assert.True(session.IsForgotten);
        Assert.Equal(TaskState.Done, cell.StateOf(ids[0]));
        cell.Report(cell.Assign()[0], output: "later");
        cell.Turn();
        Assert.Equal("later", FakeStream.ReadResult(cell.Arena, new TaskId(ids[1]).Slot).Output);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Restart_LivingArena_KeepsKeysOfLivingAndOfFreedTasks()
    {
        using var cell = new PlmCell();
        var (ids, _, _, _) = cell.SubmitKeyed(null, null, cell.Spec(), ("x", "living"), ("x", "freed"));
        cell.Cancel(ids[1]);
        cell.Turn(core => core.ReleaseTasks([ids[1]]));
        cell.Restart();
        var again = cell.SubmitKeyed(null, null, cell.Spec(), ("x", "living"), ("x", "freed"), ("z", "living"));
        Assert.Equal(ids, again.Ids[..2]);
        Assert.Equal(FaultCode.IdempotencyKeyReused, Assert.Single(again.Faults).Fault.Code);

        // The expiry of the one that was freed counts on.
        cell.Restart();
        Pass(cell, Day + 1);
        Assert.Equal(1, cell.Core.KeyCount);
    }

    [Fact]
    public void Restart_DiedBetweenKeyAndTask_DropsTheKey()
    {
        using var cell = new PlmCell();
        var (ids, _, _, _) = cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k"));

        // As if the step out of Free had not been made: the row names a task that never was.
        ref var row = ref cell.Arena.Keys[0];
        row.TaskId = new TaskId(new TaskId(ids[0]).Slot + 1, TaskId.FirstGeneration(1)).Value;
        cell.Restart();
        Assert.Equal(0, cell.Core.KeyCount);
        Assert.NotEqual(ids, cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k")).Ids);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Restart_DiedBetweenEndAndExpiry_GivesTheKeyItsTime()
    {
        using var cell = new PlmCell();
        var (ids, _, _, _) = cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k"));
        cell.Cancel(ids[0]);
        cell.Arena.Keys[0].ExpiresUnixMs = 0;
        cell.Restart();
        Assert.Equal(cell.Now.UnixMs + (ulong)Day, cell.Arena.Keys[0].ExpiresUnixMs);
    }

    [Fact]
    public void Recover_DamagedRow_StopsTheRole()
    {
        using var cell = new PlmCell();
        cell.SubmitKeyed(null, null, cell.Spec(), ("x", "k"), ("x", "l"));
        cell.Arena.Keys[1].HashHigh = cell.Arena.Keys[0].HashHigh;
        cell.Arena.Keys[1].HashLow = cell.Arena.Keys[0].HashLow;
        Assert.Throws<InvariantException>(cell.Restart);
        cell.Arena.Keys[1].State = 7;
        Assert.Throws<InvariantException>(cell.Restart);
    }

    [Fact]
    public void Key_AnyDifference_GivesAnotherHash()
    {
        var key = TaskKey.Of("k"u8, "work"u8, "x"u8);
        Assert.Equal(key, TaskKey.Of("k"u8, "work"u8, "x"u8));
        Assert.NotEqual(key.Low, TaskKey.Of("K"u8, "work"u8, "x"u8).Low);
        Assert.NotEqual(key.High, TaskKey.Of("k\0"u8, "work"u8, "x"u8).High);
        Assert.NotEqual(key.Fingerprint, TaskKey.Of("k"u8, "wor"u8, "kx"u8).Fingerprint);
        Assert.NotEqual(key.Fingerprint, TaskKey.Of("k"u8, "work"u8, ""u8).Fingerprint);
        Assert.NotEqual(key.Fingerprint, TaskKey.Of("k"u8, "work2"u8, "x"u8).Fingerprint);
    }

    internal static void Pass(PlmCell cell, long ms)
    {
        // In steps, as a role's thread wakes up, so that every sweep runs.
        var end = cell.NowMs + ms;
        for (var step = 0; step < 40 && cell.NowMs < end; step++)
        {
            cell.NowMs = Math.Min(end, cell.NowMs + Math.Max(ms / 40, 1) + 1);
            cell.Turn();
        }

        cell.NowMs = end;
        cell.Turn();
    }

    internal static ArenaLimits Limits(uint keysMax) => new()
    {
        TasksMax = 1_024,
        WorkersMax = 16,
        ClientsMax = 16,
        KeysMax = keysMax,
        PayloadBytesMax = 1 << 20,
        ResultBytesMax = 8 << 20,
    };
}
