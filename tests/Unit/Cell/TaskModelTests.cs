// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Cell;

/// <summary>Retries, limits of time and cancellation through a whole cell, as a client and a worker see them.</summary>
public sealed class TaskModelTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task FailedAttempt_WithAWaitThatItAskedFor_IsRepeatedThenAndRemembered()
    {
        await using var cell = new TemporaryCell();
        await cell.StartAsync();
        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7));
        var id = await SubmitAsync(cell, new TaskOptions { Handler = "work", AttemptsMax = 3 });
        var first = await TakeAsync(worker);
        var watch = Stopwatch.StartNew();
        await worker.FailAsync(first, new TaskError
        {
            Code = "HANDLER_FAILED", Message = "busy", Type = "My.Busy", OutputTail = "the end", RetryAfterMs = 400,
        });
        var second = await TakeAsync(worker);
        Assert.True(watch.ElapsedMilliseconds >= 390);
        Assert.True(second.Attempt > first.Attempt && second.Execution == 2);
        var whileRunning = (await Admin(cell).GetTaskAsync(new() { TaskId = id })).Task;
        var attempt = Assert.Single(whileRunning.Attempts);
        Assert.Equal(
            (first.Attempt, "scripted-7", "busy", "My.Busy", "the end", 400ul),
            (attempt.Attempt, attempt.WorkerName, attempt.Message, attempt.Type, attempt.OutputTail,
                attempt.RetryAfterMs));
        Assert.Equal(2u, whileRunning.Executions);

        await worker.SucceedAsync(second, "out");
        var result = (await cell.Submission().AwaitTaskAsync(new() { TaskId = id })).Result;
        Assert.Equal((V1.Outcome.Succeeded, second.Attempt), (result.Outcome, result.Attempt));
        Assert.Equal(attempt, Assert.Single(result.Attempts));
    }

    [Fact]
    public async Task FinalError_EndsTheTaskWithItsFirstAttempt()
    {
        await using var cell = new TemporaryCell();
        await cell.StartAsync();
        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7));
        var id = await SubmitAsync(
            cell, new TaskOptions { Handler = "work", AttemptsMax = 9, FinalErrors = { "ArgumentException" } });
        await worker.FailAsync(
            await TakeAsync(worker), new TaskError { Code = "HANDLER_FAILED", Type = "System.ArgumentException" });
        var result = (await cell.Submission().AwaitTaskAsync(new() { TaskId = id })).Result;
        Assert.Equal((V1.Outcome.Failed, 1u), (result.Outcome, result.Executions));
    }

    [Fact]
    public async Task Progress_OfARunningAttempt_ShowsWhileItRuns()
    {
        await using var cell = new TemporaryCell();
        await cell.StartAsync();
        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7));
        var id = await SubmitAsync(cell, new TaskOptions { Handler = "work", ProgressTimeoutMs = 60_000 });
        var group = (await worker.AssignedAsync()).Groups[0];
        Assert.Equal(60_000ul, group.ProgressTimeoutMs);
        var attempt = group.Assignments[0];
        await worker.SayAsync(new HeartbeatRequest
        {
            Running = { attempt.TaskId },
            Progress = { new AttemptProgress { TaskId = id, Attempt = attempt.Attempt, Details = "half way" } },
        });
        TaskInfo info;
        using var over = new CancellationTokenSource(s_patience);
        do
        {
            over.Token.ThrowIfCancellationRequested();
            info = (await Admin(cell).GetTaskAsync(new() { TaskId = id })).Task;
        }
        while (info.Progress is null);

        Assert.Equal("half way", info.Progress.Details);
        Assert.True(info.Progress.UnixUs > info.Timings.SubmittedUnixUs);
        await worker.SucceedAsync(attempt, "out");
        await cell.Submission().AwaitTaskAsync(new() { TaskId = id });
        Assert.Null((await Admin(cell).GetTaskAsync(new() { TaskId = id })).Task.Progress);
    }

    [Fact]
    public async Task TotalTime_OfARunningTask_EndsItAndStopsItsAttempt()
    {
        await using var cell = new TemporaryCell();
        await cell.StartAsync();
        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7));
        var id = await SubmitAsync(cell, new TaskOptions { Handler = "work", TotalTimeoutMs = 300, AttemptsMax = 9 });
        var attempt = await TakeAsync(worker);
        var result = (await cell.Submission().AwaitTaskAsync(new() { TaskId = id })).Result;
        Assert.Equal((V1.Outcome.TimedOut, "TASK_TIMED_OUT"), (result.Outcome, result.Error.Code));
        var cancel = Assert.Single((await worker.AssignedAsync()).Cancel);
        Assert.Equal((id, attempt.Attempt), (cancel.TaskId, cancel.Attempt));
    }

    [Fact]
    public async Task Cancel_ByFilter_SaysWhatHappenedToEachAndKeepsTheReason()
    {
        await using var cell = new TemporaryCell();
        await cell.StartAsync();
        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7));
        var running = await SubmitAsync(cell, new TaskOptions { Handler = "work" });
        await TakeAsync(worker);
        ulong[] waiting =
        [
            await SubmitAsync(cell, new TaskOptions { Handler = "later" }),
            await SubmitAsync(cell, new TaskOptions { Handler = "later", Durability = V1.Durability.Memory }),
        ];
        var client = cell.Submission();
        var request = new CancelTasksRequest
        {
            Filter = new TaskFilter { Handler = "later", States = { TaskState.Ready } },
            Actor = "me@here",
            Reason = "wrong input",
            DryRun = true,
        };
        Assert.Equal(waiting, (await client.CancelTasksAsync(request)).Tasks.Select(task => task.TaskId).Order());
        Assert.Equal(TaskState.Ready, (await Admin(cell).GetTaskAsync(new() { TaskId = waiting[0] })).Task.State);

        request.DryRun = false;
        var done = await client.CancelTasksAsync(request);
        Assert.All(
            done.Tasks, task => Assert.Equal((CancelStatus.Cancelled, TaskState.Ready), (task.Status, task.Was)));
        Assert.Equal((2, false, 0), (done.Tasks.Count, done.More, done.Statuses.Count));
        Assert.Empty((await client.CancelTasksAsync(request)).Tasks);
        var result = (await client.AwaitTaskAsync(new() { TaskId = waiting[1] })).Result;
        Assert.Equal(
            (V1.Outcome.Cancelled, "TASK_CANCELLED", "cancelled by me@here: wrong input"),
            (result.Outcome, result.Error.Code, result.Error.Message));

        var byId = await client.CancelTasksAsync(new() { TaskIds = { running, waiting[0], 99 } });
        Assert.Equal(
            [CancelStatus.Cancelled, CancelStatus.AlreadyCancelled, CancelStatus.NotFound], byId.Statuses);
        Assert.Equal(
            [TaskState.Assigned, TaskState.Done, TaskState.Unspecified], byId.Tasks.Select(task => task.Was));
        await Assert.ThrowsAsync<Grpc.Core.RpcException>(
            async () => await client.CancelTasksAsync(new() { Filter = new TaskFilter() }));
    }

    private static AdminService.AdminServiceClient Admin(TemporaryCell cell) => new(cell.Invoker());

    private static async Task<ulong> SubmitAsync(TemporaryCell cell, TaskOptions options) =>
        (await cell.Submission().SubmitTaskAsync(new()
        {
            WireVersion = 1,
            Options = options,
            Item = new TaskItem { Payload = ByteString.CopyFromUtf8("in") },
        })).TaskId;

    private static async Task<Assignment> TakeAsync(ScriptedWorker worker) =>
        Assert.Single(Assert.Single((await worker.AssignedAsync()).Groups).Assignments);
}
