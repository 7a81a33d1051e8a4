// SPDX-License-Identifier: Apache-2.0
using System;
using System.CommandLine;
using System.Globalization;

namespace Muster.Cli.Arguments;

/// <summary>How long credentials count: a number with s, m, h or d behind it.</summary>
internal static class Lifetimes
{
    private static readonly TimeSpan s_max = TimeSpan.FromDays(3_650);

    public static Option<TimeSpan?> Option(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result =>
        {
            if (TryParse(result.Tokens[0].Value, out var lifetime))
            {
                return lifetime;
            }

            result.AddError($"{name} is a number with a unit, 1s to 3650d: for example 12h or 90d");
            return null;
        },
    };

    public static bool TryParse(string text, out TimeSpan lifetime)
    {
        lifetime = default;
        var unit = text.Length == 0 ? ' ' : text[^1];
        var seconds = unit switch
        {
            's' => 1L,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => 0,
        };
        if (seconds == 0
            || !uint.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, null, out var n)
            || n == 0
            || n * seconds > (long)s_max.TotalSeconds)
        {
            return false;
        }

        lifetime = TimeSpan.FromSeconds(n * seconds);
        return true;
    }
}
