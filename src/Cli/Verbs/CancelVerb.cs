// SPDX-License-Identifier: Apache-2.0
using System.CommandLine;
using System.Linq;
using System.Threading.Tasks;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Core;

namespace Muster.Cli.Verbs;

/// <summary>muster cancel: tasks by their ids.</summary>
internal static class CancelVerb
{
    public static Command Create(VerbContext context)
    {
        var ids = new Argument<string[]>("id") { Description = "Ids of tasks", Arity = ArgumentArity.OneOrMore };
        var target = new TargetOptions();
        var verb = new Command(CommandVerbs.Cancel, "Cancel tasks by their ids") { ids };
        target.AddTo(verb);
        verb.SetAction(result => RunAsync(context, target.Read(result), result.GetRequiredValue(ids)));
        return verb;
    }

    private static async Task<int> RunAsync(VerbContext context, CellTarget target, string[] texts)
    {
        var ids = texts.Select(TaskIdText.Parse).ToList();
        await using var client = await CellAccess.ConnectAsync(target, context.Ending);
        var exit = ExitCodes.Success;
        foreach (var chunk in ids.Chunk(TaskLimits.BatchItemsMax))
        {
            var statuses = await client.Cell.CancelTasksAsync(chunk, context.Ending);
            for (var index = 0; index < statuses.Count; index++)
            {
                if (statuses[index] == V1.CancelStatus.NotFound)
                {
                    exit = ExitCodes.Refused;
                }

                Print(context.Terminal, target.IsJson, chunk[index], statuses[index]);
            }
        }

        return exit;
    }

    private static void Print(Terminal terminal, bool isJson, TaskId id, V1.CancelStatus status)
    {
        if (isJson)
        {
            terminal.Line(JsonLines.Write(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("id", id.ToString());
                writer.WriteString("status", JsonLines.Name(status));
                writer.WriteEndObject();
            }));
        }
        else if (status != V1.CancelStatus.NotFound)
        {
            terminal.Line(status == V1.CancelStatus.Cancelled ? $"{id} cancelled" : $"{id} had ended before");
        }

        if (status == V1.CancelStatus.NotFound)
        {
            terminal.Problem(
                FaultCodes.Name(FaultCode.TaskNotFound),
                $"there is no task {id}, or it was forgotten after its end; 'muster tasks' lists those that exist");
        }
    }
}
