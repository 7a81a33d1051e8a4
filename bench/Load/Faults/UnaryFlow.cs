// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.Client;
using Muster.Shared.Histories;
using Muster.V1;

namespace Muster.Load.Faults;

/// <summary>
/// Few tasks by single calls, each awaited twice with a fault in between: a result that was shown must be the same ever
/// after. Then they are released.
/// </summary>
internal sealed class UnaryFlow(string address, HistoryOracle oracle, string level, Durability durability)
    : IAsyncDisposable
{
    private const string Actor = "unary";
    private const int Tasks = 8;
    private const uint KeptMs = 120_000;

    private static readonly TimeSpan s_awaitMax = TimeSpan.FromSeconds(5);

    private readonly CellConnection _cell = new(address, "chaos unary");
    private readonly SemaphoreSlim _fault = new(0);
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private long _next;

    public void Start() => _running = Task.WhenAll(Enumerable.Range(0, Tasks).Select(_ => Task.Run(RunAsync)));

    /// <summary>A fault has been mended: results may be asked for again.</summary>
    public void TellFault()
    {
        if (_fault.CurrentCount < Tasks)
        {
            _fault.Release(Tasks);
        }
    }

    public async Task FinishAsync(TimeSpan deadline)
    {
        _stop.CancelAfter(deadline);
        TellFault();
        await _stop.CancelAsync();
        await Task.WhenAny(_running, Task.Delay(deadline));
        if (_running.IsFaulted)
        {
            await _running;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _cell.DisposeAsync();
        _fault.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var key = Interlocked.Increment(ref _next) - 1;
            Tell(HistoryOp.Submit, key, "unknown");
            ulong task;
            try
            {
                task = await SubmitAsync(key);
            }
            catch (MusterException failure)
            {
                // It may run all the same; nobody will ask for it.
                Tell(HistoryOp.Unknown, key, $"unknown:{failure.Code}");
                await Task.Delay(50);
                continue;
            }

            Tell(HistoryOp.Accept, key, "ok", task);
            if (await AwaitAsync(key, task))
            {
                await Task.WhenAny(_fault.WaitAsync(_stop.Token));
                await AwaitAsync(key, task);
                await ReleaseAsync(task);
            }
        }
    }

    private async Task<ulong> SubmitAsync(long key)
    {
        var request = new SubmitTaskRequest
        {
            WireVersion = 1,
            Options = new()
            {
                Handler = TraceTask.Handler,
                AttemptsMax = 100,
                Durability = (V1.Durability)durability,
                RetentionMs = KeptMs,
            },
            Item = new() { Payload = ByteString.CopyFrom(TraceTask.Payload(key, 1)) },
        };
        return (await _cell.CallPlmAsync((plm, call) => plm.SubmitTaskAsync(request, call), CancellationToken.None))
            .TaskId;
    }

    /// <summary>True when the result was seen; an accepted task must have one sooner or later.</summary>
    private async Task<bool> AwaitAsync(long key, ulong task)
    {
        var since = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(60))
        {
            try
            {
                var answer = await _cell.CallPlmAsync(
                    (plm, call) => plm.AwaitTaskAsync(new() { TaskId = task }, call),
                    CancellationToken.None,
                    s_awaitMax);
                Tell(answer.Result, key);
                return true;
            }
            catch (MusterException failure) when (failure.Code == "TASK_NOT_FOUND")
            {
                Tell(HistoryOp.Missing, key, failure.Code, task);
                return false;
            }
            catch (MusterException)
            {
                await Task.Delay(20);
            }
        }

        return false;
    }

    private async Task ReleaseAsync(ulong task)
    {
        try
        {
            await _cell.CallPlmAsync(
                (plm, call) => plm.ReleaseTasksAsync(new() { TaskIds = { task } }, call), CancellationToken.None);
        }
        catch (MusterException)
        {
            // Its retention ends soon.
        }
    }

    private void Tell(TaskResult result, long key)
    {
        var output = result.Output.Span;
        var isRight = TraceTask.IsRight(output, key, TraceTask.PayloadBytes, result.Attempt);
        oracle.Take(new HistoryEvent
        {
            TimeUs = (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds,
            Actor = Actor,
            Op = HistoryOp.Result,
            Task = result.TaskId,
            Key = key,
            Attempt = result.Attempt,
            Level = level,
            Outcome = result.Outcome != V1.Outcome.Succeeded ? result.Outcome.ToString() : isRight ? "ok" : "wrong",
            Value = TraceTask.Hash(output),
            Executions = result.Executions,
        });
    }

    private void Tell(HistoryOp op, long key, string outcome, ulong task = 0) => oracle.Take(new HistoryEvent
    {
        TimeUs = (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds,
        Actor = Actor,
        Op = op,
        Task = task,
        Key = key,
        Level = level,
        Outcome = outcome,
    });
}
