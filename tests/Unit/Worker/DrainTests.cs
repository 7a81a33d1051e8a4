// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>How a worker leaves.</summary>
public sealed class DrainTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_wait = TaskType.Bytes("wait");

    [Fact]
    public async Task Stop_WithWork_ReturnsWhatWaitsFinishesWhatRunsAndSaysGoodbye()
    {
        using var release = new ManualResetEventSlim();
        var cell = new FakeCell(worker => worker.Handle(s_wait, _ => TestHandlers.Block(release)), slots: 1);
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("wait", [1, 2, 3]));
        await SettledAsync(heartbeat, dispatch, 99);
        heartbeat.Give(new V1.HeartbeatResponse { ConfirmedResultNumber = 1 });
        var stopped = cell.Worker.StopAsync(s_patience, CancellationToken.None);
        var returned = await dispatch.TakeAsync(V1.DispatchRequest.Parser);
        Assert.Equal([2ul, 3ul], returned.Returned.Select(key => key.TaskId));
        await heartbeat.TakeAsync(V1.HeartbeatRequest.Parser, message => message.Draining);

        // What still comes in goes straight back.
        dispatch.Give(FakeCell.Assign("wait", [4]));
        Assert.Equal(4ul, (await dispatch.TakeAsync(V1.DispatchRequest.Parser)).Returned.Single().TaskId);
        release.Set();
        var last = (await FakeCell.ResultsAsync(heartbeat)).Single();
        Assert.Equal(1ul, last.TaskId);
        Assert.False(stopped.IsCompleted);
        heartbeat.Give(new V1.HeartbeatResponse { ConfirmedResultNumber = last.ResultNumber });
        var goodbye = await heartbeat.TakeAsync(V1.HeartbeatRequest.Parser, message => message.Goodbye);
        Assert.Equal(2ul, goodbye.EndedTotal);
        await heartbeat.Completed;
        heartbeat.End();
        await stopped.WaitAsync(s_patience);
        await cell.Worker.Completion.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Stop_OverTheDrainTime_CancelsWhatRuns()
    {
        var cancelled = new TaskCompletionSource();
        var cell = new FakeCell(worker => worker.Handle(s_wait, async (_, cancel) =>
        {
            using var seen = cancel.Register(cancelled.SetResult);
            await Task.Delay(Timeout.Infinite, cancel);
            return default;
        }));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("wait", [1]));
        await SettledAsync(heartbeat, dispatch, 99);
        heartbeat.Give(new V1.HeartbeatResponse { ConfirmedResultNumber = 1 });
        var stopped = cell.Worker.StopAsync(TimeSpan.FromMilliseconds(20), CancellationToken.None);
        await cancelled.Task.WaitAsync(s_patience);
        var goodbye = await heartbeat.TakeAsync(V1.HeartbeatRequest.Parser, message => message.Goodbye);
        Assert.Empty(goodbye.Results);
        heartbeat.End();
        await stopped.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Drain_AskedForByTheRegister_EndsTheWorkerWhenItIsDone()
    {
        using var release = new ManualResetEventSlim();
        var cell = new FakeCell(worker => worker.Handle(s_wait, _ => TestHandlers.Block(release)), slots: 1);
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("wait", [1]));
        await SettledAsync(heartbeat, dispatch, 99);
        heartbeat.Give(new V1.HeartbeatResponse { ConfirmedResultNumber = 1, Drain = true });
        await heartbeat.TakeAsync(V1.HeartbeatRequest.Parser, message => message.Draining);
        release.Set();
        await FakeCell.ResultsAsync(heartbeat);
        heartbeat.Give(new V1.HeartbeatResponse { ConfirmedResultNumber = 2 });
        await heartbeat.TakeAsync(V1.HeartbeatRequest.Parser, message => message.Goodbye);
        heartbeat.End();
        await cell.Worker.Completion.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Stop_OfAWorkerThatNeverStarted_AndTwice_IsLegal()
    {
        var cell = new FakeCell(worker => worker.Handle(s_wait, input => input).HandleCommands());
        await cell.Worker.StopAsync(CancellationToken.None).WaitAsync(s_patience);
        await cell.Worker.StopAsync(CancellationToken.None).WaitAsync(s_patience);
        await cell.Worker.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cell.Worker.Registered);
    }

    [Fact]
    public async Task Stop_WhileTheCellIsNotThere_EndsAtOnce()
    {
        var cell = new FakeCell(worker => worker.Handle(s_wait, input => input));
        cell.Worker.Start();
        var heartbeat = await cell.HeartbeatAsync();
        await cell.Worker.StopAsync(CancellationToken.None).WaitAsync(s_patience);
        await heartbeat.Aborted;
    }

    /// <summary>
    /// Waits until everything given before was taken in: a message of an unknown handler is answered.
    /// </summary>
    private static async Task SettledAsync(FakeStream heartbeat, FakeStream dispatch, ulong task)
    {
        dispatch.Give(FakeCell.Assign("unknown", [task]));
        Assert.Equal(task, (await FakeCell.ResultsAsync(heartbeat)).Single().TaskId);
    }
}
