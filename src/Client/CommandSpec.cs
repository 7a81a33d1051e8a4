// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Google.Protobuf;

namespace Muster;

/// <summary>A program to run on a worker that offers commands. Immutable.</summary>
public sealed record CommandSpec
{
    /// <summary>
    /// Program and arguments as they are, without a shell; 1 to 4,096 entries. A program without '/' is looked up in
    /// the worker's PATH.
    /// </summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>
    /// Added to what the worker passes on of its own environment. A value secret:NAME is replaced by the worker's
    /// secret of that name. Null, the default: nothing.
    /// </summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>Working folder on the worker. Null, the default: an empty one, removed afterwards.</summary>
    public string? WorkingFolder { get; init; }

    /// <summary>Given to the program's standard input, then the end of file. Empty by default.</summary>
    public ReadOnlyMemory<byte> StandardInput { get; init; }

    /// <summary>
    /// Bytes kept of standard output and of standard error each; the rest is dropped and flagged. Default 1,048,576
    /// (one MiB).
    /// </summary>
    public int OutputBytesMax { get; init; } = Core.TaskLimits.CommandOutputBytesDefault;

    /// <summary>
    /// Run the first entry by /bin/sh -c, the further ones being $0, $1 and so on. Default false: no shell looks at
    /// anything.
    /// </summary>
    public bool Shell { get; init; }

    internal byte[] Encode()
    {
        if (Arguments is null || Arguments.Count == 0)
        {
            throw new MusterException("COMMAND_INVALID", "a command needs at least the name of a program");
        }

        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(OutputBytesMax);
        var command = new V1.Command
        {
            Cwd = WorkingFolder ?? "",
            Stdin = ByteString.CopyFrom(StandardInput.Span),
            OutputBytesMax = (uint)OutputBytesMax,
            Shell = Shell,
        };
        command.Argv.AddRange(Arguments);
        foreach (var (name, value) in Environment ?? new Dictionary<string, string>())
        {
            command.Env.Add(name, value);
        }

        return command.ToByteArray();
    }
}
