// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Muster.Core;
using Muster.Worker.Attempts;
using Muster.Worker.Execution;

namespace Muster.Worker.Handlers;

/// <summary>A handler that returns a task of its output, and runs on the thread pool.</summary>
internal sealed class AsyncHandler<TIn, TOut>(
    TaskType<TIn, TOut> type, Func<TIn, TaskContext, CancellationToken, ValueTask<TOut>> handler)
    : HandlerEntry(type.Name, HandlerPlace.ThreadPool)
{
    // The returned task never fails: CallAsync catches everything that user code throws.
    public override AttemptEnd? Run(HeldAttempt attempt, Executor executor)
    {
        _ = RunAsync(attempt, executor);
        return null;
    }

    private async Task RunAsync(HeldAttempt attempt, Executor executor) =>
        executor.Finish(attempt, await CallAsync(attempt, executor).ConfigureAwait(false));

    private async ValueTask<AttemptEnd> CallAsync(HeldAttempt attempt, Executor executor)
    {
        try
        {
            var input = type.ReadInput(attempt.Payload);
            var output = await handler(input, executor.Context(attempt), attempt.Cancel!.Token).ConfigureAwait(false);
            return AttemptEnd.Succeeded(OutputBuffer.Write(type, output));
        }
        catch (OutputTooLargeException exception)
        {
            return AttemptEnd.Failed(new(FaultCode.OutputTooLarge, exception.Message));
        }
        catch (Exception exception)
        {
            // Whatever user code throws is the attempt's result, not the worker's problem.
            return AttemptEnd.Failed(AttemptFailure.From(exception));
        }
    }
}
