// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Muster.Cli.Arguments;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Cli.Verbs;
using Muster.Core;
using Muster.Identity.Credentials;
using Muster.Identity.Joining;
using Muster.Journal;
using Muster.Server;

namespace Muster.Cli;

/// <summary>From arguments to an exit code: parses, runs the verb, and turns every failure into one line.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] arguments, Terminal terminal)
    {
        var split = SplitArguments.Of(arguments);
        using var interruption = new Interruption(terminal);
        var context = new VerbContext(terminal, split.Inputs, interruption);
        var root = Tree(context, split.Options.Length > 0 ? split.Options[0] : null);
        var result = root.Parse(split.Options, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (arguments.Length == 0)
        {
            // Nothing was asked for; what could be is the best answer.
            await root.Parse(["--help"]).InvokeAsync();
            return ExitCodes.Usage;
        }

        if (result.Errors.Count > 0 && result.Action is not ExampleHelp)
        {
            return Usage(terminal, result);
        }

        if (split.Inputs is not null && result.CommandResult.Command.Name != CommandVerbs.Map)
        {
            return Usage(terminal, $"'{SplitArguments.Separator}' belongs to 'muster map' alone", CommandVerbs.Map);
        }

        try
        {
            return await InvokeAsync(result, terminal);
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            return interruption.ExitCode;
        }
        catch (Exception failure)
        {
            return Report(terminal, failure, result.CommandResult.Command.Name);
        }
    }

    private static async Task<int> InvokeAsync(ParseResult result, Terminal terminal)
    {
        try
        {
            return await result.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,

                // Signals are ours: a worker that drains may take longer than any limit of the library.
                ProcessTerminationTimeout = null,
            });
        }
        finally
        {
            // Here a full disk is still one line and an exit code.
            terminal.Flush();
        }
    }

    // Only the verb that was asked for, when there is one of that name: making the options of all of them takes longer
    // than most verbs themselves.
    private static RootCommand Tree(VerbContext context, string? asked)
    {
        var root = new RootCommand("Muster runs very many tasks across workers, quickly, and loses none.");
        foreach (var name in CommandVerbs.All)
        {
            if (name == asked || asked is null || !CommandVerbs.All.Contains(asked))
            {
                root.Add(Create(name, context));
            }
        }

        foreach (var option in root.Options.OfType<HelpOption>())
        {
            option.Action = new ExampleHelp((HelpAction)option.Action!);
        }

        return root;
    }

    private static Command Create(string verb, VerbContext context) => verb switch
    {
        CommandVerbs.Map => MapVerb.Create(context),
        CommandVerbs.Submit => SubmitVerb.Create(context),
        CommandVerbs.Up => UpVerb.Create(context),
        CommandVerbs.Plm => RoleVerb.Create(context, Core.Role.Plm),
        CommandVerbs.Scheduler => RoleVerb.Create(context, Core.Role.Scheduler),
        CommandVerbs.Register => RoleVerb.Create(context, Core.Role.Register),
        CommandVerbs.Worker => WorkerVerb.Create(context),
        CommandVerbs.Tasks => TasksVerb.Create(context),
        CommandVerbs.Workers => WorkersVerb.Create(context),
        CommandVerbs.Top => TopVerb.Create(context),
        CommandVerbs.Cancel => CancelVerb.Create(context),
        CommandVerbs.Retry => RetryVerb.Create(context),
        CommandVerbs.Forget => ForgetVerb.Create(context),
        CommandVerbs.Auth => AuthVerb.Create(context),
        CommandVerbs.Arena => ArenaVerb.Create(context),
        CommandVerbs.Journal => JournalVerb.Create(context),
        CommandVerbs.Simulate => SimulateVerb.Create(context),
        CommandVerbs.Version => VersionVerb.Create(context),
        _ => throw new ArgumentOutOfRangeException(nameof(verb), verb, "no such verb"),
    };

    private static int Usage(Terminal terminal, ParseResult result)
    {
        // A verb inside another is asked for by both names: 'journal cat'.
        var names = new List<string>();
        for (Symbol each = result.CommandResult.Command; each is not RootCommand; each = each.Parents.First())
        {
            names.Insert(0, each.Name);
        }

        return Usage(terminal, UsageText.Of(result), names.Count == 0 ? null : string.Join(' ', names));
    }

    private static int Usage(Terminal terminal, string message, string? verb)
    {
        terminal.Problem("USAGE", $"{message}; see 'muster {(verb is null ? "" : verb + " ")}--help'");
        return ExitCodes.Usage;
    }

    /// <summary>What a failed connection does not say by itself.</summary>
    private static string NextStep(MusterException refused)
    {
        if (ExitCodes.Of(refused.Code) != ExitCodes.Unreachable
            || refused.Message.Contains("'muster ", StringComparison.Ordinal))
        {
            return "";
        }

        // The Register named this socket, so the rest of the cell may well be running.
        return refused.Message.Contains("/plm.sock:", StringComparison.Ordinal)
            ? "; is the PLM running? 'muster plm' starts it, and 'muster top' shows what runs"
            : "; is the cell running? 'muster up' starts one, and MUSTER_ADDRESS or --address names another";
    }

    /// <summary>The edge of the program: whatever was thrown becomes one line and an exit code, never a
    /// trace.</summary>
    private static int Report(Terminal terminal, Exception failure, string verb)
    {
        switch (failure)
        {
            case UsageException usage:
                return Usage(terminal, usage.Message, verb);
            case MusterException refused:
                terminal.Problem(refused.Code, refused.Message + NextStep(refused));
                return ExitCodes.Of(refused.Code);
            case CredentialsUnusableException unusable:
                terminal.Problem(FaultCodes.Name(FaultCode.CredentialsUnusable), unusable.Message);
                return ExitCodes.Refused;
            case ServerNotTrustedException stranger:
                terminal.Problem(FaultCodes.Name(FaultCode.ServerNotTrusted), stranger.Message);
                return ExitCodes.Refused;
            case IOException or UnauthorizedAccessException:
                terminal.Problem("IO_FAILED", failure.Message);
                return ExitCodes.Refused;
            case JournalFailedException failed:
                terminal.Problem(FaultCodes.Name(failed.Fault.Code), failed.Message);
                return ExitCodes.Unreachable;
            case ArenaRemovedException:
                terminal.Problem(FaultCodes.Name(FaultCode.ArenaMissing), failure.Message);
                return ExitCodes.Unreachable;
            case OutOfMemoryException or TypeInitializationException { InnerException: OutOfMemoryException }:
                // The runtime says this too when the host refuses another thread.
                terminal.Problem(
                    "HOST_LIMIT",
                    "the host gave no more memory or no more threads; raise the limits of this process (ulimit -v -u), "
                    + "of its unit (MemoryMax=, TasksMax=) or of its container");
                return ExitCodes.Unreachable;
            default:
                terminal.Problem(
                    "INTERNAL",
                    $"{failure.GetType().Name}: {failure.Message}; this is a bug, please report it with "
                    + "the output of the same command under MUSTER_TRACE=1");
                if (Environment.GetEnvironmentVariable("MUSTER_TRACE") == "1")
                {
                    terminal.Note(failure.ToString());
                }

                return ExitCodes.Internal;
        }
    }
}
