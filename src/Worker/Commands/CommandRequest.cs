// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Worker.Commands;

/// <summary>A command that was read from a payload and found well-formed, ready to be started. Immutable.</summary>
internal sealed class CommandRequest
{
    private const string Shell = "/bin/sh";

    private CommandRequest(V1.Command command, byte[][] environment, string searchPath, int outputBytesMax)
    {
        Program = command.Shell ? Shell : command.Argv[0];
        Arguments = new byte[command.Argv.Count + (command.Shell ? 2 : 0)][];
        var place = 0;
        if (command.Shell)
        {
            Arguments[place++] = Text(Shell);
            Arguments[place++] = Text("-c");
        }

        foreach (var argument in command.Argv)
        {
            Arguments[place++] = Text(argument);
        }

        Environment = environment;
        SearchPath = searchPath;
        Folder = command.Cwd.Length == 0 ? null : command.Cwd;
        Input = command.Stdin.Memory;
        OutputBytesMax = outputBytesMax;
    }

    /// <summary>What to run: a path, or a name to look up in <see cref="SearchPath"/>.</summary>
    public string Program { get; }

    /// <summary>Each with its closing zero byte.</summary>
    public byte[][] Arguments { get; }

    /// <summary>Each as NAME=value with its closing zero byte.</summary>
    public byte[][] Environment { get; }

    /// <summary>PATH as the command will see it.</summary>
    public string SearchPath { get; }

    /// <summary>Null: an empty one of its own.</summary>
    public string? Folder { get; }

    public ReadOnlyMemory<byte> Input { get; }

    /// <summary>Kept of each output.</summary>
    public int OutputBytesMax { get; }

    /// <summary>Variables that tell the command which attempt it is; none when nobody said.</summary>
    public byte[][] AttemptVariables { get; private set; } = [];

    /// <summary>Reads a payload of the handler muster.command.</summary>
    public static Fault Parse(
        ReadOnlySpan<byte> payload, WorkerEnvironment own, int outputBytesMax, out CommandRequest? request)
    {
        request = null;
        V1.Command command;
        try
        {
            command = V1.Command.Parser.ParseFrom(payload);
        }
        catch (InvalidProtocolBufferException exception)
        {
            return Invalid($"the payload is not a muster.v1.Command: {exception.Message}");
        }

        if (Problem(command) is { } problem)
        {
            return Invalid(problem);
        }

        var asked = command.OutputBytesMax == 0 ? TaskLimits.CommandOutputBytesDefault : command.OutputBytesMax;
        var kept = (int)Math.Min(asked, Math.Min((uint)outputBytesMax, WorkerLimits.CommandOutputBytesMax));
        var fault = own.TryWith(command.Env, out var environment, out var searchPath);
        request = fault.IsNone ? new(command, environment, searchPath, kept) : null;
        return fault;
    }

    /// <summary>Says which attempt of which task it is.</summary>
    public void Name(AttemptKey key) => AttemptVariables =
    [
        Text(string.Create(CultureInfo.InvariantCulture, $"MUSTER_TASK={key.Task}")),
        Text(string.Create(CultureInfo.InvariantCulture, $"MUSTER_ATTEMPT={key.Attempt.Value}")),
    ];

    /// <summary>A text as C wants it.</summary>
    public static byte[] Text(string text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    private static string? Problem(V1.Command command)
    {
        if (command.Argv.Count is 0 or > WorkerLimits.CommandArgumentsMax)
        {
            return $"a command has 1 to {WorkerLimits.CommandArgumentsMax} arguments, not {command.Argv.Count}";
        }

        if (command.Argv[0].Length == 0)
        {
            return "the program's name is empty";
        }

        foreach (var argument in command.Argv)
        {
            if (argument.Contains('\0', StringComparison.Ordinal))
            {
                return "an argument has a zero byte in it, which no program can be given";
            }
        }

        return command.Cwd.Contains('\0', StringComparison.Ordinal)
            ? "the working folder has a zero byte in it"
            : EnvironmentProblem(command.Env);
    }

    private static string? EnvironmentProblem(IDictionary<string, string> variables)
    {
        foreach (var (name, value) in variables)
        {
            if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal))
            {
                return "the name of an environment variable is empty or has '=' in it";
            }

            if (name.Contains('\0', StringComparison.Ordinal) || value.Contains('\0', StringComparison.Ordinal))
            {
                return "an environment variable has a zero byte in it";
            }
        }

        return null;
    }

    private static Fault Invalid(string message) => new(FaultCode.CommandInvalid, message);
}
