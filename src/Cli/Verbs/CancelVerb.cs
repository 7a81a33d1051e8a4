// SPDX-License-Identifier: Apache-2.0
using System;
using System.CommandLine;
using System.Linq;
using System.Threading.Tasks;
using Muster.Cli.Arguments;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Core;

namespace Muster.Cli.Verbs;

/// <summary>muster cancel: tasks by their ids, or all that match.</summary>
internal static class CancelVerb
{
    private static readonly string[] s_states = ["ready", "assigned", "running", "delayed", "waiting"];

    public static Command Create(VerbContext context)
    {
        var ids = new Argument<string[]>("id") { Description = "Ids of tasks", Arity = ArgumentArity.ZeroOrMore };
        var states = new Option<string[]>("--state")
        {
            Description = "Instead of ids: tasks in this state; may be repeated",
            HelpName = "ready|assigned|running|delayed",
        };
        states.AcceptOnlyFromAmong(s_states);
        var handler = new Option<string?>("--handler")
        {
            Description = "Instead of ids: tasks of this handler; muster.command for commands",
            HelpName = "NAME",
        };
        var older = SharedOptions.Duration("--older-than", "Instead of ids: tasks submitted so long ago or longer");
        var reason = new Option<string?>("--reason") { Description = "Why, for people", HelpName = "TEXT" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only show what would be cancelled" };
        var target = new TargetOptions();
        var verb = new Command(CommandVerbs.Cancel, "Cancel tasks by their ids, or all that match")
        {
            ids, states, handler, older, reason, dryRun,
        };
        target.AddTo(verb);
        verb.SetAction(result => RunAsync(
            context,
            target.Read(result),
            result.GetValue(ids) ?? [],
            FilterOf(result.GetValue(states) ?? [], result.GetValue(handler), result.GetValue(older)),
            new V1.CancelTasksRequest
            {
                Reason = result.GetValue(reason) ?? "",
                Actor = $"{Environment.UserName}@{Environment.MachineName}",
                DryRun = result.GetValue(dryRun),
            }));
        return verb;
    }

    private static V1.TaskFilter? FilterOf(string[] states, string? handler, TimeSpan? olderThan)
    {
        if (states.Length == 0 && handler is null && olderThan is null)
        {
            return null;
        }

        var before = olderThan is { } age ? DateTimeOffset.UtcNow - age : DateTimeOffset.UnixEpoch;
        var filter = new V1.TaskFilter
        {
            Handler = handler ?? "",
            SubmittedBeforeUnixUs = (before - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
        };
        filter.States.AddRange(states.Select(state => Enum.Parse<V1.TaskState>(state, ignoreCase: true)));
        return filter;
    }

    private static async Task<int> RunAsync(
        VerbContext context,
        CellTarget target,
        string[] texts,
        V1.TaskFilter? filter,
        V1.CancelTasksRequest request)
    {
        if ((texts.Length == 0) == (filter is null))
        {
            throw new UsageException("give ids, or what the tasks have in common: --state, --handler, --older-than");
        }

        var ids = texts.Select(TaskIdText.Parse).ToList();
        await using var client = await CellAccess.ConnectAsync(target, context.Ending);
        if (filter is not null)
        {
            request.Filter = filter;
            return await CancelMatchingAsync(context, target, client, request);
        }

        var exit = ExitCodes.Success;
        foreach (var chunk in ids.Chunk(TaskLimits.BatchItemsMax))
        {
            request.TaskIds.Clear();
            request.TaskIds.AddRange(chunk.Select(id => id.Value));
            var response = await client.Cell.CancelTasksAsync(request, context.Ending);
            exit = Print(context.Terminal, target.IsJson, response, request.DryRun) ? exit : ExitCodes.Refused;
        }

        return exit;
    }

    // A dry run shows the first ten thousand only: nothing makes way for the next ones.
    private static async Task<int> CancelMatchingAsync(
        VerbContext context, CellTarget target, MusterClient client, V1.CancelTasksRequest request)
    {
        var count = 0;
        V1.CancelTasksResponse response;
        do
        {
            response = await client.Cell.CancelTasksAsync(request, context.Ending);
            Print(context.Terminal, target.IsJson, response, request.DryRun);
            count += response.Tasks.Count;
        }
        while (response.More && !request.DryRun);

        if (!target.IsJson)
        {
            var more = response.More ? " and more" : "";
            context.Terminal.Note(request.DryRun ? $"{count}{more} would be cancelled" : $"{count} matched");
        }

        return ExitCodes.Success;
    }

    // False: some were not found.
    private static bool Print(Terminal terminal, bool isJson, V1.CancelTasksResponse response, bool isDryRun)
    {
        var areAllFound = true;
        foreach (var task in response.Tasks)
        {
            var id = new TaskId(task.TaskId);
            if (isJson)
            {
                terminal.Line(JsonLines.Write(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("id", id.ToString());
                    writer.WriteString("status", JsonLines.Name(task.Status));
                    writer.WriteString("was", JsonLines.Name(task.Was));
                    writer.WriteEndObject();
                }));
            }
            else if (task.Status != V1.CancelStatus.NotFound)
            {
                terminal.Line($"{id} {Describe(task, isDryRun)}");
            }

            if (task.Status == V1.CancelStatus.NotFound)
            {
                areAllFound = false;
                terminal.Problem(
                    FaultCodes.Name(FaultCode.TaskNotFound),
                    $"there is no task {id}, or it was forgotten after its end; 'muster tasks' lists those that exist");
            }
        }

        return areAllFound;
    }

    private static string Describe(V1.CancelledTask task, bool isDryRun) => task.Status switch
    {
        V1.CancelStatus.Cancelled when isDryRun => $"is {JsonLines.Name(task.Was)} and would be cancelled",
        V1.CancelStatus.Cancelled => task.Was is V1.TaskState.Running or V1.TaskState.Assigned
            ? "cancelled; its worker was told to stop it"
            : "cancelled",
        V1.CancelStatus.AlreadyCancelled => "had been cancelled before",
        _ => "had ended before",
    };
}
