// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>What handlers and commands say while they run, and what becomes of those that say nothing.</summary>
public sealed class ProgressTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_bytes = TaskType.Bytes("bytes");

    [Fact]
    public async Task Handler_ThatSaysNothing_TimesOutForItsSilence()
    {
        var cancelled = new TaskCompletionSource();
        var cell = new FakeCell(worker => worker.Handle(
            s_bytes, (_, cancel) => TestHandlers.WaitForAsync(cancelled, cancel)));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(Assign(1, silenceMs: 30));
        var result = (await FakeCell.ResultsAsync(heartbeat)).Single();
        Assert.Equal((V1.Outcome.TimedOut, "PROGRESS_TIMED_OUT"), (result.Outcome, result.Error.Code));
        await cancelled.Task.WaitAsync(s_patience);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Handler_ThatReports_RunsFarBeyondTheSilenceItMayKeep()
    {
        var cell = new FakeCell(worker => worker.Handle(
            s_bytes, (input, context, cancel) => ReportAsync(input, context, cancel)));
        var (heartbeat, dispatch) = await cell.StartAsync();
        dispatch.Give(Assign(1, silenceMs: 2_000));
        Assert.Equal(V1.Outcome.Succeeded, (await FakeCell.ResultsAsync(heartbeat)).Single().Outcome);
        await cell.EndAsync();

        // More than two limits of silence, in steps far below one.
        static async ValueTask<ReadOnlyMemory<byte>> ReportAsync(
            ReadOnlyMemory<byte> input, TaskContext context, CancellationToken cancel)
        {
            for (var step = 0; step < 50; step++)
            {
                using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
                await timer.WaitForNextTickAsync(cancel);
                context.Report();
            }

            return input;
        }
    }

    [Fact]
    public async Task Report_OfARunningHandler_GoesOutWithTheNextBeatOnce()
    {
        using var release = new SemaphoreSlim(0);
        var cell = new FakeCell(worker => worker.Handle(s_bytes, (input, context, cancel) =>
        {
            context.Report("first");
            context.Report(new string('ä', 300));
            release.Wait(s_patience, cancel);
            return input;
        }));
        cell.Worker.Start();
        var heartbeat = await cell.HeartbeatAsync();
        await FakeCell.WelcomeAsync(heartbeat, intervalMs: 20);
        var dispatch = await cell.DispatchAsync();
        dispatch.Give(FakeCell.Assign("bytes", [7], attempt: 4_097));
        var beat = await heartbeat.TakeAsync(V1.HeartbeatRequest.Parser, each => each.Progress.Count > 0);
        var progress = Assert.Single(beat.Progress);
        Assert.Equal((7ul, 4_097u), (progress.TaskId, progress.Attempt));
        Assert.StartsWith("ää", progress.Details, StringComparison.Ordinal);
        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(progress.Details), 190, 200);
        Assert.Contains(7ul, beat.Running);

        var next = await heartbeat.TakeAsync(V1.HeartbeatRequest.Parser, each => each.Load is not null);
        Assert.Empty(next.Progress);
        release.Release();
        await FakeCell.ResultsAsync(heartbeat);
        await cell.EndAsync();
    }

    [Fact]
    public async Task Handler_ThatThrowsTheSpecialExceptions_SaysSoInItsError()
    {
        var cell = new FakeCell(worker => worker
            .Handle(s_bytes, _ => throw new RetryAfterException(TimeSpan.FromSeconds(1.5), "busy"))
            .Handle(TaskType.Bytes("final"), _ => throw new FinalFailureException("never"))
            .Handle(TaskType.Bytes("long"), _ => throw new RetryAfterException(TimeSpan.FromDays(9))));
        var (heartbeat, dispatch) = await cell.StartAsync();
        (string Handler, ulong WaitMs, bool IsFinal)[] expected =
            [("bytes", 1_500, false), ("final", 0, true), ("long", 86_400_000, false)];
        foreach (var (handler, waitMs, isFinal) in expected)
        {
            dispatch.Give(FakeCell.Assign(handler, [1]));
            var result = (await FakeCell.ResultsAsync(heartbeat)).Single();
            heartbeat.Give(new V1.HeartbeatResponse { ConfirmedResultNumber = result.ResultNumber });
            Assert.Equal(
                ("HANDLER_FAILED", waitMs, isFinal),
                (result.Error.Code, result.Error.RetryAfterMs, result.Error.IsFinal));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryAfterException(TimeSpan.Zero));
        await cell.EndAsync();
    }

    private static V1.DispatchResponse Assign(ulong task, ulong silenceMs)
    {
        var message = FakeCell.Assign("bytes", [task]);
        message.Groups[0].ProgressTimeoutMs = silenceMs;
        return message;
    }
}
