// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Xunit;

namespace Muster.Integration.Cells;

/// <summary>Same key, same task: by the command line and the SDK, with the PLM killed in between.</summary>
public class KeyTests
{
    private static readonly string s_worker = Path.Combine(AppContext.BaseDirectory, "Muster.TestWorker");
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Submit_SameKeyAcrossADeathOfThePlm_IsOneTask()
    {
        await using var cell = await CellProcesses.StartAsync();
        var first = await SubmitAsync(cell, "k", "one");
        Assert.Equal(0, first.ExitCode);
        var id = first.Output.Trim();
        await cell.KillRoleAsync("plm");
        await cell.StartRoleAsync("plm");

        var again = await SubmitAsync(cell, "k", "one");
        Assert.Equal((0, id), (again.ExitCode, again.Output.Trim()));
        Assert.Contains("used before", again.Error, StringComparison.Ordinal);
        var other = await SubmitAsync(cell, "k", "two");
        Assert.NotEqual(0, other.ExitCode);
        Assert.Contains("IDEMPOTENCY_KEY_REUSED", other.Error, StringComparison.Ordinal);
        Assert.NotEqual(id, (await SubmitAsync(cell, "l", "one")).Output.Trim());
    }

    [Fact]
    public async Task Run_SameKeyByTwoClients_RunsOnceAndGivesBothTheResult()
    {
        await using var cell = await CellProcesses.StartAsync();
        cell.StartWorker(s_worker, cell.Address, "2");
        var options = new SubmitOptions { IdempotencyKey = "k" };
        await using var client = MusterClient.Connect(cell.Address);
        var first = await client.SubmitAsync(TraceFlow.Trace, TraceFlow.Payload(7), options);
        Assert.Equal(7, TraceFlow.Number(await first.AsTask().WaitAsync(s_soon)));
        await cell.KillRoleAsync("plm");
        await cell.StartRoleAsync("plm");

        await using var other = MusterClient.Connect(cell.Address);
        var second = await other.SubmitAsync(TraceFlow.Trace, TraceFlow.Payload(7), options).WaitAsync(s_soon);
        Assert.Equal(first.Id, second.Id);
        var output = await second.AsTask().WaitAsync(s_soon);
        Assert.Equal((7, 1), (TraceFlow.Number(output), TraceFlow.Execution(output)));

        // The first client may repeat itself too, while its earlier one still runs.
        var waiting = new SubmitOptions { IdempotencyKey = "slow" };
        var one = client.RunAsync(TraceFlow.Wait, TraceFlow.Payload(8, waitMs: 300), waiting);
        var two = client.RunAsync(TraceFlow.Wait, TraceFlow.Payload(8, waitMs: 300), waiting);
        Assert.Equal(8, TraceFlow.Number(await one.WaitAsync(s_soon)));
        Assert.Equal(8, TraceFlow.Number(await two.WaitAsync(s_soon)));
    }

    [Fact]
    public async Task Submit_PlmDiesMeanwhile_IsRepeatedUnderAKeyOfItsOwn()
    {
        await using var cell = await CellProcesses.StartAsync();
        await cell.KillRoleAsync("plm");
        var submitting = cell.RunAsync("submit", "--cell", cell.Name, "--", "true");
        await cell.StartRoleAsync("plm");

        var (exit, output, error) = await submitting;

        Assert.True(exit == 0, error);
        Assert.True(TaskId.TryParse(output.Trim(), out _), output);
    }

    [Fact]
    public async Task Submit_SameKeyAfterTheArenaIsGone_IsKnownFromTheJournal()
    {
        await using var cell = await CellProcesses.StartAsync();
        var id = (await SubmitAsync(cell, "k", "one")).Output.Trim();
        foreach (var role in CellProcesses.Roles)
        {
            await cell.KillRoleAsync(role);
        }

        global::Muster.Arena.ArenaFile.Remove(cell.Name);
        foreach (var role in CellProcesses.Roles)
        {
            await cell.StartRoleAsync(role);
        }

        var again = await SubmitAsync(cell, "k", "one");
        Assert.Equal((0, id), (again.ExitCode, again.Output.Trim()));
    }

    private static Task<(int ExitCode, string Output, string Error)> SubmitAsync(
        CellProcesses cell, string key, string payload) =>
        cell.RunAsync(
            "submit", "--cell", cell.Name, "--key", key, "--handler", "test.none", "--payload", payload);
}
