// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Xunit;

namespace Muster.Integration.Cells;

/// <summary>Workers die, and stop past their lease and wake up again.</summary>
public class WorkerLossTests
{
    private static readonly string s_worker = System.IO.Path.Combine(AppContext.BaseDirectory, "Muster.TestWorker");

    [Fact]
    public async Task Workers_OneKilledOneStoppedPastItsLease_EveryResultComesOnce()
    {
        await using var cell = await CellProcesses.StartAsync();
        var killed = cell.StartWorker(s_worker, cell.Address, "2");
        var stopped = cell.StartWorker(s_worker, cell.Address, "2");
        cell.StartWorker(s_worker, cell.Address, "2");
        await using var client = MusterClient.Connect(cell.Address);

        var reachedKill = new TaskCompletionSource();
        var reachedStop = new TaskCompletionSource();
        var flow = TraceFlow.MapAllAsync(client, TraceFlow.Wait, 6_000, waitMs: 2, done =>
        {
            if (done == 500)
            {
                reachedStop.SetResult();
            }

            if (done == 1_000)
            {
                reachedKill.SetResult();
            }
        });
        await reachedStop.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Signal(stopped, "STOP");
        await reachedKill.Task.WaitAsync(TimeSpan.FromSeconds(60));
        killed.Kill();

        await CellCondition.WaitAsync(cell, "workers", "LOST", TimeSpan.FromSeconds(30));
        Signal(stopped, "CONT");
        await flow;
        await CellCondition.WaitAsync(cell, "workers", "ALIVE", TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Worker_KilledWithLongTask_ItsTaskRunsElsewhereAtOnce()
    {
        await using var cell = await CellProcesses.StartAsync();
        var first = cell.StartWorker(s_worker, cell.Address, "1");
        await using var client = MusterClient.Connect(cell.Address);
        await client.RunAsync(TraceFlow.Trace, TraceFlow.Payload(0));
        var handle = await client.SubmitAsync(TraceFlow.Stuck, TraceFlow.Payload(7));
        await CellCondition.WaitAsync(cell, "tasks", "RUNNING", TimeSpan.FromSeconds(30));
        cell.StartWorker(s_worker, cell.Address, "1");

        first.Kill();

        var output = await handle.AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(7, TraceFlow.Number(output));
        Assert.Equal(2, TraceFlow.Execution(output));
    }

    [Fact]
    public async Task RemoteWorker_Killed_IsGoneBecauseItsConnectionsWereClosed()
    {
        var port = FreePort();
        await using var cell = await CellProcesses.StartAsync(new CellSetup
        {
            RoleOptions = new Dictionary<string, string[]> { ["register"] = ["--bind", $"127.0.0.1:{port}"] },
        });

        // In another process id name space, as on another host: nobody can watch the process.
        var outer = cell.StartWorker(
            "unshare", "--pid", "--fork", "--mount-proc", "--kill-child", s_worker, $"http://127.0.0.1:{port}", "1");
        await using var client = MusterClient.Connect(cell.Address);
        await client.RunAsync(TraceFlow.Trace, TraceFlow.Payload(0));
        var handle = await client.SubmitAsync(TraceFlow.Stuck, TraceFlow.Payload(7));
        await CellCondition.WaitAsync(cell, "tasks", "RUNNING", TimeSpan.FromSeconds(30));
        cell.StartWorker(s_worker, cell.Address, "1");

        var child = File.ReadAllText($"/proc/{outer.Id}/task/{outer.Id}/children").Trim();
        using (var worker = Process.GetProcessById(int.Parse(child, CultureInfo.InvariantCulture)))
        {
            worker.Kill();
        }

        var output = await handle.AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((7, 2), (TraceFlow.Number(output), TraceFlow.Execution(output)));
        await CellCondition.WaitAsync(cell, "workers", "its connections were closed", TimeSpan.FromSeconds(10));
    }

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
