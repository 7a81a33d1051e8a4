// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;

namespace Muster.Cli.Cells;

/// <summary>An embedded cell is named for its process, so that nobody else has it and its end can be seen.</summary>
internal static class EmbeddedCellName
{
    public const string Prefix = "embedded-";

    public static string Of(int processId) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{processId}");

    /// <summary>The process in a name; false for names of other cells.</summary>
    public static bool TryParse(string cell, out int processId)
    {
        processId = 0;
        return cell.StartsWith(Prefix, StringComparison.Ordinal)
            && int.TryParse(
                cell.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out processId);
    }
}
