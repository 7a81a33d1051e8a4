// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Core;

namespace Muster.Cli.Verbs;

/// <summary>Runs the commands of a map and prints what becomes of them.</summary>
internal static class CommandMap
{
    /// <summary>What is read ahead of the slots, so that no slot waits for this process.</summary>
    private const int AheadMax = 4_096;

    private static readonly TimeSpan s_cancelWait = TimeSpan.FromSeconds(3);

    public static async Task RunAsync(
        CellAccess access, MapPlan plan, TaskResultOutput output, ProgressMeter meter, VerbContext context)
    {
        var options = new MapOptions
        {
            Task = plan.Run.Task,
            InputOrder = plan.KeepOrder,

            // With a cell of its own the worker's slots are the limit already; with another's, what is under way is.
            InFlightMax = access.IsEmbedded ? AheadMax : plan.SlotsMax ?? AheadMax,
        };
        using var giveUp = new CancellationTokenSource();
        using var onEnding = context.Ending.Register(() =>
        {
            access.Client.Engine.CancelAll();
            giveUp.CancelAfter(s_cancelWait);
        });
        await using var watch = access.IsEmbedded
            ? null
            : new HandlerWatch(access.Client, TaskLimits.CommandHandler, context.Terminal);
        var task = access.Client.OptionsOf(TaskLimits.CommandHandler, options.Task);
        var jobs = Number(plan, meter, context.Ending);
        try
        {
            var items = access.Client.MapItemsAsync(task, jobs, job => Encode(plan, job), options, giveUp.Token);
            await foreach (var item in items)
            {
                watch?.Satisfy();
                if (item.Refusal is { IsTransient: true } lost)
                {
                    // The cell is gone for good; thousands of inputs failing one by one would say nothing more.
                    throw lost;
                }

                if (context.Ending.IsCancellationRequested && item.Outcome == Outcome.Cancelled)
                {
                    continue;
                }

                output.Print(item, item.Input.Text, item.Index);
                meter.Count(item.Refusal is not null || item.Outcome != Outcome.Succeeded);
            }
        }
        catch (OperationCanceledException) when (context.Ending.IsCancellationRequested)
        {
            // The caller says that it was stopped; what the cell did not confirm in time ends there by itself.
        }
    }

    private static byte[] Encode(MapPlan plan, MapInput job) => new CommandSpec
    {
        Arguments = plan.Template.Fill(job.Text, job.Number),
        Shell = plan.Template.IsShell,
        OutputBytesMax = plan.Run.OutputBytesMax,

        // Relative names in inputs mean this folder; workers of another host refuse it where it does not exist.
        WorkingFolder = WorkingFolder.Current(),
    }.Encode();

    /// <summary>Numbers the inputs, tells the meter when all are known, and ends them when the command is
    /// stopped.</summary>
    private static async IAsyncEnumerable<MapInput> Number(
        MapPlan plan, ProgressMeter meter, [EnumeratorCancellation] CancellationToken ending)
    {
        var number = 0L;
        await foreach (var text in plan.Inputs)
        {
            if (ending.IsCancellationRequested)
            {
                yield break;
            }

            yield return new(text, ++number);
        }

        meter.SetTotal(number);
    }
}
