// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Arena;
using Muster.Core;
using Muster.Server;

namespace Muster.Cli.Cells;

/// <summary>
/// A whole cell and a worker in this process for the time of one command. Its arena is small, its name holds the
/// process id and a random part, and nothing of it is left when it is disposed. What a killed command left behind is
/// removed by the next one.
/// </summary>
internal sealed class EmbeddedCell : IAsyncDisposable
{
    /// <summary>More than a map ever has under way.</summary>
    private const uint TasksMax = 8_192;

    /// <summary>A container's usual /dev/shm has 64 MiB; payloads and results take half of it.</summary>
    private const long PayloadBytesMax = 16L << 20;

    private const string NamePrefix = "embedded-";

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
        RemoveLeftovers();
        var plan = new HostedCellPlan
        {
            Cell = string.Create(
                CultureInfo.InvariantCulture, $"{NamePrefix}{Environment.ProcessId}-{Random.Shared.Next(0x10000):x4}"),
            Roles = [Role.Plm, Role.Scheduler, Role.Register],
            TasksMax = TasksMax,
            PayloadBytesMax = PayloadBytesMax,
            IsEmbedded = true,
        };
        var cell = await HostedCell.StartAsync(plan, null, NullLoggerFactory.Instance, cancellationToken);
        try
        {
            return new(
                cell,
                HostedWorker.Start(
                    cell.Address,
                    slots,
                    "embedded",
                    new MusterCommandOptions { IsSubmitters = true },
                    NullLoggerFactory.Instance));
        }
        catch
        {
            await cell.DisposeAsync();
            throw;
        }
    }

    // Only of processes that are gone: a cell that is just starting does not hold its roles yet.
    private static void RemoveLeftovers()
    {
        var folder = Path.GetDirectoryName(ArenaFile.PathOf("default"))!;
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (var path in Directory.EnumerateFiles(folder, $"{NamePrefix}*.arena"))
        {
            var cell = Path.GetFileNameWithoutExtension(path);
            var process = cell[NamePrefix.Length..].Split('-')[0];
            if (!Directory.Exists($"/proc/{process}") && ArenaFile.Remove(cell).IsNone
                && Directory.Exists(CellPaths.RuntimeFolder(cell)))
            {
                Directory.Delete(CellPaths.RuntimeFolder(cell), recursive: true);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Nobody waits for results any more, so what still runs is stopped at once.
        await _worker.StopAsync(TimeSpan.Zero);
        await _cell.DisposeAsync();
    }
}
