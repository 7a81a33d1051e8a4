// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Muster.Cli.Cells;
using Muster.Cli.Output;

namespace Muster.Cli.Verbs;

/// <summary>muster tasks: those that exist, or one.</summary>
internal static class TasksVerb
{
    private const int PageSizeMax = 1_000;

    private static readonly string[] s_states = ["ready", "assigned", "running", "delayed", "waiting", "done"];

    private static readonly string[] s_outcomes =
        ["succeeded", "failed", "timed_out", "cancelled", "aborted", "quarantined", "expired"];

    public static Command Create(VerbContext context)
    {
        var id = new Argument<string?>("id") { Description = "Only this task, whole", Arity = ArgumentArity.ZeroOrOne };
        var states = new Option<string[]>("--state")
        {
            Description = "Only tasks in this state, or that ended so; may be repeated",
            HelpName = "ready|running|delayed|done|failed|...",
        };
        states.AcceptOnlyFromAmong([.. s_states, .. s_outcomes]);
        var quarantined = new Option<bool>("--quarantined")
        {
            Description = "Only tasks that killed their workers too often; the same as --state quarantined",
        };
        var handler = new Option<string?>("--handler")
        {
            Description = "Only tasks of this handler",
            HelpName = "NAME",
        };
        var limit = new Option<int>("--limit")
        {
            Description = "At most so many; 0: all",
            HelpName = "N",
            DefaultValueFactory = _ => 100,
        };
        var target = new TargetOptions();
        var verb = new Command(CommandVerbs.Tasks, "List the tasks that exist, and why each waits")
        {
            id, states, quarantined, handler, limit,
        };
        target.AddTo(verb);
        verb.SetAction(async result =>
        {
            if (result.GetValue(limit) < 0)
            {
                throw new UsageException("--limit is 0 or more");
            }

            var request = new V1.ListTasksRequest { Handler = result.GetValue(handler) ?? "" };
            var wanted = result.GetValue(states) ?? [];
            request.States.AddRange(wanted.Intersect(s_states).Select(
                state => Enum.Parse<V1.TaskState>(state, ignoreCase: true)));
            request.Outcomes.AddRange(wanted.Intersect(s_outcomes).Select(
                outcome => Enum.Parse<V1.Outcome>(
                    outcome.Replace("_", "", StringComparison.Ordinal), ignoreCase: true)));
            if (result.GetValue(quarantined))
            {
                request.Outcomes.Add(V1.Outcome.Quarantined);
            }

            return result.GetValue(id) is { } text
                ? await ShowAsync(context, target.Read(result), TaskIdText.Parse(text))
                : await ListAsync(context, target.Read(result), request, result.GetValue(limit));
        });
        return verb;
    }

    private static async Task<int> ListAsync(
        VerbContext context, CellTarget target, V1.ListTasksRequest request, int limit)
    {
        await using var client = await CellAccess.ConnectAsync(target, context.Ending);
        var (tasks, isMore) = await ReadAsync(client, request, limit == 0 ? int.MaxValue : limit, context.Ending);
        if (target.IsJson)
        {
            context.Terminal.Line(JsonLines.Write(writer =>
            {
                writer.WriteStartArray();
                tasks.ForEach(task => WriteJson(writer, task));
                writer.WriteEndArray();
            }));
            return ExitCodes.Success;
        }

        var table = new TextTable("ID", "STATE", "HANDLER", "PRIO", "DURABILITY", "STARTS", "WORKER", "AGE", "WHY");
        foreach (var task in tasks)
        {
            table.Add(
                new TaskId(task.TaskId).ToString(),
                StateOf(task),
                task.Handler,
                Number(task.Priority),
                DurabilityOf(task),
                Number(task.Executions),
                task.WorkerName,
                Moments.Age(task.Timings?.SubmittedUnixUs ?? 0, DateTimeOffset.UtcNow),
                task.Reason.Length > 0 ? task.Reason : task.Error?.Message ?? "");
        }

        table.Print(context.Terminal);
        if (isMore)
        {
            context.Terminal.Note($"the first {tasks.Count}; --limit 0 shows all");
        }

        return ExitCodes.Success;
    }

    private static async Task<int> ShowAsync(VerbContext context, CellTarget target, TaskId id)
    {
        await using var client = await CellAccess.ConnectAsync(target, context.Ending);
        var response = await client.Cell.CallAdminAsync(
            (admin, options) => admin.GetTaskAsync(new() { TaskId = id.Value }, options), context.Ending);
        var task = response.Task;
        if (target.IsJson)
        {
            context.Terminal.Line(JsonLines.Write(writer => WriteJson(writer, task)));
            return ExitCodes.Success;
        }

        var table = new TextTable("FIELD", "VALUE");
        table.Add("id", id.ToString());
        table.Add("state", StateOf(task));
        table.Add("why", task.Reason);
        table.Add("handler", task.Handler);
        table.Add("priority", Number(task.Priority));
        table.Add("durability", DurabilityOf(task));
        table.Add("starts", $"{task.Executions}, of {task.AttemptsMax} that may fail");
        table.Add("crashes", Number(task.Crashes));
        table.Add("worker", task.WorkerName);
        table.Add("payload bytes", Number(task.PayloadBytes));
        table.Add("output bytes", Number(task.OutputBytes));
        foreach (var (name, moment) in Moments.Of(task.Timings))
        {
            table.Add(name, moment);
        }

        if (task.Progress is { } progress)
        {
            table.Add("progress", $"{progress.Details} ({Moments.Age(progress.UnixUs, DateTimeOffset.UtcNow)} ago)");
        }

        AddAttempts(table, task);
        if (task.Error is { } error)
        {
            table.Add("error", $"{error.Code}: {(error.Type.Length > 0 ? error.Type + ": " : "")}{error.Message}");
        }

        table.Print(context.Terminal);
        return ExitCodes.Success;
    }

