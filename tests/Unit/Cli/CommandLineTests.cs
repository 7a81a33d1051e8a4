// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Muster.Cli;
using Muster.Cli.Output;
using Xunit;

namespace Muster.Unit.Cli;

public class CommandLineTests
{
    [Theory]
    [InlineData("no-such-verb")]
    [InlineData("map")]
    [InlineData("map|x {}|--cell")]
    [InlineData("submit")]
    [InlineData("submit|--handler|h|--payload|a|--payload-file|b")]
    [InlineData("submit|--handler|h|ls")]
    [InlineData("tasks|not-hex")]
    [InlineData("tasks|--state|lost")]
    [InlineData("tasks|-o|xml")]
    [InlineData("tasks|--cell|Bad Name")]
    [InlineData("tasks|--cell|a|--address|unix:/x")]
    [InlineData("map|--timeout|soon|x|:::|a")]
    [InlineData("map|--retries|-1|x|:::|a")]
    [InlineData("map|--slots|0|x|:::|a")]
    [InlineData("map|'x|:::|a")]
    [InlineData("map|-a|f|x|:::|a")]
    [InlineData("tasks|:::|a")]
    [InlineData("map|--output-bytes-max|3M|x|:::|a")]
    [InlineData("cancel")]
    [InlineData("map|--keep|x|:::|a")]
    [InlineData("submit|--wiat|--|x")]
    [InlineData("map|--priority|x|y|:::|a")]
    [InlineData("up|--tasks-max|5")]
    [InlineData("register|--workers-max|15")]
    [InlineData("up|--workers-max|65536")]
    [InlineData("up|--payload-bytes-max|1K")]
    public async Task Run_WrongUsage_Is2AndOneLine(string line)
    {
        var (exit, _, error) = await RunAsync(line.Split('|'));

        Assert.Equal(2, exit);
        Assert.StartsWith("muster: USAGE: ", error, StringComparison.Ordinal);
        Assert.Equal(1, error.Count(letter => letter == '\n'));
        Assert.Contains("--help", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tasks|--cell|there-is-none", "UNAVAILABLE", 69)]
    [InlineData("workers|--address|unix:/tmp/there-is-none.sock", "UNAVAILABLE", 69)]
    [InlineData("workers|--address|nonsense", "ADDRESS_INVALID", 65)]
    [InlineData("arena|inspect|--cell|there-is-none", "ARENA_MISSING", 65)]
    [InlineData("top|--once|--cell|there-is-none", "ARENA_MISSING", 65)]
    [InlineData("up|--bind|0.0.0.0:1", "BIND_REFUSED", 65)]
    [InlineData("plm|--bind|10.0.0.1:1", "BIND_REFUSED", 65)]
    [InlineData("cancel|1|--cell|there-is-none", "UNAVAILABLE", 69)]
    [InlineData("map|x|--cell|there-is-none|:::|a", "UNAVAILABLE", 69)]
    public async Task Run_Refused_SaysItsCodeInOneLine(string line, string code, int expected)
    {
        var (exit, _, error) = await RunAsync(line.Split('|'));

        Assert.Equal(expected, exit);
        Assert.StartsWith($"muster: {code}: ", error, StringComparison.Ordinal);
        Assert.Equal(1, error.Count(letter => letter == '\n'));
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("map|--priority|x|y|:::|a", "'x' is no whole number for --priority; see 'muster map --help'")]
    [InlineData(
        "tasks|-o|xml", "Argument 'xml' not recognized. Must be one of: 'text', 'json'; see 'muster tasks --help'")]
    [InlineData("journal|cat|--kind|x", "'x' is no whole number for --kind; see 'muster journal cat --help'")]
    [InlineData("frobnicate", "Unrecognized command or argument 'frobnicate'; see 'muster --help'")]
    [InlineData("map|--keep|x|:::|a", "unknown option '--keep'; see 'muster map --help'")]
    [InlineData("plm|--workers-max|0", "--workers-max is 16 to 65535; see 'muster plm --help'")]
    [InlineData("up|--tasks-max|5", "--tasks-max is 1024 to 134217728; see 'muster up --help'")]
    public async Task Run_WrongUsage_SaysWhatInWordsOfTheCommandLine(string line, string expected)
    {
        var (_, _, error) = await RunAsync(line.Split('|'));

        Assert.Equal($"muster: USAGE: {expected}\n", error);
    }

    [Fact]
    public async Task Version_AsJson_IsStable()
    {
        var (exit, output, _) = await RunAsync("version", "-o", "json");

        Assert.Equal(0, exit);
        Assert.StartsWith("{\"version\":\"", output, StringComparison.Ordinal);
        Assert.Contains("\"wire_version\":1", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_CannotBeWritten_IsALineAndAnExitCode()
    {
        var error = new StringWriter();
        int exit;
        using (var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0))
        using (var terminal = new Terminal(full, error, false, false))
        {
            exit = await CommandLine.RunAsync(["version"], terminal);
        }

        Assert.Equal(65, exit);
        Assert.StartsWith("muster: IO_FAILED: ", error.ToString(), StringComparison.Ordinal);
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var output = new MemoryStream();
        var error = new StringWriter();
        using var terminal = new Terminal(output, error, false, false);
        var exit = await CommandLine.RunAsync(arguments, terminal);
        terminal.Flush();
        return (exit, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
