// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Muster.Shared.Histories;

namespace Muster.Load.Faults;

/// <summary>
/// A steady flow of tasks through the SDK, as a program would submit them: accepted first, awaited then. The SDK may
/// repeat what was not accepted; what was is never submitted again, so that a loss shows.
/// </summary>
internal sealed class SdkFlow(MusterClient client, HistoryOracle oracle, Durability durability, int inFlightMax)
{
    private const string Actor = "sdk";

    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_type =
        TaskType.Bytes(TraceTask.Handler);

    private readonly SubmitOptions _options = new() { AttemptsMax = 100, Durability = durability };
    private readonly string _level = durability.ToString().ToLowerInvariant();
    private readonly List<Task> _loops = [];
    private volatile bool _isStopped;
    private long _next;

    public void Start()
    {
        for (var loop = 0; loop < inFlightMax; loop++)
        {
            _loops.Add(Task.Run(RunAsync));
        }
    }

    /// <summary>Submits nothing more and waits for what is under way; what has no result by then is lost.</summary>
    public async Task FinishAsync(TimeSpan deadline)
    {
        _isStopped = true;
        var all = Task.WhenAll(_loops);
        await Task.WhenAny(all, Task.Delay(deadline));
        if (all.IsFaulted)
        {
            await all;
        }
    }

    private async Task RunAsync()
    {
        while (!_isStopped)
        {
            var key = Interlocked.Increment(ref _next) - 1;
            Tell(HistoryOp.Submit, key, "unknown");
            try
            {
                var handle = await client.SubmitAsync(s_type, TraceTask.Payload(key, (int)(key % 5)), _options);
                Tell(HistoryOp.Accept, key, "ok", handle.Id.Value);
                await AwaitAsync(handle, key);
            }
            catch (MusterException refused)
            {
                Tell(HistoryOp.Refuse, key, refused.Code);
                await Task.Delay(refused.RetryAfter ?? TimeSpan.FromMilliseconds(100));
            }
        }
    }

    private async Task AwaitAsync(TaskHandle<ReadOnlyMemory<byte>> handle, long key)
    {
        try
        {
            var output = await handle;
            var attempt = TraceTask.AttemptOf(output.Span);
            var isRight = TraceTask.IsRight(output.Span, key, TraceTask.PayloadBytes, attempt);
            Tell(HistoryOp.Result, key, isRight ? "ok" : "wrong", handle.Id.Value, output);
        }
        catch (TaskFailedException failed)
        {
            // A cell made anew says so; anything else is an end that these tasks never ask for.
            var isMissing = failed.Outcome == Outcome.Aborted;
            Tell(isMissing ? HistoryOp.Missing : HistoryOp.Result, key, failed.Code, handle.Id.Value);
        }
    }

    private void Tell(HistoryOp op, long key, string outcome, ulong task = 0, ReadOnlyMemory<byte> output = default) =>
        oracle.Take(new HistoryEvent
        {
            TimeUs = (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds,
            Actor = Actor,
            Op = op,
            Task = task,
            Key = key,
            Attempt = output.IsEmpty ? 0 : TraceTask.AttemptOf(output.Span),
            Level = _level,
            Outcome = outcome,
            Value = output.IsEmpty ? 0 : TraceTask.Hash(output.Span),
            Executions = output.IsEmpty ? 0 : (uint)TraceTask.ExecutionOf(output.Span),
        });
}
