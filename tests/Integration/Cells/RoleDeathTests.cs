// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Xunit;

namespace Muster.Integration.Cells;

/// <summary>Roles die by kill -9 under load and come back over the living arena.</summary>
public class RoleDeathTests
{
    private static readonly string s_worker = System.IO.Path.Combine(AppContext.BaseDirectory, "Muster.TestWorker");

    [Fact]
    public async Task Roles_KilledInTurnUnderLoad_LoseNothingAndRerunNothing()
    {
        await using var cell = await CellProcesses.StartAsync();
        for (var n = 0; n < 2; n++)
        {
            cell.StartWorker(s_worker, cell.Address, "4");
        }

        await using var client = MusterClient.Connect(cell.Address);
        await client.RunAsync(TraceFlow.Trace, TraceFlow.Payload(-1));

        var flow = TraceFlow.MapAllAsync(client, TraceFlow.Wait, 6_000, waitMs: 4);
        foreach (var role in new[] { "scheduler", "register", "plm", "register", "plm", "scheduler" })
        {
            await cell.KillRoleAsync(role);
            await cell.StartRoleAsync(role);

            // How soon it is back is measured by bench/Load: here a process may wait for a processor for seconds.
            await client.RunAsync(TraceFlow.Trace, TraceFlow.Payload(-1)).WaitAsync(TimeSpan.FromSeconds(60));
        }

        Assert.Equal(0, await flow);
    }

    [Fact]
    public async Task AllRoles_KilledTogether_TasksSurviveInTheArena()
    {
        await using var cell = await CellProcesses.StartAsync();
        await using var client = MusterClient.Connect(cell.Address);
        var handles = new TaskHandle<ReadOnlyMemory<byte>>[200];
        for (var n = 0; n < handles.Length; n++)
        {
            handles[n] = await client.SubmitAsync(TraceFlow.Trace, TraceFlow.Payload(n));
        }

        foreach (var role in CellProcesses.Roles)
        {
            await cell.KillRoleAsync(role);
        }

        foreach (var role in CellProcesses.Roles)
        {
            await cell.StartRoleAsync(role);
        }

        cell.StartWorker(s_worker, cell.Address, "2");
        for (var n = 0; n < handles.Length; n++)
        {
            var output = await handles[n].AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(n, TraceFlow.Number(output));
            Assert.Equal(1, TraceFlow.Execution(output));
        }
    }
}
