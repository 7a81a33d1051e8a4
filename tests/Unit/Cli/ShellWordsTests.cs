// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Cli;
using Muster.Cli.Arguments;
using Xunit;

namespace Muster.Unit.Cli;

public class ShellWordsTests
{
    [Theory]
    [InlineData("sha256sum {}", "sha256sum|{}")]
    [InlineData("  a \t b\n", "a|b")]
    [InlineData("a 'b c' \"d e\"", "a|b c|d e")]
    [InlineData("a'b'\"c\"d", "abcd")]
    [InlineData("'' x", "|x")]
    [InlineData("a\\ b \\'", "a b|'")]
    [InlineData("\"\\\" \\$x \\a\"", "\" $x \\a")]
    [InlineData("'\\'", "\\")]
    [InlineData("echo $HOME *.c | wc; ls > x && y", "echo|$HOME|*.c|||wc;|ls|>|x|&&|y")]
    public void Split_Line_GivesTheWordsOfAShell(string line, string words)
    {
        // A bar stands between words here, so a word that is a bar looks like two more of them.
        Assert.Equal(words, string.Join('|', ShellWords.Split(line)));
    }

    [Theory]
    [InlineData("a 'b")]
    [InlineData("a \"b")]
    [InlineData("a \\")]
    public void Split_Unclosed_SaysWhichLine(string line)
    {
        var problem = Assert.Throws<UsageException>(() => ShellWords.Split(line));

        Assert.Contains(line, problem.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Awkward =>
        ["plain", "it's", "a b", "$(rm -rf x)", "`x`", "\"", "\\", "", "*", "''"];

    [Theory]
    [MemberData(nameof(Awkward))]
    public void Quote_AnyText_IsOneWordThatReadsBack(string text)
    {
        Assert.Equal(new List<string> { text }, ShellWords.Split(ShellWords.Quote(text)));
    }
}
