// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Muster.Load.Suite;

/// <summary>
/// Fills the tables of pages from a file of figures. A row names its workload, level and figure; what stands behind
/// them is replaced by median, least and most, and the line that begins with "Figures of" by where they are from. A
/// test of the repository compares pages and file by the same rules.
/// </summary>
internal static partial class FigurePages
{
    private const string Folder = "bench/baselines";
    private static readonly string[] s_pages = ["README.md", "docs/PERFORMANCE.md"];

    public static void Fill(LoadOptions options)
    {
        var file = options.Files.Before.Length > 0 ? options.Files.Before : Newest();
        var (stamp, figures) = FigureFile.Read(file);
        foreach (var page in s_pages)
        {
            var lines = File.ReadAllLines(page);
            File.WriteAllLines(page, lines.Select(line => Filled(line, Path.GetFileName(file), stamp, figures)));
            Console.WriteLine($"{page} holds the figures of {file}");
        }
    }

    private static string Newest() => Directory.GetFiles(Folder, "*.jsonl")
        .OrderBy(static file => FigureFile.Read(file).Stamp.At, StringComparer.Ordinal)
        .Last();

    private static string Filled(
        string line, string file, MachineStamp stamp, Dictionary<string, Dictionary<string, double>> figures)
    {
        if (line.StartsWith("Figures of `bench/baselines/", StringComparison.Ordinal))
        {
            return $"Figures of `bench/baselines/{file}`: commit {stamp.Commit}, {stamp.At}, "
                + string.Create(
                    CultureInfo.InvariantCulture,
                    $"{stamp.Cores} cores of {stamp.Cpu}, load {stamp.LoadAverage} before it began.");
        }

        var row = Row().Match(line);
        if (!row.Success)
        {
            return line;
        }

        var name = row.Groups["figure"].Value;
        var known = figures.GetValueOrDefault($"{row.Groups["workload"].Value} {row.Groups["level"].Value}") ?? [];
        return $"{row.Groups["head"].Value} {Text(known, name)} | {Text(known, name + "_min")} | "
            + $"{Text(known, name + "_max")} |";
    }

    private static string Text(Dictionary<string, double> figures, string name) =>
        figures.TryGetValue(name, out var value)
            ? value.ToString(Math.Abs(value) >= 1_000 ? "N0" : "0.####", CultureInfo.InvariantCulture)
            : "-";

    [GeneratedRegex(@"^(?<head>\| (?<workload>W\d+) \| (?<level>memory|relaxed|durable) \| `(?<figure>[\w.]+)` \|)")]
    private static partial Regex Row();
}
