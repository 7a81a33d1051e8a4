// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Xunit;

namespace Muster.Integration.Cells;

/// <summary>What a role or a submission refuses, with a stable code, changing nothing.</summary>
public class RefusalTests
{
    private static readonly string s_worker = System.IO.Path.Combine(AppContext.BaseDirectory, "Muster.TestWorker");

    [Theory]
    [InlineData("0.0.0.0:7000")]
    [InlineData("192.168.1.10:7000")]
    [InlineData("[::]:7000")]
    public async Task Bind_OutsideLoopback_IsRefusedAtOnce(string address)
    {
        await using var cell = await CellProcesses.StartAsync();

        var (exit, _, error) = await cell.RunAsync("up", "--cell", cell.Name + "x", "--bind", address);

        Assert.NotEqual(0, exit);
        Assert.Contains("BIND_REFUSED", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bind_PortInUse_IsNamed()
    {
        await using var cell = await CellProcesses.StartAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        var (exit, _, error) = await cell.RunAsync("up", "--cell", cell.Name + "x", "--bind", $"127.0.0.1:{port}");

        Assert.NotEqual(0, exit);
        Assert.Contains("PORT_IN_USE", error, StringComparison.Ordinal);
        global::Muster.Arena.ArenaFile.Remove(cell.Name + "x");
    }

    [Fact]
    public async Task SecondPlm_OnOneArena_IsRefused()
    {
        await using var cell = await CellProcesses.StartAsync();

        var (exit, _, error) = await cell.RunAsync("plm", "--cell", cell.Name);

        Assert.NotEqual(0, exit);
        Assert.Contains("ROLE_TAKEN", error, StringComparison.Ordinal);
        Assert.Contains($"{cell.Role("plm").Id}", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Priority_Negative_IsRefusedAndChangesNothing()
    {
        await using var cell = await CellProcesses.StartAsync();
        await using var client = MusterClient.Connect(cell.Address);

        var error = await Assert.ThrowsAsync<MusterException>(async () =>
            await client.SubmitAsync(TraceFlow.Trace, TraceFlow.Payload(1), new SubmitOptions { Priority = -1 }));

        Assert.Equal("PRIORITY_OUT_OF_RANGE", error.Code);
        var (_, tasks, _) = await cell.RunAsync("tasks", "--cell", cell.Name, "-o", "json");
        Assert.Equal("[]", tasks.Trim());
    }

    [Fact]
    public async Task Payload_OverTheLimit_IsRefused()
    {
        await using var cell = await CellProcesses.StartAsync();
        await using var client = MusterClient.Connect(cell.Address);

        var error = await Assert.ThrowsAsync<MusterException>(async () =>
            await client.SubmitAsync(TraceFlow.Trace, new byte[4 * 1024 * 1024]));

        Assert.Equal("PAYLOAD_TOO_LARGE", error.Code);
    }

    [Fact]
    public async Task Handler_NobodyOffers_HoldsTheTaskWithAReason()
    {
        await using var cell = await CellProcesses.StartAsync();
        await using var client = MusterClient.Connect(cell.Address);
        await client.SubmitAsync(TaskType.Bytes("no.such.handler"), TraceFlow.Payload(1));

        await CellCondition.WaitAsync(cell, "tasks", "no.such.handler", TimeSpan.FromSeconds(20));
        await CellCondition.WaitAsync(cell, "tasks", "no worker", TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Cancel_IdThatDoesNotExist_SaysSo()
    {
        await using var cell = await CellProcesses.StartAsync();

        var (exit, output, error) = await cell.RunAsync("cancel", "00000000000000ff", "--cell", cell.Name);

        Assert.NotEqual(0, exit);
        Assert.Contains("TASK_NOT_FOUND", output + error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Arena_Full_ClientBacksOffAndCompletes()
    {
        await using var cell = await CellProcesses.StartAsync("--tasks-max", "1024");
        cell.StartWorker(s_worker, cell.Address, "2");
        await using var client = MusterClient.Connect(cell.Address);
        var seen = new HashSet<long>();

        await foreach (var (_, output) in client.MapAsync(
            TraceFlow.Trace,
            Enumerable.Range(0, 20_000).Select(n => TraceFlow.Payload(n)),
            new MapOptions { InFlightMax = 5_000 }))
        {
            Assert.True(seen.Add(TraceFlow.Number(output)));
        }

        Assert.Equal(20_000, seen.Count);
    }
}
