// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Muster.Core;
using Xunit;

namespace Muster.Tidy;

/// <summary>The public faces: protocol, packages, errors. A change of any shows as a change of a reviewed
/// file.</summary>
public partial class ContractTests
{
    [Fact]
    public void Protocol_Fields_MatchTheSnapshot()
    {
        var text = new StringBuilder();
        foreach (
            var path in Repository.Files(".proto").Where(p => p.StartsWith("proto/muster/", StringComparison.Ordinal)))
        {
            text.Append(path).Append('\n');
            AppendDeclarations(text, Repository.Lines(path));
        }

        Snapshot.Matches("tests/Tidy/snapshots/protocol.txt", text.ToString());
    }

    [Theory]
    [InlineData(typeof(Outcome), "Core")]
    [InlineData(typeof(MusterClient), "Client")]
    [InlineData(typeof(MusterWorkerOptions), "Worker")]
    public void Package_PublicApi_MatchesTheSnapshot(Type member, string package) =>
        Snapshot.Matches($"tests/Tidy/snapshots/api-{package}.txt", PublicApi.Describe(member.Assembly));

    [Fact]
    public void FaultCodes_EachOne_IsDocumented()
    {
        var page = Repository.Read("docs/errors/README.md");
        var missing = Enum.GetValues<FaultCode>()
            .Where(code => code != FaultCode.None)
            .Select(FaultCodes.Name)
            .Where(name => !page.Contains($"`{name}`", StringComparison.Ordinal));
        Assert.Empty(missing);
    }

    [Fact]
    public void Dependencies_EachPackage_IsListedWithItsVersion()
    {
        var page = Repository.Read("docs/DEPENDENCIES.md");
        foreach (Match match in PackageVersion().Matches(Repository.Read("Directory.Packages.props")))
        {
            Assert.Matches(
                $@"{Regex.Escape(match.Groups["name"].Value)}.*{Regex.Escape(match.Groups["version"].Value)}", page);
        }
    }

    /// <summary>Comments and layout are free to change; declarations are not.</summary>
    private static void AppendDeclarations(StringBuilder text, IEnumerable<string> lines)
    {
        var scope = new Stack<string>();
        foreach (var line in lines.Select(line => line.Trim()))
        {
            if (line.StartsWith("//", StringComparison.Ordinal) || line.Length == 0)
            {
                continue;
            }

            if (line.EndsWith('{'))
            {
                scope.Push(line[..^1].Trim());
            }
            else if (line == "}")
            {
                scope.Pop();
            }
            else if (scope.Count > 0)
            {
                text.Append("  ").Append(string.Join(" / ", scope.Reverse())).Append(": ").Append(line).Append('\n');
            }
        }
    }

    [GeneratedRegex("""PackageVersion Include="(?<name>[^"]+)" Version="\[(?<version>[^"\]]+)\]" """)]
    private static partial Regex PackageVersion();
}
