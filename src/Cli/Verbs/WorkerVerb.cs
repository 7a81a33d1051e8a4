// SPDX-License-Identifier: Apache-2.0
using System;
using System.CommandLine;
using System.Threading.Tasks;
using Muster.Cli.Arguments;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Client;
using Muster.Identity.Joining;

namespace Muster.Cli.Verbs;

/// <summary>muster worker: a worker for commands in a process of its own.</summary>
internal static class WorkerVerb
{
    private static readonly TimeSpan s_drainTimeout = TimeSpan.FromSeconds(20);

    public static Option<string?> NameOption() => new("--name")
    {
        Description = "Name of the worker, for people [default: host and process id]",
        HelpName = "NAME",
    };

    public static Command Create(VerbContext context)
    {
        var slots = SharedOptions.Slots();
        var name = NameOption();
        var cell = SharedOptions.Cell();
        var address = SharedOptions.Address();
        var join = new Option<string?>("--join")
        {
            Description = "The line of 'muster auth issue --role work'; - reads it from standard input",
            HelpName = "TOKEN@HOST:PORT",
        };
        var commands = new CommandOptions();
        var verb = new Command(CommandVerbs.Worker, "Run a worker that offers commands; SIGTERM drains it")
        {
            slots, name, cell, address, join,
        };
        commands.AddTo(verb);
        verb.SetAction(result =>
        {
            var isCellGiven = result.GetResult(cell) is { Implicit: false };
            if (isCellGiven && result.GetValue(address) is not null)
            {
                throw new UsageException("--cell and --address name two cells; give one of them");
            }

            var options = new MusterWorkerOptions
            {
                Slots = result.GetValue(slots),
                Name = result.GetValue(name),
                Commands = commands.Read(result),
            };
            if (result.GetValue(join) is { } text)
            {
                if (isCellGiven || result.GetValue(address) is not null)
                {
                    throw new UsageException("--join says where the cell is; leave --cell and --address out");
                }

                var line = JoinLines.Parse(text);
                return RunAsync(context, options with { Join = line.ToString() }, line.Address);
            }

            if (!isCellGiven && result.GetValue(address) is null
                && Environment.GetEnvironmentVariable(ContextFile.Variable) is { Length: > 0 } path)
            {
                return RunAsync(
                    context, options with { ContextFile = path }, ContextFile.Load(path).Address);
            }

            var given = isCellGiven ? null : CellAddress.Given(result.GetValue(address));
            var place = given is null
                ? CellAddress.UnixPrefix + CellAddress.SocketOf(result.GetRequiredValue(cell))
                : CellAddress.Resolve(given);
            return RunAsync(context, options with { Address = place }, place);
        });
        return verb;
    }

    /// <summary>Lets running commands end before the worker leaves; says that it waits for them.</summary>
    public static async Task DrainAsync(VerbContext context, HostedWorker worker)
    {
        if (worker.RunningCount > 0)
        {
            context.Terminal.Note(
                $"{worker.RunningCount} running; they may end within {s_drainTimeout.TotalSeconds:0} s, "
                + "a second Ctrl-C stops at once");
        }

        await worker.StopAsync(s_drainTimeout);
    }

    private static async Task<int> RunAsync(VerbContext context, MusterWorkerOptions options, string address)
    {
        using var logs = new TerminalLogs(context.Terminal);
        var worker = HostedWorker.Start(options, logs);
        try
        {
            if (await IsRegisteredAsync(context, worker, address))
            {
                context.Terminal.Line($"muster worker ready: {address}");
                context.Terminal.Flush();
                await Task.WhenAny(worker.Completion, Task.Delay(-1, context.Ending));
            }

            if (worker.Completion.IsCompleted)
            {
                await worker.Completion;
            }
        }
        finally
        {
            await DrainAsync(context, worker);
        }

        return ExitCodes.Success;
    }

    /// <summary>Waits for the cell as long as it takes, saying so once; false when the command is ended
    /// before.</summary>
    private static async Task<bool> IsRegisteredAsync(VerbContext context, HostedWorker worker, string address)
    {
        var ending = Task.Delay(-1, context.Ending);
        var patience = Task.Delay(TimeSpan.FromSeconds(2));
        if (await Task.WhenAny(worker.Registered, worker.Completion, ending, patience) == patience)
        {
            context.Terminal.Note($"waiting for a cell at {address}; 'muster up' or 'muster register' starts one");
            await Task.WhenAny(worker.Registered, worker.Completion, ending);
        }

        return worker.Registered.IsCompletedSuccessfully;
    }
}