    private static void AddAttempts(TextTable table, V1.TaskInfo task)
    {
        foreach (var attempt in task.Attempts)
        {
            var where = attempt.WorkerName.Length > 0 ? $" on {attempt.WorkerName}" : "";
            var ranUs = attempt.StartedUs == 0 ? 0 : attempt.FinishedUs - attempt.StartedUs;
            var ran = ranUs == 0 ? "" : $" after {ranUs / 1e6:0.000} s";
            table.Add(
                $"attempt {attempt.Attempt}",
                $"{JsonLines.Name(attempt.Outcome)}{where}{ran}: {attempt.Code}: {attempt.Message}");
            if (attempt.OutputTail.Length > 0)
            {
                table.Add("  it wrote", attempt.OutputTail.TrimEnd());
            }
        }
    }

    /// <summary>All tasks that match, up to the limit, a page at a time.</summary>
    public static async Task<(List<V1.TaskInfo> Tasks, bool IsMore)> ReadAsync(
        MusterClient client, V1.ListTasksRequest request, int limit, CancellationToken cancellationToken)
    {
        var tasks = new List<V1.TaskInfo>();
        do
        {
            request.PageSize = (uint)Math.Min(PageSizeMax, limit - tasks.Count);
            var response = await client.Cell.CallAdminAsync(
                (admin, options) => admin.ListTasksAsync(request, options), cancellationToken);
            tasks.AddRange(response.Tasks);
            request.PageToken = response.NextPageToken;
        }
        while (request.PageToken.Length > 0 && tasks.Count < limit);

        return (tasks, request.PageToken.Length > 0);
    }

    private static void WriteJson(Utf8JsonWriter writer, V1.TaskInfo task)
    {
        writer.WriteStartObject();
        writer.WriteString("id", new TaskId(task.TaskId).ToString());
        writer.WriteString("state", JsonLines.Name(task.State));
        if (task.Outcome != V1.Outcome.Unspecified)
        {
            writer.WriteString("outcome", JsonLines.Name(task.Outcome));
        }

        writer.WriteString("handler", task.Handler);
        writer.WriteNumber("priority", task.Priority);
        writer.WriteString("durability", DurabilityOf(task));
        writer.WriteNumber("attempt", task.Attempt);
        writer.WriteNumber("executions", task.Executions);
        writer.WriteNumber("attempts_max", task.AttemptsMax);
        writer.WriteNumber("crashes", task.Crashes);
        writer.WriteString("worker", task.WorkerName);
        writer.WriteString("reason", task.Reason);
        writer.WriteNumber("payload_bytes", task.PayloadBytes);
        writer.WriteNumber("output_bytes", task.OutputBytes);
        writer.WriteNumber("submitted_unix_us", task.Timings?.SubmittedUnixUs ?? 0);
        if (task.Error is { } error)
        {
            writer.WriteString("code", error.Code);
            writer.WriteString("message", error.Message);
        }

        if (task.Progress is { } progress)
        {
            writer.WriteString("progress", progress.Details);
            writer.WriteNumber("progress_unix_us", progress.UnixUs);
        }

        WriteAttempts(writer, task);

        writer.WriteEndObject();
    }

    private static void WriteAttempts(Utf8JsonWriter writer, V1.TaskInfo task)
    {
        writer.WriteStartArray("attempts");
        foreach (var attempt in task.Attempts)
        {
            writer.WriteStartObject();
            writer.WriteNumber("attempt", attempt.Attempt);
            writer.WriteString("outcome", JsonLines.Name(attempt.Outcome));
            writer.WriteString("worker", attempt.WorkerName);
            writer.WriteString("code", attempt.Code);
            writer.WriteString("message", attempt.Message);
            writer.WriteString("type", attempt.Type);
            writer.WriteString("output_tail", attempt.OutputTail);
            writer.WriteNumber("started_us", attempt.StartedUs);
            writer.WriteNumber("finished_us", attempt.FinishedUs);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static string StateOf(V1.TaskInfo task) =>
        task.State == V1.TaskState.Done ? JsonLines.Name(task.Outcome) : JsonLines.Name(task.State);

    // Empty of a task on disk: the look does not read its file.
    private static string DurabilityOf(V1.TaskInfo task) =>
        task.Durability == V1.Durability.Unspecified ? "" : JsonLines.Name(task.Durability);

    private static string Number<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
