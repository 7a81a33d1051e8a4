// SPDX-License-Identifier: Apache-2.0
using System.CommandLine;
using System.Linq;
using System.Threading.Tasks;
using Muster.Cli.Cells;
using Muster.Core;

namespace Muster.Cli.Verbs;

/// <summary>muster forget: ended tasks, before their retention ends.</summary>
internal static class ForgetVerb
{
    public static Command Create(VerbContext context)
    {
        var ids = new Argument<string[]>("id") { Description = "Ids of ended tasks", Arity = ArgumentArity.OneOrMore };
        var target = new TargetOptions();
        var verb = new Command(
            CommandVerbs.Forget, "Forget ended tasks that nobody waits for, before their time: results, or quarantined")
        {
            ids,
        };
        target.AddTo(verb);
        verb.SetAction(result => RunAsync(context, target.Read(result), result.GetRequiredValue(ids)));
        return verb;
    }

    private static async Task<int> RunAsync(VerbContext context, CellTarget target, string[] texts)
    {
        var ids = texts.Select(TaskIdText.Parse).ToList();
        await using var client = await CellAccess.ConnectAsync(target, context.Ending);
        var forgotten = 0u;
        foreach (var chunk in ids.Chunk(TaskLimits.BatchItemsMax))
        {
            forgotten += await client.Cell.ReleaseTasksAsync(chunk, context.Ending);
        }

        context.Terminal.Line(target.IsJson
            ? Output.JsonLines.Write(writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("forgotten", forgotten);
                writer.WriteEndObject();
            })
            : $"{forgotten} of {ids.Count} forgotten; others have not ended, or their clients have not confirmed them");
        return forgotten == ids.Count ? ExitCodes.Success : ExitCodes.Refused;
    }
}
