// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.Text;

namespace Muster.Core;

/// <summary>
/// The rule for names of handlers: 1 to 128 bytes of UTF-8, printable characters without white space. One place, so
/// that a name is refused where it is written and not first by the PLM.
/// </summary>
internal static class TaskTypeName
{
    /// <summary>What is wrong with <paramref name="name"/> as one sentence, or null when it is a good name.</summary>
    public static string? Problem(string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return "a handler's name must not be empty";
        }

        if (Encoding.UTF8.GetByteCount(name) > TaskLimits.HandlerNameBytesMax)
        {
            return $"a handler's name has at most {TaskLimits.HandlerNameBytesMax} bytes of UTF-8";
        }

        foreach (var rune in name.EnumerateRunes())
        {
            if (!IsPrintable(rune))
            {
                return "a handler's name has printable characters without white space only; "
                    + $"U+{rune.Value:X4} is not one";
            }
        }

        return null;
    }

    /// <summary>Format characters and the like could make two names look the same, or reorder a line.</summary>
    public static bool IsPrintable(Rune rune) => rune != Rune.ReplacementChar && Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator);
}
