// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Muster.Arena.Native;
using Muster.Core;
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

    /// <exception cref="MusterException">This host does not allow what is asked for commands.</exception>
    public static HostedWorker Start(
        string address, int slots, string? name, MusterCommandOptions commands, ILoggerFactory logs) =>
        Start(new MusterWorkerOptions { Address = address, Slots = slots, Name = name, Commands = commands }, logs);

    /// <exception cref="MusterException">This host does not allow what is asked for commands.</exception>
    public static HostedWorker Start(MusterWorkerOptions options, ILoggerFactory logs)
    {
        try
        {
            return Make(options, logs);
        }
        catch (Exception exception) when (exception is ArgumentException or IOException
            or PlatformNotSupportedException)
        {
            throw new MusterException(FaultCodes.Name(FaultCode.InvalidArgument), exception.Message);
        }
    }

    /// <summary>Gives back what was not started, lets what runs end for at most this time, and leaves.</summary>
    public async Task StopAsync(TimeSpan drainTimeout)
    {
        await _runtime.StopAsync(drainTimeout, CancellationToken.None);
        await _runtime.DisposeAsync();
    }

    private static HostedWorker Make(MusterWorkerOptions options, ILoggerFactory logs)
    {
        ProcessPrivileges.HideFromOthers();
        var runtime = new WorkerRuntime(
            // All children of this process are commands.
            options with { Commands = options.Commands with { OwnsProcess = true } },
            new HandlerTable { OffersCommands = true },
            logs);
        runtime.Start();
        return new(runtime);
    }
}
