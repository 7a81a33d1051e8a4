// SPDX-License-Identifier: Apache-2.0
using System.CommandLine;
using System.Threading.Tasks;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Core;

namespace Muster.Cli.Verbs;

/// <summary>muster plm, scheduler, register: one role of a cell in a process of its own.</summary>
internal static class RoleVerb
{
    public static Command Create(VerbContext context, Role role)
    {
        var hosting = new HostingOptions();
        var verb = new Command(Name(role), Describe(role));
        hosting.AddTo(verb);
        verb.SetAction(result => RunAsync(context, role, hosting.Read(result, new[] { role })));
        return verb;
    }

    private static string Name(Role role) => role switch
    {
        Role.Plm => CommandVerbs.Plm,
        Role.Scheduler => CommandVerbs.Scheduler,
        _ => CommandVerbs.Register,
    };

    private static string Describe(Role role) => role switch
    {
        Role.Plm => "Run the PLM of a cell: ids, queue, retries, delivery",
        Role.Scheduler => "Run the Scheduler of a cell: which task goes to which worker",
        _ => "Run the Register of a cell: clients, workers, health, results",
    };

    private static async Task<int> RunAsync(VerbContext context, Role role, HostedCellPlan plan)
    {
        using var logs = new TerminalLogs(context.Terminal);
        await using var cell = await HostedCell.StartAsync(plan, context.Terminal, logs, context.Ending);
        context.Terminal.Line($"muster {Name(role)} ready: {cell.Listens}");
        context.Terminal.Flush();
        await cell.RunUntilAsync(context.Ending);
        return ExitCodes.Success;
    }
}
