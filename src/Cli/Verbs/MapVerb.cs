// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Muster.Cli.Arguments;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Client;

namespace Muster.Cli.Verbs;

/// <summary>muster map: one command for each input.</summary>
internal static class MapVerb
{
    public static Command Create(VerbContext context)
    {
        var words = new Argument<string[]>("command")
        {
            Description = "The command, quoted as one word, with {} where the input goes",
            Arity = ArgumentArity.OneOrMore,
        };
        var target = new TargetOptions();
        var run = new RunOptions();
        var slots = SharedOptions.SlotsOrCell();
        var inputFile = new Option<string?>("--arg-file", "-a")
        {
            Description = "Take the inputs from the lines of a file ('-': standard input)",
            HelpName = "FILE",
        };
        var isNullSeparated = new Option<bool>("--null", "-0")
        {
            Description = "Inputs from a file or standard input end with a zero byte instead of a line feed",
        };
        var keepOrder = new Option<bool>("--keep-order", "-k") { Description = "Print in the order of the inputs" };
        var shell = new Option<bool>("--shell") { Description = "Run the command by /bin/sh -c, inputs quoted" };
        var verb = new Command(
            CommandVerbs.Map, "Run a command for each input: after ':::', from -a FILE, or from standard input")
        {
            words, slots, inputFile, isNullSeparated, keepOrder, shell,
        };
        target.AddTo(verb);
        run.AddTo(verb);
        verb.SetAction(result =>
        {
            var template = CommandTemplate.Parse(result.GetRequiredValue(words), result.GetValue(shell));
            var inputs = Inputs(context, result.GetValue(inputFile), result.GetValue(isNullSeparated));
            return RunAsync(context, new MapPlan
            {
                Template = template,
                Inputs = inputs,
                Total = context.Inputs?.Length,
                SlotsMax = result.GetValue(slots),
                KeepOrder = result.GetValue(keepOrder),
                Target = target.Read(result),
                Run = run.Read(result),
            });
        });
        return verb;
    }

    private static async Task<int> RunAsync(VerbContext context, MapPlan plan)
    {
        await using var access = await CellAccess.OpenAsync(
            plan.Target, plan.SlotsMax ?? Environment.ProcessorCount, context.Ending);
        var output = new TaskResultOutput(context.Terminal, plan.Target.IsJson);
        await using (var meter = new ProgressMeter(context.Terminal, plan.Run.IsProgressWanted))
        {
            if (plan.Total is { } total)
            {
                meter.SetTotal(total);
            }

            await CommandMap.RunAsync(access, plan, output, meter, context);
        }

        context.Terminal.Flush();
        if (context.Ending.IsCancellationRequested)
        {
            context.Terminal.Note(
                $"stopped; {output.EndedCount - output.FailedCount} had succeeded, the rest is cancelled");
            return context.Interruption.ExitCode;
        }

        if (output.FailedCount > 0 && !plan.Target.IsJson)
        {
            context.Terminal.Note($"{output.FailedCount} of {output.EndedCount} failed");
        }

        return ExitCodes.OfFailures(output.FailedCount);
    }

    private static IAsyncEnumerable<string> Inputs(VerbContext context, string? file, bool isNullSeparated)
    {
        if (context.Inputs is { } given)
        {
            return file is null
                ? new ReadyInputs<string>(given)
                : throw new UsageException("inputs come either after ':::' or from --arg-file, not from both");
        }

        if (file is null && !Console.IsInputRedirected)
        {
            throw new UsageException("no inputs: write them after ':::', name a file with -a, or pipe them in");
        }

        var stream = file is null or "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        return InputLines.ReadAsync(stream, isNullSeparated ? '\0' : '\n', context.Ending);
    }
}
