// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using System.Text.Unicode;

namespace Muster.Arena.Tables;

/// <summary>
/// Texts in table rows: UTF-8, filled up with zeros. A reader may meet a text that is being replaced; it then sees a
/// mixture, never a byte outside the field, and bytes that are no UTF-8 become replacement characters.
/// </summary>
internal static class RowText
{
    /// <summary>The text up to its first zero, or the whole field.</summary>
    public static string Read(ReadOnlySpan<byte> field)
    {
        var length = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(length < 0 ? field : field[..length]);
    }

    /// <summary>Writes as many whole characters as fit before the terminating zero.</summary>
    public static void Write(Span<byte> field, ReadOnlySpan<char> text)
    {
        Utf8.FromUtf16(text, field[..^1], out _, out var written, replaceInvalidSequences: true);
        field[written..].Clear();
    }
}
