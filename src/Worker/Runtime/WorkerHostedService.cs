// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Hosting;

namespace Muster.Worker.Runtime;

/// <summary>Ties a worker's life to that of its application.</summary>
internal sealed class WorkerHostedService(WorkerRuntime runtime) : IHostedService, IAsyncDisposable
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        runtime.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => runtime.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => runtime.DisposeAsync();
}
