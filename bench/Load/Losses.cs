// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Threading.Tasks;

namespace Muster.Load;

/// <summary>
/// While tasks flow, stops one worker past its lease and lets it go on, and kills another with -9. Counts tasks without
/// a result (lost), with two (duplicate_accepted) or a wrong one (changed), and those that ran again (reruns).
/// </summary>
internal static class Losses
{
    public static async Task<bool> RunAsync(LoadOptions options)
    {
        var tasks = options.Tasks > 0 ? options.Tasks : 100_000;
        var workers = Math.Max(options.Workers, 3);
        Console.WriteLine($"losses: {tasks:N0} tasks, {workers} workers, one stopped past its lease, one killed");
        await using var cell = await LoadWorker.StartCellAsync(workers, options);
        await using var client = MusterClient.Connect(cell.Address);
        await client.RunAsync(LoadWorker.Trace, TraceFlow.Payload(-1));

        var flow = new TraceFlow(client, tasks);
        var start = Stopwatch.GetTimestamp();
        var running = flow.RunAsync();
        await ReachedAsync(flow, running, tasks / 10);
        Signal(cell.Workers[0], "STOP");
        Console.WriteLine($"  {flow.Distinct,8:N0} results: worker {cell.Workers[0].Id} is stopped");
        await ReachedAsync(flow, running, tasks / 5);
        cell.Workers[1].Kill();
        Console.WriteLine($"  {flow.Distinct,8:N0} results: worker {cell.Workers[1].Id} is killed");
        await Task.Delay(TimeSpan.FromSeconds(6));
        Signal(cell.Workers[0], "CONT");
        Console.WriteLine($"  {flow.Distinct,8:N0} results: worker {cell.Workers[0].Id} goes on");
        await running.WaitAsync(TimeSpan.FromSeconds(180));
        await client.RunAsync(LoadWorker.Trace, TraceFlow.Payload(-1));

        Figures.KeepLine(JsonSerializer.Serialize(new
        {
            acked = flow.Submitted,
            lost = flow.Submitted - flow.Distinct,
            duplicate_accepted = flow.Duplicates,
            changed = flow.Changed,
            reruns = flow.Reruns,
            seconds = Math.Round(Stopwatch.GetElapsedTime(start).TotalSeconds, 1),
        }));
        return flow.Submitted == tasks && flow.Distinct == tasks && flow.Duplicates == 0 && flow.Changed == 0;
    }

    private static async Task ReachedAsync(TraceFlow flow, Task running, long results)
    {
        while (flow.Distinct < results && !running.IsCompleted)
        {
            await Task.Delay(1);
        }
    }

    private static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
