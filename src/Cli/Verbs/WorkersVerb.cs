// SPDX-License-Identifier: Apache-2.0
using System;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Muster.Cli.Cells;
using Muster.Cli.Output;

namespace Muster.Cli.Verbs;

/// <summary>muster workers: every worker that the cell knows.</summary>
internal static class WorkersVerb
{
    private const long ClockOffsetUsShown = 1_000_000;

    public static Command Create(VerbContext context)
    {
        var target = new TargetOptions();
        var verb = new Command(CommandVerbs.Workers, "List the workers and their health");
        target.AddTo(verb);
        verb.SetAction(result => RunAsync(context, target.Read(result)));
        return verb;
    }

    private static async Task<int> RunAsync(VerbContext context, CellTarget target)
    {
        await using var client = await CellAccess.ConnectAsync(target, context.Ending);
        var response = await client.Cell.CallAdminAsync(
            (admin, options) => admin.ListWorkersAsync(new(), options), context.Ending);
        if (target.IsJson)
        {
            context.Terminal.Line(JsonLines.Write(writer =>
            {
                writer.WriteStartArray();
                foreach (var worker in response.Workers)
                {
                    WriteJson(writer, worker);
                }

                writer.WriteEndArray();
            }));
            return ExitCodes.Success;
        }

        var table = new TextTable(
            "NAME", "HEALTH", "SINCE", "SLOTS", "RUNNING", "DONE", "HOST", "PID", "HANDLERS", "WHY");
        foreach (var worker in response.Workers)
        {
            table.Add(
                worker.Name,
                JsonLines.Name(worker.Health),
                Moments.Age(worker.SinceUnixUs, DateTimeOffset.UtcNow),
                worker.Slots.ToString(CultureInfo.InvariantCulture),
                worker.Running.ToString(CultureInfo.InvariantCulture),
                worker.FinishedTotal.ToString(CultureInfo.InvariantCulture),
                worker.Host,
                worker.Pid.ToString(CultureInfo.InvariantCulture),
                Handlers(worker),
                worker.Reason + ClockOffset(worker));
        }

        table.Print(context.Terminal);
        return ExitCodes.Success;
    }

    private static string Handlers(V1.WorkerInfo worker)
    {
        const int Shown = 3;
        var names = string.Join(' ', worker.Handlers.Take(Shown));
        return worker.Handlers.Count > Shown ? $"{names} and {worker.Handlers.Count - Shown} more" : names;
    }

    private static string ClockOffset(V1.WorkerInfo worker) =>
        Math.Abs(worker.ClockOffsetUs) < ClockOffsetUsShown
            ? ""
            : $" (its clock is {Moments.Span(TimeSpan.FromMicroseconds(Math.Abs(worker.ClockOffsetUs)))} "
                + (worker.ClockOffsetUs > 0 ? "ahead)" : "behind)");

    private static void WriteJson(Utf8JsonWriter writer, V1.WorkerInfo worker)
    {
        writer.WriteStartObject();
        writer.WriteString("id", worker.WorkerId.ToString("x16", CultureInfo.InvariantCulture));
        writer.WriteString("name", worker.Name);
        writer.WriteString("health", JsonLines.Name(worker.Health));
        writer.WriteString("reason", worker.Reason);
        writer.WriteNumber("since_unix_us", worker.SinceUnixUs);
        writer.WriteNumber("slots", worker.Slots);
        writer.WriteNumber("running", worker.Running);
        writer.WriteNumber("finished_total", worker.FinishedTotal);
        writer.WriteNumber("silent_ms", worker.SilentMs);
        writer.WriteString("host", worker.Host);
        writer.WriteNumber("pid", worker.Pid);
        writer.WriteString("version", worker.Version);
        writer.WriteNumber("clock_offset_us", worker.ClockOffsetUs);
        writer.WriteStartArray("handlers");
        foreach (var handler in worker.Handlers)
        {
            writer.WriteStringValue(handler);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
