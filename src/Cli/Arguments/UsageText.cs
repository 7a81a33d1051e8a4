// SPDX-License-Identifier: Apache-2.0
using System;
using System.CommandLine;
using System.Linq;
using System.Text.RegularExpressions;

namespace Muster.Cli.Arguments;

/// <summary>
/// What the parser found wrong, as one line for people: its own sentences name types of .NET and hold line feeds.
/// </summary>
internal static partial class UsageText
{
    private const string NoCommand = "Required command was not provided";

    public static string Of(ParseResult result)
    {
        var messages = result.Errors.Select(error => Plain(error.Message)).ToList();
        if (messages.Count > 1)
        {
            // A mistyped verb is both unknown and missing; only the first helps.
            messages.Remove(NoCommand);
        }

        return string.Join("; ", messages);
    }

    /// <summary>One message of the parser.</summary>
    public static string Plain(string message)
    {
        var line = Blanks().Replace(Lists().Replace(message.Trim(), ", "), " ").TrimEnd('.');
        var typed = Typed().Match(line);
        return typed.Success
            ? $"'{typed.Groups[1].Value}' is no {KindOf(typed.Groups[3].Value)} for {typed.Groups[2].Value}"
            : line.Replace("of:, ", "of: ", StringComparison.Ordinal);
    }

    private static string KindOf(string type) =>
        type.Contains("Int", StringComparison.Ordinal) ? "whole number" : "value";

    [GeneratedRegex(@"\s*\n\s*", RegexOptions.CultureInvariant)]
    private static partial Regex Lists();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Blanks();

    [GeneratedRegex(@"^Cannot parse argument '(.*)' for option '(.*)' as expected type '(.*)'$",
        RegexOptions.CultureInvariant)]
    private static partial Regex Typed();
}
