// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Xml.Linq;
using Xunit;

namespace Muster.Tidy;

/// <summary>References point down, siblings never see each other, and only the arena has unsafe code.</summary>
public class LayerTests
{
    private static readonly Dictionary<string, (int Layer, string[] May)> s_table = ReadTable();

    public static TheoryData<string> Projects => new(
        Repository.Files(".csproj").Where(path => path.StartsWith("src/", StringComparison.Ordinal)));

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_References_AreThoseOfTheLayerTable(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        Assert.True(s_table.ContainsKey(name), $"{name} is not in eng/layers.txt");
        var (layer, may) = s_table[name];
        foreach (var reference in References(project))
        {
            Assert.True(may.Contains(reference), $"{name} may not reference {reference}; see eng/layers.txt");
            Assert.True(s_table[reference].Layer < layer, $"{name} references {reference}, which is not below it");
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_UnsafeCode_IsInTheArenaAlone(string project)
    {
        var isAllowed = XDocument.Parse(Repository.Read(project)).Descendants("AllowUnsafeBlocks")
            .Any(element => element.Value == "true");
        Assert.Equal(Path.GetFileNameWithoutExtension(project) == "Arena", isAllowed);
    }

    [Theory]
    [InlineData("Core")]
    [InlineData("Journal")]
    [InlineData("Plm")]
    [InlineData("Scheduler")]
    [InlineData("Register")]
    public void Core_Project_BansClocksThreadsAndFiles(string name) =>
        Assert.Contains("banned-core.txt", Repository.Read($"src/{name}/{name}.csproj"), StringComparison.Ordinal);

    [Fact]
    public void ClientPackage_Dependencies_AreProtobufAlone()
    {
        var packages = Packages("src/Core/Core.csproj")
            .Concat(Packages("src/Transport/Transport.csproj"))
            .Concat(Packages("src/Client/Client.csproj"))
            .Distinct();
        Assert.Equal(["Google.Protobuf"], packages);
    }

    private static IEnumerable<string> Packages(string project) =>
        XDocument.Parse(Repository.Read(project)).Descendants("PackageReference")
            .Where(element => element.Attribute("PrivateAssets")?.Value != "all")
            .Select(element => element.Attribute("Include")!.Value);

    private static IEnumerable<string> References(string project) =>
        XDocument.Parse(Repository.Read(project)).Descendants("ProjectReference")
            .Select(element => Path.GetFileNameWithoutExtension(element.Attribute("Include")!.Value));

    private static Dictionary<string, (int Layer, string[] May)> ReadTable() =>
        Repository.Lines("eng/layers.txt")
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split([' ', ':'], StringSplitOptions.RemoveEmptyEntries))
            .ToDictionary(
                words => words[1],
                words => (int.Parse(words[0], null), words[2..]),
                StringComparer.Ordinal);
}
