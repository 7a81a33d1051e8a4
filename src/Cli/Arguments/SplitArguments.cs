// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;

namespace Muster.Cli.Arguments;

/// <summary>
/// The arguments before and after ":::". What follows it are inputs, which may look like options, so the parser never
/// sees them.
/// </summary>
/// <param name="Options">For the parser.</param>
/// <param name="Inputs">Null when there was no ":::".</param>
internal sealed record SplitArguments(string[] Options, string[]? Inputs)
{
    public const string Separator = ":::";

    public static SplitArguments Of(string[] arguments)
    {
        var separator = Array.IndexOf(arguments, Separator);
        return separator < 0
            ? new(arguments, null)
            : new(arguments[..separator], arguments[(separator + 1)..]);
    }
}
