// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;

namespace Muster.Checking;

/// <summary>
/// Histories as text, one line each, so that processes can write them and people can read them:
/// <c>time actor op task key attempt level outcome value detail</c>. A dash stands for nothing.
/// </summary>
internal static class HistoryText
{
    private const int Fields = 10;

    public static string Format(in HistoryEntry entry) => string.Join(
        ' ',
        entry.TimeUs.ToString(CultureInfo.InvariantCulture),
        entry.Actor,
        entry.Op,
        Hex(entry.Task),
        Hex(entry.Key),
        entry.Attempt == 0 ? "-" : entry.Attempt.ToString(CultureInfo.InvariantCulture),
        entry.Level == HistoryLevel.None ? "-" : entry.Level.ToString(),
        entry.Outcome,
        Hex(entry.Value),
        Hex(entry.Detail));

    /// <summary>Reads one line.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static HistoryEntry Parse(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != Fields || !Enum.TryParse<HistoryOp>(words[2], out var op)
            || !Enum.TryParse<HistoryOutcome>(words[7], out var outcome))
        {
            throw new FormatException($"no line of a history: {line}");
        }

        return new(
            long.Parse(words[0], CultureInfo.InvariantCulture),
            words[1],
            op,
            Number(words[3]),
            Number(words[4]),
            words[5] == "-" ? 0 : uint.Parse(words[5], CultureInfo.InvariantCulture),
            words[6] == "-" ? HistoryLevel.None : Enum.Parse<HistoryLevel>(words[6]),
            outcome,
            Number(words[8]),
            Number(words[9]));
    }

    public static List<HistoryEntry> ParseAll(IEnumerable<string> lines)
    {
        var entries = new List<HistoryEntry>();
        foreach (var line in lines)
        {
            if (line.Length > 0 && line[0] != '#')
            {
                entries.Add(Parse(line));
            }
        }

        return entries;
    }

    private static string Hex(ulong value) => value == 0 ? "-" : value.ToString("x", CultureInfo.InvariantCulture);

    private static ulong Number(string word) =>
        word == "-" ? 0 : ulong.Parse(word, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
