// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Muster.Tidy;

/// <summary>Figures in pages are those of the newest baseline; `make bench-pages` writes them there.</summary>
public partial class FigureTests
{
    private const string Folder = "bench/baselines/";

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/PERFORMANCE.md")]
    public void Page_Figures_AreOfTheNewestBaseline(string page)
    {
        var lines = Repository.Lines(page);
        var named = Source().Match(Assert.Single(lines, line => Source().IsMatch(line))).Groups["file"].Value;
        Assert.Equal(Newest(), named);
        var figures = File.ReadLines(Path.Combine(Repository.Root, Folder, named)).Skip(1)
            .Select(line => JsonNode.Parse(line)!.AsObject())
            .ToDictionary(each => $"{each["workload"]} {each["durability"]}");
        var rows = lines.Select(line => Row().Match(line)).Where(row => row.Success).ToList();
        Assert.NotEmpty(rows);
        foreach (var row in rows)
        {
            var workload = figures.GetValueOrDefault($"{row.Groups["workload"].Value} {row.Groups["level"].Value}");
            var name = row.Groups["figure"].Value;
            Assert.Equal(
                (Text(workload, name), Text(workload, name + "_min"), Text(workload, name + "_max")),
                (row.Groups["median"].Value, row.Groups["min"].Value, row.Groups["max"].Value));
        }
    }

    private static string Newest() => Directory.GetFiles(Path.Combine(Repository.Root, Folder), "*.jsonl")
        .OrderBy(file => (string?)JsonNode.Parse(File.ReadLines(file).First())!["at"], StringComparer.Ordinal)
        .Select(file => Path.GetFileName(file))
        .Last();

    private static string Text(JsonNode? figures, string path)
    {
        foreach (var name in path.Split('.'))
        {
            figures = figures?[name];
        }

        return figures is null
            ? "-"
            : figures.GetValue<double>().ToString(
                Math.Abs(figures.GetValue<double>()) >= 1_000 ? "N0" : "0.####", CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("^Figures of `bench/baselines/(?<file>[^`]+)`")]
    private static partial Regex Source();

    [GeneratedRegex(
        @"^\| (?<workload>W\d+) \| (?<level>\w+) \| `(?<figure>[\w.]+)` "
        + @"\| (?<median>\S+) \| (?<min>\S+) \| (?<max>\S+) \|$")]
    private static partial Regex Row();
}
