// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Core;

namespace Muster.Cli.Cells;

/// <summary>
/// A whole cell and a worker in this process for the time of one command. Its arena is small, its name holds the
/// process id, and nothing of it is left when it is disposed.
/// </summary>
internal sealed class EmbeddedCell : IAsyncDisposable
{
    /// <summary>More than a map ever has under way.</summary>
    private const uint TasksMax = 8_192;

    /// <summary>A container's usual /dev/shm has 64 MiB; payloads and results take half of it.</summary>
    private const long PayloadBytesMax = 16L << 20;

    private readonly HostedCell _cell;
    private readonly HostedWorker _worker;

    private EmbeddedCell(HostedCell cell, HostedWorker worker)
    {
        _cell = cell;
        _worker = worker;
    }

    public string Address => _cell.Address;

    public static async Task<EmbeddedCell> StartAsync(int slots, CancellationToken cancellationToken)
    {
        EmbeddedLeftovers.Remove();
        var plan = new HostedCellPlan
        {
            Cell = EmbeddedCellName.Of(Environment.ProcessId),
            Roles = [Role.Plm, Role.Scheduler, Role.Register],
            TasksMax = TasksMax,
            PayloadBytesMax = PayloadBytesMax,
            IsEmbedded = true,
        };
        var cell = await HostedCell.StartAsync(plan, null, NullLoggerFactory.Instance, cancellationToken);
        try
        {
            return new(cell, HostedWorker.Start(cell.Address, slots, "embedded", NullLoggerFactory.Instance));
        }
        catch
        {
            await cell.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Nobody waits for results any more, so what still runs is stopped at once.
        await _worker.StopAsync(TimeSpan.Zero);
        await _cell.DisposeAsync();
    }
}
