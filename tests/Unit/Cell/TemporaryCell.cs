// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Arena;
using Muster.Core;
using Muster.Server;
using Muster.Transport;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Cell;

/// <summary>A cell of one test: its own name and folder, removed at the end.</summary>
internal sealed class TemporaryCell : IAsyncDisposable
{
    private readonly List<CellHost> _hosts = [];
    private readonly List<GrpcChannel> _channels = [];

    public TemporaryCell()
    {
        Name = $"t-{Environment.ProcessId}-{Guid.NewGuid():n}"[..24];
        Folder = Path.Combine(Path.GetTempPath(), Name);
    }

    public string Name { get; }

    public string Folder { get; }

    public string Address => CellPaths.Address(Folder);

    public CellOptions Options => new()
    {
        Cell = Name,
        RuntimeFolder = Folder,
        Limits = new ArenaLimits
        {
            TasksMax = 1_024,
            WorkersMax = 16,
            ClientsMax = 16,
            PayloadBytesMax = 8 << 20,
            ResultBytesMax = 9 << 20,
        },
    };

    public async Task<CellHost> StartAsync(CellOptions? options = null)
    {
        var host = new CellHost(options ?? Options);
        _hosts.Add(host);
        var fault = await host.StartAsync();
        Assert.True(fault.IsNone, fault.Message);
        return host;
    }

    public async Task<Fault> TryStartAsync(CellOptions options)
    {
        var host = new CellHost(options);
        _hosts.Add(host);
        return await host.StartAsync();
    }

    public SubmissionService.SubmissionServiceClient Submission(string? address = null) => new(Invoker(address));

    public CallInvoker Invoker(string? address = null)
    {
        var channel = GrpcChannel.ForAddress(address ?? Address);
        _channels.Add(channel);
        return channel.CreateCallInvoker();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _channels)
        {
            await channel.DisposeAsync();
        }

        for (var i = _hosts.Count - 1; i >= 0; i--)
        {
            await _hosts[i].StopAsync(TimeSpan.Zero);
        }

        ArenaFile.Remove(Name);
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}
