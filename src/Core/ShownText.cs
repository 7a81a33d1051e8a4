// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.Text;

namespace Muster.Core;

/// <summary>
/// The one place where text from elsewhere (names, errors, command lines, paths, outputs) is made safe to show:
/// control characters could move the cursor, rename the window or hide what follows, and direction marks can make a
/// name read backwards.
/// </summary>
internal static class ShownText
{
    private const int NameCharsMax = 256;

    /// <summary>The text with such characters made visible; line feeds and tabs stay where asked for.</summary>
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

    /// <summary>
    /// A name that a peer gives itself and that is kept: cut to 256 characters, with a question mark for each that is
    /// not safe.
    /// </summary>
    public static string Name(string text) =>
        string.Create(Math.Min(text.Length, NameCharsMax), text, static (target, source) =>
        {
            for (var i = 0; i < target.Length; i++)
            {
                target[i] = IsUnsafe(source[i], keepLines: false) ? '?' : source[i];
            }
        });

    // C1 controls are as mighty as escape sequences.
    private static bool IsUnsafe(char letter, bool keepLines) =>
        (char.IsControl(letter) && !(keepLines && letter is '\n' or '\t'))
        || letter is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
