// SPDX-License-Identifier: Apache-2.0
using System;
using System.CommandLine;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Muster.Cli.Arguments;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Client.Sessions;
using Muster.Core;

namespace Muster.Cli.Verbs;

/// <summary>muster submit: one task, awaited or not.</summary>
internal static class SubmitVerb
{
    private static readonly TimeSpan s_cancelWait = TimeSpan.FromSeconds(3);

    public static Command Create(VerbContext context)
    {
        var words = new Argument<string[]>("command")
        {
            Description = "Program and arguments, taken as they are; after '--' when they look like options",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var handler = new Option<string?>("--handler")
        {
            Description = "Call this handler instead of running a command",
            HelpName = "NAME",
        };
        var payload = new Option<string?>("--payload")
        {
            Description = "The handler's input as text",
            HelpName = "TEXT",
        };
        var file = new Option<string?>("--payload-file")
        {
            Description = "The handler's input from a file ('-': standard input)",
            HelpName = "FILE",
        };
        var key = new Option<string?>("--key")
        {
            Description = "Idempotency key: submitted again with it, it is the same task, until 24 h after its end",
            HelpName = "KEY",
        };
        var wait = new Option<bool>("--wait") { Description = "Wait for the result, print it, and exit with 0 or 1" };
        var shell = new Option<bool>("--shell") { Description = "Run the command by /bin/sh -c" };
        var target = new TargetOptions();
        var run = new RunOptions();
        var verb = new Command(CommandVerbs.Submit, "Submit one command, or one call of a handler")
        {
            words, handler, payload, file, key, wait, shell,
        };
        target.AddTo(verb);
        run.AddTo(verb);
        verb.SetAction(async result =>
        {
            var plan = run.Read(result).WithKey(result.GetValue(key));
            var argv = result.GetValue(words) ?? [];
            var (name, bytes) = result.GetValue(handler) is { } given
                ? (given, await PayloadAsync(argv, result.GetValue(payload), result.GetValue(file), context.Ending))
                : (TaskLimits.CommandHandler, Encode(argv, result.GetValue(shell), plan));
            return await RunAsync(context, target.Read(result), plan, name, bytes, result.GetValue(wait));
        });
        return verb;
    }

    private static async Task<int> RunAsync(
        VerbContext context, CellTarget target, RunPlan plan, string handler, byte[] payload, bool isWaitWanted)
    {
        await using var access = await CellAccess.OpenAsync(target, Environment.ProcessorCount, context.Ending);
        if (!isWaitWanted && !access.IsEmbedded)
        {
            var (id, isDuplicate) =
                await access.Client.Cell.SubmitTaskAsync(handler, plan.Task, payload, context.Ending);
            PrintId(context, target, id, isDuplicate);
            return ExitCodes.Success;
        }

        if (access.IsEmbedded && handler != TaskLimits.CommandHandler)
        {
            throw new MusterException(
                FaultCodes.Name(FaultCode.Unavailable),
                $"no cell is running, and an embedded one has no worker with the handler '{handler}'; "
                + "start one with 'muster up' and a worker that offers it");
        }

        return await AwaitAsync(context, access, target, plan, handler, payload);
    }

    private static void PrintId(VerbContext context, CellTarget target, TaskId id, bool isDuplicate)
    {
        if (isDuplicate)
        {
            context.Terminal.Note("the key was used before: this is the task of then, and nothing new runs");
        }

        context.Terminal.Line(target.IsJson
            ? JsonLines.Write(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("id", id.ToString());
                writer.WriteBoolean("duplicate", isDuplicate);
                writer.WriteEndObject();
            })
            : id.ToString());
    }

    private static async Task<int> AwaitAsync(
        VerbContext context, CellAccess access, CellTarget target, RunPlan plan, string handler, byte[] payload)
    {
        var engine = access.Client.Engine;
        var task = new AwaitedTask(access.Client.OptionsOf(handler, plan.Task), payload, awaitsAcceptance: false)
        {
            IdempotencyKey = plan.Task.IdempotencyKey,
        };
        var output = new TaskResultOutput(context.Terminal, target.IsJson);
        await using (var meter = new ProgressMeter(context.Terminal, plan.IsProgressWanted))
        await using (var watch = access.IsEmbedded ? null : new HandlerWatch(access.Client, handler, context.Terminal))
        {
            meter.SetTotal(1);
            await engine.SubmitAsync(task, context.Ending);
            try
            {
                await task.Ended.WaitAsync(context.Ending);
            }
            catch (OperationCanceledException)
            {
                engine.CancelAll();
                await task.Ended.WaitAsync(s_cancelWait).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        if (context.Ending.IsCancellationRequested)
        {
            context.Terminal.Note("stopped; the task is cancelled");
            return context.Interruption.ExitCode;
        }

        task.ThrowIfRefused();
        output.Print(task, null, 0);
        context.Terminal.Flush();
        return ExitCodes.OfFailures(output.FailedCount);
    }

    private static byte[] Encode(string[] argv, bool shell, RunPlan plan)
    {
        if (argv.Length == 0)
        {
            throw new UsageException("nothing to submit: give a command, or --handler NAME");
        }

        CommandTemplate.RefuseOption(argv);

        return new CommandSpec
        {
            Arguments = shell ? [string.Join(' ', argv)] : argv,
            Shell = shell,
            OutputBytesMax = plan.OutputBytesMax,
            WorkingFolder = WorkingFolder.Current(),
        }.Encode();
    }

    private static async Task<byte[]> PayloadAsync(
        string[] argv, string? text, string? file, CancellationToken cancellationToken)
    {
        if (argv.Length > 0)
        {
            throw new UsageException("give either a command or --handler, not both");
        }

        if (text is not null && file is not null)
        {
            throw new UsageException("give either --payload or --payload-file, not both");
        }

        if (file is null)
        {
            return Encoding.UTF8.GetBytes(text ?? "");
        }

        if (file != "-")
        {
            return await File.ReadAllBytesAsync(file, cancellationToken);
        }

        using var buffer = new MemoryStream();
        await Console.OpenStandardInput().CopyToAsync(buffer, cancellationToken);
        return buffer.ToArray();
    }
}
