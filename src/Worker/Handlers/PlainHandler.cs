// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Core;
using Muster.Worker.Attempts;
using Muster.Worker.Execution;

namespace Muster.Worker.Handlers;

/// <summary>A handler that returns its output directly, and runs on a slot thread.</summary>
internal sealed class PlainHandler<TIn, TOut> : HandlerEntry
{
    private readonly TaskType<TIn, TOut> _type;
    private readonly Func<TIn, TOut>? _simple;
    private readonly Func<TIn, TaskContext, CancellationToken, TOut>? _full;

    public PlainHandler(TaskType<TIn, TOut> type, Func<TIn, TOut> handler)
        : base(type.Name, HandlerPlace.SlotThread)
    {
        _type = type;
        _simple = handler;
    }

    public PlainHandler(TaskType<TIn, TOut> type, Func<TIn, TaskContext, CancellationToken, TOut> handler)
        : base(type.Name, HandlerPlace.SlotThread)
    {
        _type = type;
        _full = handler;
    }

    public override bool TakesToken => _full is not null;

    public override AttemptEnd? Run(HeldAttempt attempt, Executor executor)
    {
        try
        {
            var input = _type.ReadInput(attempt.Payload);
            var output = _simple is not null
                ? _simple(input)
                : _full!(input, executor.Context(attempt), attempt.Cancel!.Token);
            return AttemptEnd.Succeeded(OutputBuffer.Write(_type, output));
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
