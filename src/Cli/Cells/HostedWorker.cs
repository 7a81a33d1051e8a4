// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Muster.Worker.Handlers;
using Muster.Worker.Runtime;

namespace Muster.Cli.Cells;

/// <summary>A worker for commands in this process.</summary>
internal sealed class HostedWorker
{
    private readonly WorkerRuntime _runtime;

    private HostedWorker(WorkerRuntime runtime) => _runtime = runtime;

    /// <summary>Ends at its first registration.</summary>
    public Task Registered => _runtime.Registered;

    /// <summary>Ends when it has stopped, by itself or by wish; fails by a bug of ours.</summary>
    public Task Completion => _runtime.Completion;

    public int RunningCount => _runtime.Running;

    public static HostedWorker Start(string address, int slots, string? name, ILoggerFactory logs) =>
        Start(new MusterWorkerOptions { Address = address, Slots = slots, Name = name }, logs);

    public static HostedWorker Start(MusterWorkerOptions options, ILoggerFactory logs)
    {
        var runtime = new WorkerRuntime(
            options,
            new HandlerTable { OffersCommands = true },
            logs);
        runtime.Start();
        return new(runtime);
    }

    /// <summary>Gives back what was not started, lets what runs end for at most this time, and leaves.</summary>
    public async Task StopAsync(TimeSpan drainTimeout)
    {
        await _runtime.StopAsync(drainTimeout, CancellationToken.None);
        await _runtime.DisposeAsync();
    }
}
