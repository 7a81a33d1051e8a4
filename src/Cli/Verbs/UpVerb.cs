// SPDX-License-Identifier: Apache-2.0
using System.CommandLine;
using System.Threading.Tasks;
using Muster.Cli.Arguments;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Core;

namespace Muster.Cli.Verbs;

/// <summary>muster up: a whole cell and a worker for commands in one process.</summary>
internal static class UpVerb
{
    public static Command Create(VerbContext context)
    {
        var hosting = new HostingOptions();
        var slots = SharedOptions.Slots();
        var name = WorkerVerb.NameOption();
        var commands = new CommandOptions();
        var verb = new Command(CommandVerbs.Up, "Run a whole cell and a worker for commands in one process")
        {
            slots, name,
        };
        hosting.AddTo(verb);
        commands.AddTo(verb);
        verb.SetAction(result => RunAsync(
            context,
            hosting.Read(result, [Role.Plm, Role.Scheduler, Role.Register]),
            result.GetValue(slots),
            result.GetValue(name),
            commands.Read(result)));
        return verb;
    }

    private static async Task<int> RunAsync(
        VerbContext context, HostedCellPlan plan, int slots, string? name, MusterCommandOptions commands)
    {
        using var logs = new TerminalLogs(context.Terminal);
        await using var cell = await HostedCell.StartAsync(plan, context.Terminal, logs, context.Ending);
        var worker = HostedWorker.Start(cell.Address, slots, name, commands, logs);
        try
        {
            await worker.Registered.WaitAsync(context.Ending);
            context.Terminal.Line($"muster up ready: {cell.Listens}");
            context.Terminal.Flush();
            await cell.RunUntilAsync(context.Ending, worker.Completion);
        }
        finally
        {
            await WorkerVerb.DrainAsync(context, worker);
        }

        return ExitCodes.Success;
    }
}
