// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text.Json;
using Muster.Client;
using Muster.Client.Sessions;
using Muster.Core;

namespace Muster.Cli.Output;

/// <summary>
/// Prints what became of one task of map or submit: the command's own output and one line for a failure, or one JSON
/// object. At most <see cref="ProblemsMax"/> failures are shown as text, because the count is what then matters.
/// </summary>
internal sealed class TaskResultOutput(Terminal terminal, bool isJson)
{
    public const int ProblemsMax = 100;

    /// <summary>Characters of an input that a message shows; inputs themselves may have megabytes.</summary>
    public const int InputShownMax = 200;

    private int _problems;

    public long FailedCount { get; private set; }

    public long EndedCount { get; private set; }

    /// <summary>Prints one ended task.</summary>
    /// <param name="task">The task.</param>
    /// <param name="input">What it was made from; null when there is only one.</param>
    /// <param name="index">Position of the input, from 0.</param>
    public void Print(PendingTask task, string? input, long index)
    {
        EndedCount++;
        var isFailed = task.Refusal is not null || task.Outcome != Outcome.Succeeded;
        FailedCount += isFailed ? 1 : 0;
        var command = CommandOf(task);
        if (isJson)
        {
            terminal.Line(JsonLines.Write(writer => WriteJson(writer, task, command, input, index)));
            return;
        }

        if (command is null)
        {
            terminal.Output(task.Output.Span);
        }
        else
        {
            terminal.Output(command.StandardOutput.Span);
            terminal.ErrorOutput(command.StandardError.Span);
            NoteCut(command, input);
        }

        if (isFailed)
        {
            PrintProblem(task, input);
        }
    }

    private static CommandResult? CommandOf(PendingTask task) =>
        task.Refusal is null && task.Options.Handler == TaskLimits.CommandHandler && CommandOutcome.RanToItsEnd(task)
            ? CommandResult.Decode(task.Output)
            : null;

    private static void WriteJson(
        Utf8JsonWriter writer, PendingTask task, CommandResult? command, string? input, long index)
    {
        writer.WriteStartObject();
        writer.WriteNumber("index", index);
        if (input is not null)
        {
            writer.WriteString("input", input);
        }

        writer.WriteString("id", task.Id == TaskId.None ? "" : task.Id.ToString());
        writer.WriteString("outcome", task.Refusal is null ? JsonLines.Name(task.Outcome) : "refused");
        var code = task.Refusal?.Code ?? task.Error?.Code ?? "";
        if (code.Length > 0)
        {
            writer.WriteString("code", code);
            writer.WriteString("message", task.Refusal?.Message ?? task.Error?.Message ?? "");
        }

        writer.WriteNumber("executions", task.Executions);
        writer.WriteNumber("ran_us", task.RanUs);
        if (command is not null)
        {
            writer.WriteNumber("exit_code", command.ExitCode);
            writer.WriteNumber("signal", command.Signal);
            JsonLines.WriteBytes(writer, "stdout", command.StandardOutput.Span);
            JsonLines.WriteBytes(writer, "stderr", command.StandardError.Span);
            writer.WriteBoolean("stdout_cut", command.StandardOutputCut);
            writer.WriteBoolean("stderr_cut", command.StandardErrorCut);
        }
        else if (task.Output.Length > 0)
        {
            JsonLines.WriteBytes(writer, "output", task.Output.Span);
        }

        writer.WriteEndObject();
    }

    private void NoteCut(CommandResult command, string? input)
    {
        if (command.StandardOutputCut || command.StandardErrorCut)
        {
            terminal.Note($"the output{Of(input)} was longer than the limit and is cut; see --output-bytes-max");
        }
    }

    private void PrintProblem(PendingTask task, string? input)
    {
        if (++_problems > ProblemsMax)
        {
            return;
        }

        terminal.Problem(
            task.Refusal?.Code
                ?? (task.Error is { Code.Length: > 0 } error ? error.Code : JsonLines.Name(task.Outcome)),
            (task.Refusal?.Message ?? task.Error?.Message ?? "") + Of(input) + Times(task));
        if (_problems == ProblemsMax)
        {
            terminal.Note("further failures are counted, not shown; -o json tells of each");
        }
    }

    private static string Of(string? input) => input switch
    {
        null => "",
        { Length: > InputShownMax } => $" (input '{input[..InputShownMax]}...', {input.Length} characters)",
        _ => $" (input '{input}')",
    };

    private static string Times(PendingTask task) =>
        task.Executions > 1
            ? string.Create(CultureInfo.InvariantCulture, $" (it was started {task.Executions} times)")
            : "";
}
