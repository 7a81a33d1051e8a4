// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Arena.Native;
using Muster.Core.Tasks;
using Muster.Shared.Cells;
using Xunit;

namespace Muster.Integration.Cells;

/// <summary>
/// The arena is gone, as after a reboot; the journal brings everything back that it was promised for.
/// </summary>
public class ArenaLossTests
{
    private static readonly string s_worker = System.IO.Path.Combine(AppContext.BaseDirectory, "Muster.TestWorker");

    [Fact]
    public async Task ArenaLost_QueuedTasks_ComeBackAndTheClientGetsEveryResult()
    {
        await using var cell = await CellProcesses.StartAsync();
        await using var client = MusterClient.Connect(cell.Address);
        var handles = new TaskHandle<ReadOnlyMemory<byte>>[500];
        for (var n = 0; n < handles.Length; n++)
        {
            handles[n] = await client.SubmitAsync(TraceFlow.Trace, TraceFlow.Payload(n));
        }

        var memory = await client.SubmitAsync(
            TraceFlow.Trace, TraceFlow.Payload(-1), new() { Durability = Durability.Memory });
        await LoseArenaAsync(cell);
        cell.StartWorker(s_worker, cell.Address, "2");
        for (var n = 0; n < handles.Length; n++)
        {
            var output = await handles[n].AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(n, TraceFlow.Number(output));
        }

        // What was promised less is gone, and its owner is told.
        var lost = await Assert.ThrowsAsync<TaskFailedException>(
            () => memory.AsTask().WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal("TASK_LOST", lost.Code);
    }

    [Fact]
    public async Task ArenaLost_TasksOfAWorkerThatLives_GoOnAndAreNotRunAgain()
    {
        await using var cell = await CellProcesses.StartAsync();
        cell.StartWorker(s_worker, cell.Address, "4");
        await using var client = MusterClient.Connect(cell.Address);
        await client.RunAsync(TraceFlow.Trace, TraceFlow.Payload(-1));
        var handles = new TaskHandle<ReadOnlyMemory<byte>>[4];
        for (var n = 0; n < handles.Length; n++)
        {
            var once = new SubmitOptions { AttemptsMax = n % 2 == 0 ? 1 : 3 };
            handles[n] = await client.SubmitAsync(TraceFlow.Wait, TraceFlow.Payload(n, waitMs: 8_000), once);
        }

        // Placed is not enough: what never reached the worker is rightly run again.
        await CellCondition.HoldsAsync(() => Running(cell) == 4, "the worker said that it runs all four");
        await LoseArenaAsync(cell);
        for (var n = 0; n < handles.Length; n++)
        {
            var output = await handles[n].AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(n, TraceFlow.Number(output));
        }

        Assert.Equal(0ul, Count(cell, CellCounter.Assigned));
        Assert.Equal(0ul, Count(cell, CellCounter.Superseded));
        Assert.Equal(4ul, Count(cell, CellCounter.Succeeded));
    }

    private static ulong Count(CellProcesses cell, CellCounter counter)
    {
        Assert.True(ArenaFile.Attach(cell.Name, readOnly: true, out var arena).IsNone);
        using (arena)
        {
            return arena!.Counter(counter);
        }
    }

    private static int Running(CellProcesses cell)
    {
        Assert.True(ArenaFile.Attach(cell.Name, readOnly: true, out var arena).IsNone);
        using (arena)
        {
            var running = 0;
            for (uint index = 0; index < arena!.Tasks.HighWater; index++)
            {
                running += arena.Tasks.Read(index).State == TaskState.Running ? 1 : 0;
            }

            return running;
        }
    }

    private static async Task LoseArenaAsync(CellProcesses cell)
    {
        foreach (var role in CellProcesses.Roles)
        {
            await cell.KillRoleAsync(role);
        }

        Assert.True(ArenaFile.Remove(cell.Name).IsNone);
        foreach (var role in CellProcesses.Roles)
        {
            await cell.StartRoleAsync(role);
        }
    }
}
