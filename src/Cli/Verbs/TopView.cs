// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Core.Tasks;

namespace Muster.Cli.Verbs;

/// <summary>Turns snapshots into the lines of muster top; keeps the last one for the rates.</summary>
internal sealed class TopView
{
    private static readonly CellCounter[] s_ends =
    [
        CellCounter.Succeeded, CellCounter.Failed, CellCounter.TimedOut, CellCounter.Cancelled, CellCounter.Expired,
        CellCounter.Aborted, CellCounter.Quarantined,
    ];

    /// <summary>In rows that fit a window of 80 columns.</summary>
    private static readonly CellCounter[][] s_shown =
    [
        [CellCounter.Succeeded, CellCounter.Failed, CellCounter.TimedOut, CellCounter.Cancelled],
        [CellCounter.Retried, CellCounter.LostAttempts, CellCounter.Superseded, CellCounter.Refused],
        [CellCounter.Quarantined],
    ];

    private ArenaSnapshot? _last;

    public List<string> Render(ArenaSnapshot now, TimeSpan elapsed)
    {
        var lines = new List<string>
        {
            $"muster top    cell {now.Cell}    epoch {now.Epoch}    {DateTime.Now:HH:mm:ss}",
            "",
        };
        foreach (var (role, holder) in now.Roles)
        {
            var state = holder.IsAlive
                ? $"pid {holder.Pid}, since {Moments.Age(holder.SinceUnixUs, DateTimeOffset.UtcNow)}"
                : holder.Pid == 0 ? "NOT STARTED" : $"DEAD (was pid {holder.Pid})";
            lines.Add($"{JsonLines.Name(role),-10} {state}");
        }

        lines.Add("");
        lines.Add(string.Join("    ", ShownStates(now)));
        lines.Add(Text(
            $"submitted {Rate(now, elapsed, CellCounter.Submitted)}/s    ended {Rate(now, elapsed, s_ends)}/s"));
        lines.AddRange(s_shown.Select(row => string.Join("    ", row.Select(
            counter => Text($"{JsonLines.Name(counter).Replace('_', ' ')} {now.Counters[counter]}")))));
        lines.Add(string.Join("    ", now.Parts.Select(
            part => Text($"{part.Part} {100.0 * part.Used / Math.Max(1, part.Capacity):0.0}%"))));
        lines.Add("");
        var table = new TextTable("WORKER", "HEALTH", "SLOTS", "RUNNING", "DONE", "PID", "WHY");
        var workers = now.Workers
            .OrderBy(worker => worker.Health)
            .ThenBy(worker => worker.Name, StringComparer.Ordinal);
        foreach (var worker in workers)
        {
            table.Add(
                worker.Name,
                JsonLines.Name(worker.Health),
                Text($"{worker.Slots}"),
                Text($"{worker.Running}"),
                Text($"{worker.FinishedTotal}"),
                Text($"{worker.Pid}"),
                worker.Health == WorkerHealth.Alive ? "" : JsonLines.Name(worker.Reason).Replace('_', ' '));
        }

        lines.AddRange(table.Plain());
        _last = now;
        return lines;
    }

    private static IEnumerable<string> ShownStates(ArenaSnapshot now) =>
        new[] { TaskState.Ready, TaskState.Assigned, TaskState.Running, TaskState.Delayed, TaskState.Done }
            .Select(state => Text($"{JsonLines.Name(state)} {now.States.GetValueOrDefault(state)}"));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private string Rate(ArenaSnapshot now, TimeSpan elapsed, params ReadOnlySpan<CellCounter> counters)
    {
        if (_last is null || elapsed <= TimeSpan.Zero)
        {
            return "0";
        }

        double sum = 0;
        foreach (var counter in counters)
        {
            sum += now.Counters[counter] - _last.Counters[counter];
        }

        return Text($"{sum / elapsed.TotalSeconds:0}");
    }
}
