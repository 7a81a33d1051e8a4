// SPDX-License-Identifier: Apache-2.0
using System.CommandLine;
using System.Linq;
using System.Threading.Tasks;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Core;

namespace Muster.Cli.Verbs;

/// <summary>muster retry: quarantined tasks, submitted anew.</summary>
internal static class RetryVerb
{
    public static Command Create(VerbContext context)
    {
        var ids = new Argument<string[]>("id")
        {
            Description = "Ids of quarantined tasks",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var all = new Option<bool>("--all") { Description = "Every quarantined task" };
        var target = new TargetOptions();
        var verb = new Command(
            CommandVerbs.Retry, "Submit quarantined tasks anew, under new ids and with nothing held against them")
        {
            ids, all,
        };
        target.AddTo(verb);
        verb.SetAction(result =>
        {
            string[] texts = result.GetValue(ids) ?? [];
            return texts.Length > 0 != result.GetValue(all)
                ? RunAsync(context, target.Read(result), texts)
                : throw new UsageException("name the tasks, or all of them by --all");
        });
        return verb;
    }

    private static async Task<int> RunAsync(VerbContext context, CellTarget target, string[] texts)
    {
        await using var client = await CellAccess.ConnectAsync(target, context.Ending);
        var ids = texts.Select(TaskIdText.Parse).ToList();
        if (ids.Count == 0)
        {
            var request = new V1.ListTasksRequest { Outcomes = { V1.Outcome.Quarantined } };
            var (tasks, _) = await TasksVerb.ReadAsync(client, request, int.MaxValue, context.Ending);
            ids = [.. tasks.Select(task => new TaskId(task.TaskId))];
        }

        var exit = ExitCodes.Success;
        foreach (var chunk in ids.Chunk(TaskLimits.BatchItemsMax))
        {
            var request = new V1.RetryTasksRequest();
            request.TaskIds.AddRange(chunk.Select(id => id.Value));
            var response = await client.Cell.CallAdminAsync(
                (admin, options) => admin.RetryTasksAsync(request, options), context.Ending);
            Print(context.Terminal, target.IsJson, chunk, response);
            exit = response.Errors.Count > 0 ? ExitCodes.Refused : exit;
        }

        return exit;
    }

    private static void Print(Terminal terminal, bool isJson, TaskId[] ids, V1.RetryTasksResponse response)
    {
        for (var index = 0; index < ids.Length; index++)
        {
            var newId = new TaskId(response.TaskIds[index]);
            if (newId == TaskId.None)
            {
                continue;
            }

            terminal.Line(isJson
                ? JsonLines.Write(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("id", ids[index].ToString());
                    writer.WriteString("new_id", newId.ToString());
                    writer.WriteEndObject();
                })
                : $"{ids[index]} is submitted anew as {newId}");
        }

        foreach (var error in response.Errors)
        {
            terminal.Problem(error.Code, error.Message);
        }
    }
}
