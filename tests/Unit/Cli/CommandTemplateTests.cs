// SPDX-License-Identifier: Apache-2.0
using Muster.Cli;
using Muster.Cli.Arguments;
using Xunit;

namespace Muster.Unit.Cli;

public class CommandTemplateTests
{
    [Theory]
    [InlineData("x {}", "x|/a/b.tar.gz")]
    [InlineData("x {.}", "x|/a/b.tar")]
    [InlineData("x {/}", "x|b.tar.gz")]
    [InlineData("x {//}", "x|/a")]
    [InlineData("x {/.}", "x|b.tar")]
    [InlineData("x {#}", "x|7")]
    [InlineData("x", "x|/a/b.tar.gz")]
    [InlineData("x --in={} --out={.}.png", "x|--in=/a/b.tar.gz|--out=/a/b.tar.png")]
    [InlineData("x {unknown} {", "x|{unknown}|{|/a/b.tar.gz")]
    [InlineData("{/} '{} {}'", "b.tar.gz|/a/b.tar.gz /a/b.tar.gz")]
    public void Fill_Place_IsReplaced(string command, string expected)
    {
        var template = CommandTemplate.Parse([command], shell: false);

        Assert.Equal(expected, string.Join('|', template.Fill("/a/b.tar.gz", 7)));
    }

    [Theory]
    [InlineData("name", ".", "name")]
    [InlineData("/top", "/", "/top")]
    [InlineData("a/.hidden", "a", "a/.hidden")]
    public void Fill_PathsWithoutFolderOrExtension_StayWhole(string input, string folder, string withoutExtension)
    {
        var template = CommandTemplate.Parse(["x {//} {.}"], shell: false);

        Assert.Equal(["x", folder, withoutExtension], template.Fill(input, 1));
    }

    [Fact]
    public void Fill_InputWithBlanksAndQuotes_StaysOneWordWithoutAShell()
    {
        var template = CommandTemplate.Parse(["wc -c {}"], shell: false);

        Assert.Equal(["wc", "-c", "it's; rm -rf $x {.}"], template.Fill("it's; rm -rf $x {.}", 1));
    }

    [Fact]
    public void Fill_ForAShell_QuotesTheInput()
    {
        var template = CommandTemplate.Parse(["cat {} | wc -c"], shell: true);

        Assert.Equal(["cat 'it'\\''s; rm $x' | wc -c"], template.Fill("it's; rm $x", 1));
        Assert.True(template.IsShell);
    }

    [Fact]
    public void Parse_SeveralWords_AreTakenAsTheyAre()
    {
        var template = CommandTemplate.Parse(["printf", "%s %s", "{}"], shell: false);

        Assert.Equal(["printf", "%s %s", "v"], template.Fill("v", 1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    public void Parse_Nothing_IsRefused(string command)
    {
        Assert.Throws<UsageException>(() => CommandTemplate.Parse([command], shell: false));
        Assert.Throws<UsageException>(() => CommandTemplate.Parse([command], shell: true));
    }
}
