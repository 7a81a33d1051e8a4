// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Extensions.Logging;
using Muster.Worker.Attempts;
using Muster.Worker.Execution;
using Muster.Worker.Handlers;
using Muster.Worker.Runtime;

namespace Muster.Worker.Links;

/// <summary>What a <see cref="DispatchLink"/> works with, and whom it tells. Immutable.</summary>
internal sealed record DispatchLinkParts
{
    public required AttemptBook Book { get; init; }

    public required Executor Executor { get; init; }

    public required IWorkerTransport Transport { get; init; }

    public required WorkerIdentity Identity { get; init; }

    public required HandlerTable Handlers { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Log { get; init; }

    /// <summary>The Scheduler says that this worker's registration is over: the Register knows.</summary>
    public required Action RegistrationDoubted { get; init; }

    /// <summary>Something of the book changed that the Register should hear.</summary>
    public required Action Flush { get; init; }

    /// <summary>A bug of ours was noticed.</summary>
    public required Action<Exception> StopWorker { get; init; }
}
