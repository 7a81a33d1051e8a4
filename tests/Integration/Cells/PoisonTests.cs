// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Muster.Shared.Faults;
using Muster.Shared.Histories;
using Xunit;

namespace Muster.Integration.Cells;

/// <summary>
/// Tasks that kill their workers, among tasks that do not, on workers that a supervisor starts again: the harmful ones
/// are found out, the others succeed, and the workers live.
/// </summary>
public class PoisonTests
{
    private const int Neighbours = 200;
    private const int Workers = 3;

    private static readonly string s_worker = System.IO.Path.Combine(AppContext.BaseDirectory, "Muster.TestWorker");

    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_poison =
        TaskType.Bytes(PoisonTask.Handler);

    [Fact]
    public async Task Poison_OfEveryKind_IsFoundOutAndItsNeighboursSucceed()
    {
        await using var memory = ControlGroup.Create("memory");
        memory.LimitMemory(768L << 20);
        await using var pids = ControlGroup.Create("pids");
        pids.LimitTasks(400);
        await using var cell = await CellProcesses.StartAsync();
        using var ended = new CancellationTokenSource();
        string[] program = [.. memory.Wrapper, .. pids.Wrapper, s_worker, cell.Address, "2"];
        var pool = Enumerable.Range(0, Workers).Select(_ => SuperviseAsync(cell, program, ended.Token)).ToList();
        try
        {
            await PoisonAsync(cell);
        }
        finally
        {
            // Before the cell ends its workers: a supervisor would start others.
            await ended.CancelAsync();
            await Task.WhenAll(pool);
        }
    }

    private static async Task PoisonAsync(CellProcesses cell)
    {
        await using var client = MusterClient.Connect(cell.Address);

        var neighbours = TraceFlow.MapAllAsync(client, TraceFlow.Wait, Neighbours, waitMs: 20);
        Poison[] killers = [Poison.Crash, Poison.Kill, Poison.StackOverflow, Poison.Memory];
        var killed = new List<TaskFailedException>();
        foreach (var handle in await Task.WhenAll(killers.Select(poison => SubmitAsync(client, poison))))
        {
            killed.Add(await FailureOfAsync(handle));
        }

        Assert.All(killed, failure => Assert.Equal(
            (Outcome.Quarantined, "TASK_QUARANTINED", 3),
            (failure.Outcome, failure.Code, failure.Executions)));
        Assert.All(killed, failure => Assert.Contains(
            "3 worker processes died", failure.RemoteMessage, StringComparison.Ordinal));

        // Those that fail without killing are failures like any other.
        Assert.Equal(Outcome.TimedOut, (await FailureOfAsync(await SubmitAsync(client, Poison.Hang))).Outcome);
        Assert.Equal(
            "OUTPUT_TOO_LARGE", (await FailureOfAsync(await SubmitAsync(client, Poison.GiantOutput))).Code);
        Assert.Equal("HANDLER_FAILED", (await FailureOfAsync(await SubmitAsync(client, Poison.Forks))).Code);

        await neighbours;
        await AssertPoolLivesAsync(cell);
        await AssertListedAndRetriedAsync(cell, killed.Count);
    }

    private static Task<TaskHandle<ReadOnlyMemory<byte>>> SubmitAsync(MusterClient client, Poison poison) =>
        client.SubmitAsync(
            s_poison,
            PoisonTask.Payload(poison),
            new SubmitOptions { AttemptsMax = 2, Timeout = TimeSpan.FromSeconds(poison == Poison.Hang ? 1 : 60) });

    private static async Task<TaskFailedException> FailureOfAsync(TaskHandle<ReadOnlyMemory<byte>> handle) =>
        await Assert.ThrowsAsync<TaskFailedException>(
            () => handle.AsTask().WaitAsync(TimeSpan.FromSeconds(120)));

    private static async Task SuperviseAsync(CellProcesses cell, string[] program, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            var worker = cell.StartWorker(program[0], program[1..]);
            try
            {
                await worker.WaitForExitAsync(ended);
                cell.RemoveWorker(worker);
            }
            catch (OperationCanceledException)
            {
                // The cell ends it with everything else.
                return;
            }
        }
    }

    private static async Task AssertPoolLivesAsync(CellProcesses cell)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var (_, text, _) = await cell.RunAsync("workers", "--cell", cell.Name, "-o", "json");
            using var workers = JsonDocument.Parse(text);
            var alive = workers.RootElement.EnumerateArray()
                .Count(worker => worker.GetProperty("health").GetString() == "alive");
            if (alive == Workers)
            {
                return;
            }

            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30), text);
        }
    }

    private static async Task AssertListedAndRetriedAsync(CellProcesses cell, int count)
    {
        var (_, text, _) = await cell.RunAsync("tasks", "--quarantined", "--cell", cell.Name, "-o", "json");
        using var tasks = JsonDocument.Parse(text);
        Assert.Equal(count, tasks.RootElement.GetArrayLength());
        var ids = tasks.RootElement.EnumerateArray().Select(task => task.GetProperty("id").GetString()!).ToList();
        Assert.All(tasks.RootElement.EnumerateArray(), task => Assert.Equal(3, task.GetProperty("crashes").GetInt32()));

        var (exit, retried, error) = await cell.RunAsync("retry", ids[0], "--cell", cell.Name);
        Assert.True(exit == 0, error);
        Assert.Contains("is submitted anew as", retried, StringComparison.Ordinal);
        (exit, _, error) = await cell.RunAsync("forget", ids[1], "--cell", cell.Name);
        Assert.True(exit == 0, error);
        (_, text, _) = await cell.RunAsync("tasks", "--state", "quarantined", "--cell", cell.Name, "-o", "json");
        Assert.DoesNotContain(ids[0], text, StringComparison.Ordinal);
        Assert.DoesNotContain(ids[1], text, StringComparison.Ordinal);
        Assert.Contains(ids[2], text, StringComparison.Ordinal);
    }
}
