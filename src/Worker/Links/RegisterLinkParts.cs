// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Extensions.Logging;
using Muster.Worker.Attempts;
using Muster.Worker.Execution;
using Muster.Worker.Handlers;
using Muster.Worker.Runtime;

namespace Muster.Worker.Links;

/// <summary>What a <see cref="RegisterLink"/> works with, and whom it tells. Immutable.</summary>
internal sealed record RegisterLinkParts
{
    public required AttemptBook Book { get; init; }

    public required Executor Executor { get; init; }

    public required IWorkerTransport Transport { get; init; }

    public required string Address { get; init; }

    public required WorkerIdentity Identity { get; init; }

    public required HandlerTable Handlers { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Log { get; init; }

    /// <summary>Have the link flushed by the heartbeat thread.</summary>
    public required Action FlushSoon { get; init; }

    /// <summary>How often to beat, in milliseconds; 0: unchanged.</summary>
    public required Action<uint> SetInterval { get; init; }

    /// <summary>The Register welcomed this worker, or has given it up (null).</summary>
    public required Action<Registration?> Registered { get; init; }

    /// <summary>Results were confirmed.</summary>
    public required Action Confirmed { get; init; }

    /// <summary>The Register wants this worker to leave when it is done.</summary>
    public required Action DrainWanted { get; init; }

    /// <summary>A bug of ours was noticed.</summary>
    public required Action<Exception> StopWorker { get; init; }
}
