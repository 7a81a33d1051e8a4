// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Muster.Tidy;

/// <summary>What the documents say is there.</summary>
public partial class DocumentTests
{
    public static TheoryData<string> Pages => new(Repository.Files(".md"));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_RelativeLinks_LeadSomewhere(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;
        foreach (Match match in Link().Matches(Repository.Read(page)))
        {
            var target = match.Groups["target"].Value.Split('#')[0];
            if (target.Length == 0 || target.Contains("://", StringComparison.Ordinal))
            {
                continue;
            }

            Assert.True(Path.Exists(Path.Combine(folder, target)), $"{page} links to {target}, which is not there");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_MakeVerbs_Exist(string page)
    {
        var verbs = Repository.Lines("Makefile")
            .Select(line => Verb().Match(line))
            .Where(match => match.Success)
            .Select(match => match.Groups["verb"].Value)
            .ToHashSet(StringComparer.Ordinal);
        var unknown = MakeCall().Matches(Repository.Read(page))
            .Select(match => match.Groups["verb"].Value)
            .Where(verb => !verbs.Contains(verb));
        Assert.Empty(unknown);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_MusterCommands_NameVerbsThatExist(string page)
    {
        var unknown = MusterCall().Matches(Repository.Read(page))
            .Select(match => match.Groups["verb"].Value)
            .Where(verb => !Cli.CommandVerbs.All.Contains(verb));
        Assert.Empty(unknown);
    }

    [Fact]
    public void ArchitecturePage_Projects_AreAllNamed()
    {
        var page = Repository.Read("ARCHITECTURE.md");
        IEnumerable<string> projects =
            Repository.Files(".csproj").Where(path => path.StartsWith("src/", StringComparison.Ordinal));
        Assert.All(projects, path => Assert.Contains(Path.GetDirectoryName(path)!, page, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^(?<verb>[a-z][a-z-]*):")]
    private static partial Regex Verb();

    [GeneratedRegex(@"^(\$ )?make (?<verb>[a-z][a-z-]*)", RegexOptions.Multiline)]
    private static partial Regex MakeCall();

    [GeneratedRegex(@"^(\$ )?\./muster (?<verb>[a-z]+)", RegexOptions.Multiline)]
    private static partial Regex MusterCall();
}
