// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.Text;

namespace Muster.Cli.Output;

/// <summary>
/// Makes text from elsewhere safe to show on a terminal: control characters, which could move the cursor, rename the
/// window or hide what follows, become visible. Line feeds and tabs stay where asked for.
/// </summary>
internal static class TerminalText
{
    public static string Clean(string text, bool keepLines = false)
    {
        var first = 0;
        while (first < text.Length && !IsUnsafe(text[first], keepLines))
        {
            first++;
        }

        if (first == text.Length)
        {
            return text;
        }

        var clean = new StringBuilder(text, 0, first, text.Length + 16);
        foreach (var letter in text.AsSpan(first))
        {
            if (!IsUnsafe(letter, keepLines))
            {
                clean.Append(letter);
            }
            else if (letter < ' ')
            {
                // The way terminals themselves show them: ^[ is escape.
                clean.Append('^').Append((char)(letter + '@'));
            }
            else
            {
                clean.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}");
            }
        }

        return clean.ToString();
    }

    // C1 controls are as mighty as escape sequences; the direction marks can make a name read backwards.
    private static bool IsUnsafe(char letter, bool keepLines) =>
        (char.IsControl(letter) && !(keepLines && letter is '\n' or '\t'))
        || letter is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
