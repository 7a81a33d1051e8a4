// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.DependencyInjection;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>What becomes of attempts: outcomes, limits, cancellation, slots.</summary>
public sealed class ExecutorTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_bytes = TaskType.Bytes("bytes");

    [Fact]
    public async Task Handler_ThatReturns_Succeeds()
    {
        var cell = new FakeCell(worker => worker.Handle(s_bytes, input => Upper(input)));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("bytes", [5], Encoding.UTF8.GetBytes("abc"), attempt: 4_097));
        var result = (await FakeCell.ResultsAsync(heartbeat)).Single();
        Assert.Equal(5ul, result.TaskId);
        Assert.Equal(4_097u, result.Attempt);
        Assert.Equal(V1.Outcome.Succeeded, result.Outcome);
        Assert.Equal("ABC", result.Output.ToStringUtf8());
        Assert.Equal(1ul, result.ResultNumber);
        Assert.Null(result.Error);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Handler_ThatThrows_FailsWithTypeMessageAndStack()
    {
        var cell = new FakeCell(worker => worker
            .Handle(s_bytes, _ => throw new FormatException("no good"))
            .Handle(TaskType.Bytes("async"), (_, _, _) => ThrowAsync()));
        var (heartbeat, dispatch) = await cell.StartAsync();
        foreach (var handler in (string[])["bytes", "async"])
        {
            dispatch.Give(FakeCell.Assign(handler, [1]));
            var result = (await FakeCell.ResultsAsync(heartbeat)).Single();
            heartbeat.Give(new V1.HeartbeatResponse { ConfirmedResultNumber = result.ResultNumber });
            Assert.Equal(V1.Outcome.Failed, result.Outcome);
            Assert.Equal("HANDLER_FAILED", result.Error.Code);
            Assert.Equal("no good", result.Error.Message);
            Assert.Equal("System.FormatException", result.Error.Type);
            Assert.Contains("ExecutorTests", result.Error.Stack, StringComparison.Ordinal);
        }

        await cell.EndAsync();
    }

    [Fact]
    public async Task Handler_WhoseErrorTextIsHuge_IsCutToTheLimits()
    {
        var text = new string('ä', 10_000);
        var cell = new FakeCell(worker => worker.Handle(
            s_bytes, _ => throw new FormatException(text, new FormatException(new string('x', 100_000)))));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("bytes", [1]));
        var error = (await FakeCell.ResultsAsync(heartbeat)).Single().Error;
        Assert.InRange(Encoding.UTF8.GetByteCount(error.Message), 4_000, TaskLimits.ErrorMessageBytesMax);
        Assert.InRange(Encoding.UTF8.GetByteCount(error.Stack), 16_000, TaskLimits.StackBytesMax);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Handler_WithInputThatCannotBeRead_Fails()
    {
        var type = TaskType.Json<int, int>("json");
        var cell = new FakeCell(worker => worker.Handle(type, n => n + 1));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("json", [1], Encoding.UTF8.GetBytes("{")));
        var result = (await FakeCell.ResultsAsync(heartbeat)).Single();
        Assert.Equal("HANDLER_FAILED", result.Error.Code);
        Assert.Equal("System.Text.Json.JsonException", result.Error.Type);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Handler_WithOutputOverTheLimit_FailsWithOutputTooLarge()
    {
        var cell = new FakeCell(worker => worker
            .Handle(s_bytes, _ => new byte[TaskLimits.OutputBytesMax + 1])
            .Handle(TaskType.Bytes("fits"), _ => new byte[TaskLimits.OutputBytesMax]));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("bytes", [1]));
        Assert.Equal("OUTPUT_TOO_LARGE", (await FakeCell.ResultsAsync(heartbeat)).Single().Error.Code);
        dispatch.Give(FakeCell.Assign("fits", [2]));
        Assert.Equal(TaskLimits.OutputBytesMax, (await FakeCell.ResultsAsync(heartbeat)).Single().Output.Length);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Attempt_OfAnUnknownHandler_Fails()
    {
        var cell = new FakeCell(worker => worker.Handle(s_bytes, input => input));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("other", [1]));
        var message = await FakeCell.EndedAsync(heartbeat, 1);
        Assert.Equal("HANDLER_UNKNOWN", message.Results.Single().Error.Code);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Attempt_OverItsTime_IsReportedAtOnceAndCountedWhenItsHandlerEnds()
    {
        using var release = new ManualResetEventSlim();
        var cell = new FakeCell(worker => worker.Handle(s_bytes, _ => TestHandlers.Block(release)), slots: 1);
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("bytes", [1], timeoutMs: 20));
        var message = await heartbeat.TakeAsync(V1.HeartbeatRequest.Parser, beat => beat.Results.Count > 0);
        Assert.Equal(V1.Outcome.TimedOut, message.Results[0].Outcome);
        Assert.Equal("ATTEMPT_TIMED_OUT", message.Results[0].Error.Code);
        Assert.Equal(0ul, message.EndedTotal);
        heartbeat.Give(new V1.HeartbeatResponse { ConfirmedResultNumber = 1 });

        // The slot is taken as long as the handler runs.
        dispatch.Give(FakeCell.Assign("bytes", [2]));
        dispatch.Give(FakeCell.Assign("unknown", [3]));
        Assert.Equal(3ul, (await FakeCell.ResultsAsync(heartbeat)).Single().TaskId);
        release.Set();
        Assert.Equal(2ul, (await FakeCell.ResultsAsync(heartbeat)).Single().TaskId);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Attempt_OverItsTime_HasItsTokenCancelled()
    {
        var cancelled = new TaskCompletionSource();
        var cell = new FakeCell(worker => worker.Handle(
            s_bytes, (_, cancel) => TestHandlers.WaitForAsync(cancelled, cancel)));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("bytes", [1], timeoutMs: 20));
        Assert.Equal(V1.Outcome.TimedOut, (await FakeCell.ResultsAsync(heartbeat)).Single().Outcome);
        await cancelled.Task.WaitAsync(s_patience);
        Assert.Empty((await FakeCell.EndedAsync(heartbeat, 1)).Results);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Cancel_OfARunningAttempt_StopsItWithoutAResult()
    {
        var started = new SemaphoreSlim(0);
        var cancelled = new TaskCompletionSource();
        var cell = new FakeCell(worker => worker.Handle(s_bytes, (_, cancel) =>
        {
            started.Release();
            return TestHandlers.WaitForAsync(cancelled, cancel);
        }));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("bytes", [1]));
        Assert.True(await started.WaitAsync(s_patience));
        dispatch.Give(new V1.DispatchResponse { Cancel = { FakeCell.Key(1, 2), FakeCell.Key(1) } });
        await cancelled.Task.WaitAsync(s_patience);
        Assert.Empty((await FakeCell.EndedAsync(heartbeat, 1)).Results);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Cancel_OfAWaitingAttempt_TakesItOut()
    {
        using var release = new ManualResetEventSlim();
        var cell = new FakeCell(worker => worker.Handle(s_bytes, _ => TestHandlers.Block(release)), slots: 1);
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("bytes", [1, 2, 3]));
        dispatch.Give(new V1.DispatchResponse { Cancel = { FakeCell.Key(2) } });
        Assert.Empty((await FakeCell.EndedAsync(heartbeat, 1)).Results);
        release.Set();
        var results = await FakeCell.ResultsAsync(heartbeat, 2);
        Assert.Equal([1ul, 3ul], results.Select(result => result.TaskId));
        await cell.EndAsync();
    }

    [Fact]
    public async Task Attempts_MoreThanSlots_RunAtMostThatManyAtOnce()
    {
        var running = 0;
        var most = 0;
        var cell = new FakeCell(
            worker => worker.Handle(s_bytes, async (input, cancel) =>
            {
                var now = Interlocked.Increment(ref running);
                InterlockedMax(ref most, now);
                await Task.Delay(1, cancel);
                Interlocked.Decrement(ref running);
                return input;
            }),
            slots: 3);
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("bytes", Enumerable.Range(1, 100).Select(n => (ulong)n)));
        var results = await FakeCell.ResultsAsync(heartbeat, 100);
        Assert.Equal(100, results.Select(result => result.TaskId).Distinct().Count());
        Assert.Equal(Enumerable.Range(1, 100).Select(n => (ulong)n), results.Select(result => result.ResultNumber));
        Assert.Equal(3, most);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Attempts_OfBlockingHandlers_RunOnSlotThreadsWithoutLeakingContext()
    {
        var local = new AsyncLocal<string?>();
        var names = new ConcurrentBag<string>();
        var leaks = 0;
        var cell = new FakeCell(
            worker => worker.Handle(s_bytes, input =>
            {
                leaks += local.Value is null ? 0 : 1;
                local.Value = "mine";
                names.Add(Thread.CurrentThread.Name ?? "");
                return input;
            }),
            slots: 1);
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("bytes", Enumerable.Range(1, 50).Select(n => (ulong)n)));
        await FakeCell.ResultsAsync(heartbeat, 50);
        Assert.Equal(["muster-slot-1"], names.Distinct());
        Assert.Equal(0, leaks);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Attempt_SentTwice_RunsOnce()
    {
        var runs = 0;
        using var release = new ManualResetEventSlim();
        var cell = new FakeCell(worker => worker.Handle(s_bytes, _ =>
        {
            Interlocked.Increment(ref runs);
            return TestHandlers.Block(release);
        }));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("bytes", [1]));
        dispatch.Give(FakeCell.Assign("bytes", [1]));
        release.Set();
        await FakeCell.ResultsAsync(heartbeat);

        // Also while its result waits for confirmation.
        dispatch.Give(FakeCell.Assign("bytes", [1]));
        dispatch.Give(FakeCell.Assign("bytes", [2]));
        Assert.Equal(2ul, (await FakeCell.ResultsAsync(heartbeat)).Single().TaskId);
        Assert.Equal(2, runs);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Handler_ThatAsks_LearnsItsAttempt()
    {
        TaskContext? seen = null;
        var cell = new FakeCell(worker => worker.Handle(s_bytes, (input, context, _) =>
        {
            seen = context;
            return ValueTask.FromResult(input);
        }));
        var (heartbeat, dispatch) = await cell.StartAsync();
        var assign = FakeCell.Assign("bytes", [77], timeoutMs: 60_000, attempt: 8_195);
        assign.Groups[0].Assignments[0].Execution = 3;
        var before = DateTimeOffset.UtcNow;
        dispatch.Give(assign);
        await FakeCell.ResultsAsync(heartbeat);
        Assert.Equal(new TaskId(77), seen!.TaskId);
        Assert.Equal(8_195u, seen.Attempt);
        Assert.Equal(3, seen.Execution);
        Assert.InRange(seen.Deadline!.Value, before.AddSeconds(59), before.AddSeconds(81));
        await cell.EndAsync();
    }

    [Fact]
    public async Task Handler_ThatIsAClass_GetsAScopeOfItsOwnPerAttempt()
    {
        var log = new ScopeLog();
        var cell = new FakeCell(
            worker => worker.Handle<ScopedHandler, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>(s_bytes),
            addServices: services => services.AddSingleton(log).AddScoped<ScopedPart>());
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(FakeCell.Assign("bytes", [1, 2]));
        await FakeCell.ResultsAsync(heartbeat, 2);
        Assert.Equal(2, log.Made);
        Assert.Equal(2, log.Disposed);
        await cell.EndAsync();
    }

    private static ReadOnlyMemory<byte> Upper(ReadOnlyMemory<byte> input) =>
        Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(input.Span).ToUpperInvariant());

    private static async ValueTask<ReadOnlyMemory<byte>> ThrowAsync()
    {
        await Task.Yield();
        throw new FormatException("no good");
    }

    private static void InterlockedMax(ref int place, int value)
    {
        for (var seen = Volatile.Read(ref place); value > seen; seen = Volatile.Read(ref place))
        {
            Interlocked.CompareExchange(ref place, value, seen);
        }
    }

    private sealed class ScopeLog
    {
        public int Made;
        public int Disposed;
    }

    private sealed class ScopedPart : IDisposable
    {
        private readonly ScopeLog _log;

        public ScopedPart(ScopeLog log)
        {
            _log = log;
            Interlocked.Increment(ref log.Made);
        }

        public void Dispose() => Interlocked.Increment(ref _log.Disposed);
    }

    private sealed class ScopedHandler(ScopedPart part) : ITaskHandler<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>
    {
        public async ValueTask<ReadOnlyMemory<byte>> HandleAsync(
            ReadOnlyMemory<byte> input, TaskContext context, CancellationToken cancellationToken)
        {
            Assert.NotNull(part);
            await Task.Yield();
            return input;
        }
    }
}
