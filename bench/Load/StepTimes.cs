// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Muster.Client;
using Muster.Shared.Cells;
using Muster.V1;

namespace Muster.Load;

/// <summary>
/// Where a task's time goes within the cell while it is under load: some tasks are submitted by single calls beside the
/// others, and their timings read. They pass the same queues, worker and streams; only the way from and to their own
/// caller is another, and is not counted.
/// </summary>
internal static class StepTimes
{
    private static readonly TimeSpan s_between = TimeSpan.FromMilliseconds(5);

    /// <summary>The median of each step, in microseconds.</summary>
    public static async Task<Dictionary<string, double>> MeasureAsync(
        CellProcesses cell, LoadOptions options, Func<Task> run)
    {
        await using var connection = new CellConnection(cell.Address, "bench steps");
        using var over = new CancellationTokenSource();
        var sampling = SampleAsync(connection, (V1.Durability)options.Level, over.Token);
        await run();
        await over.CancelAsync();
        var samples = await sampling;
        return new()
        {
            ["until_ready"] = Median(samples, static times => times.ReadyUs),
            ["until_assigned"] = Median(samples, static times => times.AssignedUs - (double)times.ReadyUs),
            ["to_worker_and_back"] = Median(samples, static times => times.ReceivedUs - (double)times.AssignedUs),
            ["waited_at_worker"] = Median(samples, static times => times.StartedUs - (double)times.ReceivedUs),
            ["ran"] = Median(samples, static times => times.FinishedUs - (double)times.StartedUs),
            ["held_at_worker"] = Median(samples, static times => times.ReportedUs - (double)times.FinishedUs),
            ["until_reported"] = Median(samples, static times => times.ReportedUs),
        };
    }

    private static async Task<List<Timings>> SampleAsync(
        CellConnection connection, V1.Durability durability, CancellationToken over)
    {
        var samples = new List<Timings>();
        var request = new SubmitTaskRequest
        {
            WireVersion = 1,
            Options = new() { Handler = LoadWorker.NoOp.Name, Durability = durability },
            Item = new() { Payload = ByteString.CopyFrom(new byte[100]) },
        };
        while (!over.IsCancellationRequested)
        {
            var id = (await connection.CallPlmAsync((plm, call) => plm.SubmitTaskAsync(request, call), default)).TaskId;
            var answer = await connection.CallPlmAsync(
                (plm, call) => plm.AwaitTaskAsync(new() { TaskId = id }, call), default);
            samples.Add(answer.Result.Timings);
            await connection.CallPlmAsync(
                (plm, call) => plm.ReleaseTasksAsync(new() { TaskIds = { id } }, call), default);
            await Task.Delay(s_between, CancellationToken.None);
        }

        return samples;
    }

    private static double Median(List<Timings> samples, Func<Timings, double> step) =>
        Spread.Of([.. samples.Select(step)], 1).Median;
}
