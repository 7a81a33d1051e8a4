// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
using Muster.Worker.Attempts;
using Muster.Worker.Execution;

namespace Muster.Worker.Handlers;

/// <summary>Stands in for a handler that this worker does not offer; its attempts end without being started.</summary>
internal sealed class UnknownHandler() : HandlerEntry("", HandlerPlace.ThreadPool)
{
    public static readonly UnknownHandler Instance = new();

    public override AttemptEnd? Run(HeldAttempt attempt, Executor executor) =>
        throw new UnreachableException("an attempt without a handler was started");
}
