// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Muster.Tidy;

/// <summary>Sizes and words of the code.</summary>
public partial class ShapeTests
{
    private const int FileLinesMax = 600;
    private const int MethodLinesMax = 70;
    private const int LineColumnsMax = 120;

    [Fact]
    public void CodeFiles_Length_StaysReadable() =>
        AssertNone(Code().Where(path => Repository.Lines(path).Length > FileLinesMax), $"over {FileLinesMax} lines");

    [Fact]
    public void CodeLines_Width_StaysReadable() =>
        AssertNone(
            from path in Code()
            from line in Repository.Lines(path).Index()
            where line.Item.Length > LineColumnsMax
            select $"{path}:{line.Index + 1}",
            $"over {LineColumnsMax} columns");

    [Fact]
    public void Methods_Length_FitsAScreen() =>
        AssertNone(Code().SelectMany(LongMethods), $"over {MethodLinesMax} lines");

    [Fact]
    public void CodeFiles_FirstLine_NamesTheLicence() =>
        AssertNone(
            Code().Where(path => Repository.Lines(path)[0] != "// SPDX-License-Identifier: Apache-2.0"),
            "without the SPDX line");

    [Fact]
    public void Code_Words_AreFinished() =>
        AssertNone(
            from path in Code().Where(path => !path.StartsWith("tests/Tidy/", StringComparison.Ordinal))
            from line in Repository.Lines(path).Index()
            where UnfinishedWords().IsMatch(line.Item)
            select $"{path}:{line.Index + 1} {line.Item.Trim()}",
            "unfinished, sleeping or skipped");

    [Fact]
    public void Types_Names_SayWhatTheyAre() =>
        AssertNone(
            from path in Code().Where(path => path.StartsWith("src/", StringComparison.Ordinal))

            // Those types carry the names that generated code expects.
            where !path.StartsWith("src/Transport/GrpcCore/", StringComparison.Ordinal)
            from line in Repository.Lines(path)
            let match = TypeName().Match(line)
            where match.Success && VagueName().IsMatch(match.Groups["name"].Value)
            select $"{path} {match.Groups["name"].Value}",
            "vague names");

    [Fact]
    public void Projects_Readme_IsThereAndShort() =>
        AssertNone(
            from project in Repository.Files(".csproj").Where(path => path.StartsWith("src/", StringComparison.Ordinal))
            let readme = project[..(project.LastIndexOf('/') + 1)] + "README.md"
            where !System.IO.File.Exists(System.IO.Path.Combine(Repository.Root, readme))
                || Repository.Lines(readme).Length > 60
            select readme,
            "missing or over 60 lines");

    private static IEnumerable<string> Code() => Repository.Files(".cs");

    private static void AssertNone(IEnumerable<string> places, string what)
    {
        var list = places.ToList();
        Assert.True(list.Count == 0, $"{what}:\n{string.Join('\n', list)}");
    }

    /// <summary>Members are found by the layout that the formatter gives: braces alone at the member's
    /// indentation.</summary>
    private static IEnumerable<string> LongMethods(string path)
    {
        var lines = Repository.Lines(path);
        for (var line = 1; line < lines.Length; line++)
        {
            var opening = OpeningBrace().Match(lines[line]);
            if (!opening.Success || TypeName().IsMatch(lines[line - 1]) || !EndsSignature(lines, line))
            {
                continue;
            }

            var end = Array.FindIndex(lines, line, text => text.TrimEnd(';') == opening.Groups["indent"].Value + "}");
            if (end - line - 1 > MethodLinesMax)
            {
                yield return $"{path}:{line} ({end - line - 1} lines)";
            }
        }
    }

    private static bool EndsSignature(string[] lines, int brace) => lines[brace - 1].TrimEnd().EndsWith(')');

    [GeneratedRegex(@"^(?<indent>    |        )\{$")]
    private static partial Regex OpeningBrace();

    [GeneratedRegex(
        @"^\s*(public|internal|private|file)?\s*[a-z ]*\b(class|struct|record|interface|enum)\s+(?<name>[A-Z]\w*)")]
    private static partial Regex TypeName();

    [GeneratedRegex("(Common|Utils?|Helpers?|Manager|Base|Infrastructure)$")]
    private static partial Regex VagueName();

    [GeneratedRegex(
        @"NotImplementedException|\bTODO\b|\bFIXME\b|\bHACK\b|Skip ?= ?""|Thread\.Sleep|Assert\.True\(true")]
    private static partial Regex UnfinishedWords();
}
