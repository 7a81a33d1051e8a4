// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>The two streams: what a worker says, and what it does when they break or the cell gives it up.</summary>
public sealed class LinkTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_echo = TaskType.Bytes("echo");
    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_wait = TaskType.Bytes("wait");

    [Fact]
    public async Task Hello_OfANewWorker_SaysWhoItIs()
    {
        var cell = new FakeCell(worker => worker.Handle(s_echo, input => input).HandleCommands(), slots: 3);
        cell.Worker.Start();
        var hello = await FakeCell.WelcomeAsync(await cell.HeartbeatAsync());
        Assert.Equal(TaskLimits.WireVersion, hello.WireVersion);
        Assert.Equal(0ul, hello.WorkerId);
        Assert.NotEqual(0ul, hello.Nonce);
        Assert.Equal("w", hello.Name);
        Assert.Equal(3u, hello.Slots);
        Assert.Equal(["echo", "muster.command"], hello.Handlers);
        Assert.Equal((uint)Environment.ProcessId, hello.Pid);
        Assert.NotEqual(0ul, hello.PidStart);
        Assert.NotEqual(0ul, hello.PidNamespace);
        Assert.Equal(36, hello.BootId.Length);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Beats_AtTheInterval_TellWhatRunsAndTheLoad()
    {
        using var release = new ManualResetEventSlim();
        var cell = new FakeCell(worker => worker.Handle(s_wait, _ => TestHandlers.Block(release)));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("wait", [4]));
        heartbeat.Give(new V1.HeartbeatResponse { IntervalMs = 10 });
        cell.Time.Advance(TimeSpan.FromMinutes(2));
        var beat = await heartbeat.TakeAsync(V1.HeartbeatRequest.Parser, message => message.Running.Count > 0);
        Assert.Equal([4ul], beat.Running);
        Assert.True(beat.Load.MemoryBytes > 1_000_000);
        Assert.InRange(beat.Load.ClockUnixUs, 1_700_000_000_000_000, 4_000_000_000_000_000);
        release.Set();
        await cell.EndAsync();
    }

    [Fact]
    public async Task Results_Unconfirmed_AreSentAgainOnANewStreamUnderTheirNumbers()
    {
        var cell = new FakeCell(worker => worker.Handle(s_echo, input => input));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("echo", [1, 2, 3]));
        var sent = await FakeCell.ResultsAsync(heartbeat, 3);
        heartbeat.Give(new V1.HeartbeatResponse { ConfirmedResultNumber = 1 });
        heartbeat.Break();
        var second = await cell.HeartbeatAsync();
        var hello = await FakeCell.WelcomeAsync(second);
        Assert.Equal(FakeCell.FirstWorkerId, hello.WorkerId);
        var again = await FakeCell.ResultsAsync(second, 2);
        Assert.Equal([2ul, 3ul], again.Select(result => result.ResultNumber));
        Assert.Equal(sent.Skip(1).Select(result => result.TaskId), again.Select(result => result.TaskId));
        second.Give(new V1.HeartbeatResponse { ConfirmedResultNumber = 3 });
        dispatch.Give(FakeCell.Assign("echo", [4]));
        Assert.Equal(4ul, (await FakeCell.ResultsAsync(second)).Single().ResultNumber);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Attempts_WhileTheRegisterIsAway_GoOn()
    {
        using var release = new ManualResetEventSlim();
        var cell = new FakeCell(worker => worker.Handle(s_wait, _ => TestHandlers.Block(release)));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("wait", [1]));
        heartbeat.Break();
        var second = await cell.HeartbeatAsync();
        release.Set();
        await FakeCell.WelcomeAsync(second);
        Assert.Equal(V1.Outcome.Succeeded, (await FakeCell.ResultsAsync(second)).Single().Outcome);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Dispatch_OpenedAgain_SaysWhatIsInHandAndUnconfirmed()
    {
        using var release = new ManualResetEventSlim();
        var cell = new FakeCell(
            worker => worker.Handle(s_wait, _ => TestHandlers.Block(release)).Handle(s_echo, input => input), slots: 2);
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("echo", [1, 2]));
        await FakeCell.ResultsAsync(heartbeat, 2);
        heartbeat.Give(new V1.HeartbeatResponse { ConfirmedResultNumber = 1 });
        dispatch.Give(FakeCell.Assign("wait", [3, 4, 5]));
        dispatch.Give(FakeCell.Assign("unknown", [6]));
        await FakeCell.EndedAsync(heartbeat, 3);
        dispatch.End();
        var again = await cell.DispatchAsync();
        var hello = (await again.TakeAsync(V1.DispatchRequest.Parser)).Hello;
        Assert.Equal([3ul, 4ul, 5ul], hello.InHand.Select(key => key.TaskId).Order());
        Assert.Contains(6ul, hello.Unconfirmed.Select(key => key.TaskId));
        Assert.Equal(3ul, hello.EndedTotal);
        release.Set();
        await cell.EndAsync();
    }

    [Fact]
    public async Task Fence_InTheWelcome_StopsEverythingAndDropsItsResults()
    {
        using var release = new ManualResetEventSlim();
        var cancelled = new TaskCompletionSource();
        var cell = new FakeCell(worker => worker
            .Handle(s_echo, input => input)
            .Handle(s_wait, (_, cancel) => TestHandlers.WaitForAsync(cancelled, cancel)));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("echo", [1]));
        await FakeCell.ResultsAsync(heartbeat);
        dispatch.Give(FakeCell.Assign("wait", [2]));
        heartbeat.Break();
        var second = await cell.HeartbeatAsync();
        const ulong newId = FakeCell.FirstWorkerId + (1ul << 32);
        await FakeCell.WelcomeAsync(second, newId, fenced: true);
        await cancelled.Task.WaitAsync(s_patience);
        await dispatch.Aborted;
        var newDispatch = await cell.DispatchAsync();
        var hello = (await newDispatch.TakeAsync(V1.DispatchRequest.Parser)).Hello;
        Assert.Equal(newId, hello.WorkerId);
        Assert.Empty(hello.Unconfirmed);
        await FakeCell.EndedAsync(second, 2);
        newDispatch.Give(FakeCell.Assign("echo", [3]));
        var results = await FakeCell.ResultsAsync(second);
        Assert.Equal([3ul], results.Select(result => result.TaskId));
        Assert.Equal(2ul, results[0].ResultNumber);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Fence_AsTheStreamsEnd_MakesTheWorkerRegisterAnew()
    {
        var cell = new FakeCell(worker => worker.Handle(s_echo, input => input));
        var (heartbeat, _) = await cell.StartAsync();
        heartbeat.Break(FaultCode.WorkerFenced);
        var hello = await FakeCell.WelcomeAsync(await cell.HeartbeatAsync(), FakeCell.FirstWorkerId + 1);
        Assert.Equal(0ul, hello.WorkerId);
        var again = await cell.DispatchAsync();
        var dispatchHello = (await again.TakeAsync(V1.DispatchRequest.Parser)).Hello;
        Assert.Equal(FakeCell.FirstWorkerId + 1, dispatchHello.WorkerId);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Fence_AtTheScheduler_MakesTheWorkerAskTheRegister()
    {
        var cell = new FakeCell(worker => worker.Handle(s_echo, input => input));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Break(FaultCode.WorkerFenced);
        await heartbeat.Aborted;
        await FakeCell.WelcomeAsync(await cell.HeartbeatAsync());
        await cell.EndAsync();
    }

    [Fact]
    public async Task Superseded_Attempt_IsStopped()
    {
        var cancelled = new TaskCompletionSource();
        var cell = new FakeCell(worker => worker.Handle(
            s_wait, (_, cancel) => TestHandlers.WaitForAsync(cancelled, cancel)));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("wait", [9]));
        dispatch.Give(FakeCell.Assign("unknown", [10]));
        await FakeCell.ResultsAsync(heartbeat);
        var superseded = new V1.SupersededAttempt { TaskId = 9, Attempt = 1 };
        heartbeat.Give(new V1.HeartbeatResponse { Superseded = { superseded } });
        await cancelled.Task.WaitAsync(s_patience);
        Assert.Empty((await FakeCell.EndedAsync(heartbeat, 2)).Results);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Lease_NearItsEnd_StartsNothingUntilTheRegisterIsHeardAgain()
    {
        var runs = 0;
        var cell = new FakeCell(worker => worker.Handle(s_echo, input =>
        {
            Interlocked.Increment(ref runs);
            return input;
        }));
        var (heartbeat, dispatch) = await cell.StartAsync(leaseMs: 100_000);
        cell.Time.Advance(TimeSpan.FromSeconds(80));
        dispatch.Give(FakeCell.Assign("echo", [1]));
        dispatch.Give(FakeCell.Assign("unknown", [2]));
        Assert.Equal(2ul, (await FakeCell.ResultsAsync(heartbeat)).Single().TaskId);
        Assert.Equal(0, Volatile.Read(ref runs));
        heartbeat.Give(new V1.HeartbeatResponse());
        Assert.Equal(1ul, (await FakeCell.ResultsAsync(heartbeat)).Single().TaskId);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Messages_ThatAreDamaged_EndTheStreamAndNothingElse()
    {
        var cell = new FakeCell(worker => worker.Handle(s_echo, input => input));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.GiveBytes([0x0a, 0x7f, 0x01]);
        await dispatch.Aborted;
        var again = await cell.DispatchAsync();
        heartbeat.GiveBytes([0x1a, 0x7f]);
        await heartbeat.Aborted;
        var second = await cell.HeartbeatAsync();
        await FakeCell.WelcomeAsync(second);
        again.Give(FakeCell.Assign("echo", [1]));
        Assert.Equal(1ul, (await FakeCell.ResultsAsync(second)).Single().TaskId);
        await cell.EndAsync();
    }
}
