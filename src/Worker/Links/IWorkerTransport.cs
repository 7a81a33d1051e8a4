// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Worker.Links;

/// <summary>Opens the worker's two streams. Replaced in tests.</summary>
internal interface IWorkerTransport : IAsyncDisposable
{
    /// <summary>Opens Registry.Heartbeat.</summary>
    /// <exception cref="LinkException">It could not be opened.</exception>
    ValueTask<IMessageStream> OpenHeartbeatAsync(string address, CancellationToken cancellationToken);

    /// <summary>Opens Dispatch.Dispatch.</summary>
    /// <exception cref="LinkException">It could not be opened.</exception>
    ValueTask<IMessageStream> OpenDispatchAsync(string address, CancellationToken cancellationToken);
}
