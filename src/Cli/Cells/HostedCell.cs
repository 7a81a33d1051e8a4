// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Muster.Arena;
using Muster.Arena.Native;
using Muster.Cli.Output;
using Muster.Cli.Verbs;
using Muster.Core;
using Muster.Server;

namespace Muster.Cli.Cells;

/// <summary>Roles of a cell that run in this process, from their start to their end.</summary>
internal sealed class HostedCell : IAsyncDisposable
{
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);

    private readonly CellHost _host;
    private readonly HostedCellPlan _plan;
    private readonly TaskCompletionSource _failure;

    private HostedCell(CellHost host, HostedCellPlan plan, TaskCompletionSource failure)
    {
        _host = host;
        _plan = plan;
        _failure = failure;
    }

    /// <summary>What clients and workers of the cell connect to.</summary>
    public string Address => _host.Address;

    /// <summary>Where this process listens, for people.</summary>
    public string Listens => string.Join(" ", _host.Addresses);

    /// <summary>Takes the roles and serves them.</summary>
    /// <exception cref="MusterException">Another holds a role, the arena or an address cannot be had.</exception>
    public static async Task<HostedCell> StartAsync(
        HostedCellPlan plan, Terminal? terminal, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        // What lies in its memory belongs to no other program of this user, and into no core dump.
        ProcessPrivileges.HideFromOthers();
        var failure = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = new CellHost(new CellOptions
        {
            Cell = plan.Cell,
            Roles = plan.Roles,
            StateFolder = plan.IsEmbedded ? null : CellPaths.StateFolder(plan.Cell),
            Bind = plan.Bind,
            Tls = plan.Tls,
            Auth = plan.Auth,
            Advertise = plan.Advertise,
            Limits = LimitsOf(plan),
            RemoveArenaAtStop = plan.IsEmbedded,
            Plm = new()
            {
                CrashesMax = plan.CrashesMax,
                DurabilityDefault = (byte)(plan.Durability == Durability.CellDefault
                    ? Durability.Durable
                    : plan.Durability),
            },
            Version = VersionVerb.Text,
            Note = text => terminal?.Note(text),
            Failed = why => failure.TrySetException(why),
            Logs = logs,
        });
        var fault = await host.StartAsync(cancellationToken);
        return fault.IsNone
            ? new(host, plan, failure)
            : throw new MusterException(FaultCodes.Name(fault.Code), fault.Message);
    }

    /// <summary>Serves until the command is ended, or something else ends; throws when a role stops by a
    /// fault.</summary>
    public async Task RunUntilAsync(CancellationToken ending, Task? other = null)
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = ending.Register(() => end.TrySetResult());
        await await Task.WhenAny(end.Task, _failure.Task, other ?? end.Task);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(_plan.IsEmbedded ? TimeSpan.Zero : s_grace);
        if (_plan.IsEmbedded && Directory.Exists(CellPaths.RuntimeFolder(_plan.Cell)))
        {
            Directory.Delete(CellPaths.RuntimeFolder(_plan.Cell), recursive: true);
        }
    }

    private static ArenaLimits LimitsOf(HostedCellPlan plan)
    {
        var machine = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var limits = plan.MemoryMax is { } memory
            ? ArenaLimits.Within(memory)
            : ArenaLimits.DefaultsWithin(machine / 4) ?? new ArenaLimits();
        if (plan.TasksMax is { } tasks)
        {
            limits = limits with { TasksMax = tasks, KeysMax = uint.Min(limits.KeysMax, tasks) };
        }

        limits = limits with
        {
            KeysMax = plan.KeysMax ?? limits.KeysMax,
            SpilledMax = plan.SpilledMax ?? limits.SpilledMax,
            WorkersMax = plan.WorkersMax ?? limits.WorkersMax,
        };

        return plan.PayloadBytesMax is { } bytes
            ? limits with { PayloadBytesMax = bytes, ResultBytesMax = bytes }
            : limits;
    }
}
