// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster;

/// <summary>What a command did.</summary>
public sealed record CommandResult
{
    /// <summary>0 to 255; meaningless when <see cref="Signal"/> is not 0.</summary>
    public required int ExitCode { get; init; }

    /// <summary>Number of the signal that ended it, or 0.</summary>
    public required int Signal { get; init; }

    /// <summary>What it wrote to standard output, up to the limit of its <see cref="CommandSpec"/>.</summary>
    public required ReadOnlyMemory<byte> StandardOutput { get; init; }

    /// <summary>What it wrote to standard error, up to the limit.</summary>
    public required ReadOnlyMemory<byte> StandardError { get; init; }

    /// <summary>Whether standard output was longer than the limit.</summary>
    public bool StandardOutputCut { get; init; }

    /// <summary>Whether standard error was longer than the limit.</summary>
    public bool StandardErrorCut { get; init; }

    /// <summary>Whether it exited with 0.</summary>
    public bool Succeeded => ExitCode == 0 && Signal == 0;

    internal static CommandResult Decode(ReadOnlyMemory<byte> output)
    {
        var result = V1.CommandResult.Parser.ParseFrom(output.Span);
        return new()
        {
            ExitCode = result.ExitCode,
            Signal = result.Signal,
            StandardOutput = result.Stdout.Memory,
            StandardError = result.Stderr.Memory,
            StandardOutputCut = result.StdoutCut,
            StandardErrorCut = result.StderrCut,
        };
    }
}
