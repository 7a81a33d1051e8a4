// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Linq;
using System.Text;
using Google.Protobuf;
using Muster.Cli;
using Muster.Cli.Output;
using Muster.Client.Sessions;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Cli;

public class OutputTests
{
    private readonly MemoryStream _output = new();
    private readonly StringWriter _error = new();

    [Theory]
    [InlineData("plain text \u00e4\u20ac", "plain text \u00e4\u20ac")]
    [InlineData("\u001b]0;title\u0007", "^[]0;title^G")]
    [InlineData("a\rb\nc", "a^Mb^Jc")]
    [InlineData("\u009b31m", "\\u009b31m")]
    [InlineData("abc\u202efdp.exe", "abc\\u202efdp.exe")]
    public void Clean_ControlCharacters_BecomeVisible(string text, string expected) =>
        Assert.Equal(expected, ShownText.Clean(text));

    [Fact]
    public void Clean_KeepingLines_LeavesLineFeedsAndTabs() =>
        Assert.Equal("a\n\tb^[", ShownText.Clean("a\n\tb\u001b", keepLines: true));

    [Fact]
    public void Output_ToAPipe_IsExactlyWhatTheTaskWrote()
    {
        using var terminal = new Terminal(_output, _error, false, false);

        terminal.Output([0x1b, 0x5b, 0xff, 0x00, 0x0a]);
        terminal.Flush();

        Assert.Equal([0x1b, 0x5b, 0xff, 0x00, 0x0a], _output.ToArray());
    }

    [Fact]
    public void Output_ToATerminal_CannotMoveTheCursor()
    {
        using var terminal = new Terminal(_output, _error, true, true);

        terminal.Output("\u001b[2Jgone\n"u8);

        Assert.Equal("^[[2Jgone\n", Encoding.UTF8.GetString(_output.ToArray()));
    }

    [Fact]
    public void Problem_AnyText_IsOneLineWithItsCode()
    {
        using var terminal = new Terminal(_output, _error, false, false);

        terminal.Problem("TASK_NOT_FOUND", "no task\nsudo \u001b[8m");

        Assert.Equal("muster: TASK_NOT_FOUND: no task^Jsudo ^[[8m\n", _error.ToString());
    }

    [Fact]
    public void Status_OnATerminal_IsErasedAroundOtherLines()
    {
        using var terminal = new Terminal(_output, _error, true, true) { StatusLine = () => "50%" };
        terminal.Redraw();

        terminal.Note("hello");

        Assert.Equal("\r\u001b[K50%\r\u001b[Kmuster: hello\n50%", _error.ToString());
    }

    [Theory]
    [InlineData(0, 0, 10, 1.0, "[                        ] 0/10 0.0/s")]
    [InlineData(5, 1, 10, 1.0, "[############            ] 5/10 5.0/s 0:00:01 left, 1 failed")]
    [InlineData(10, 0, 10, 2.0, "[########################] 10/10 5.0/s")]
    [InlineData(7, 0, -1, 2.0, "7 3.5/s")]
    public void Progress_Line_ShowsBarRateAndTimeLeft(
        long done, long failed, long total, double seconds, string line) =>
        Assert.Equal(line, ProgressMeter.Describe(done, failed, total, TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Table_InAPipe_IsAlignedAndPlain()
    {
        var table = new TextTable("ID", "WHY");
        table.Add("1", "a\u001b[31m");
        table.Add("22", "");

        Assert.Equal(["ID  WHY", "1   a^[[31m", "22"], table.Plain());
    }

    [Fact]
    public void Table_OnATerminal_HoldsNoControlCharactersOfOthers()
    {
        var table = new TextTable("NAME");
        table.Add("[red]x[/]\u001b]0;owned\u0007");

        var text = table.Styled(width: 80);

        Assert.Contains("[red]x[/]^[]0;owned^G", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\u0007', text);
    }

    [Fact]
    public void Results_AsJson_AreOneObjectALine()
    {
        using var terminal = new Terminal(_output, _error, false, false);
        var results = new TaskResultOutput(terminal, isJson: true);

        results.Print(CommandTask("muster.command", 3, "out", "err"), "in put", 4);
        terminal.Flush();

        Assert.Equal(
            "{\"index\":4,\"input\":\"in put\",\"id\":\"0000000000000007\","
            + "\"outcome\":\"failed\",\"code\":\"COMMAND_EXITED\","
            + "\"message\":\"exit code 3\",\"executions\":2,\"ran_us\":0,"
            + "\"exit_code\":3,\"signal\":0,\"stdout\":\"out\","
            + "\"stderr\":\"err\",\"stdout_cut\":false,\"stderr_cut\":false}\n",
            Encoding.UTF8.GetString(_output.ToArray()));
        Assert.Equal("", _error.ToString());
        Assert.Equal(1, results.FailedCount);
    }

    [Fact]
    public void Results_AsText_PassOutputThroughAndNameTheFailure()
    {
        using var terminal = new Terminal(_output, _error, false, false);
        var results = new TaskResultOutput(terminal, isJson: false);

        results.Print(CommandTask("muster.command", 3, "out\n", "err\n"), "x", 0);
        terminal.Flush();

        Assert.Equal("out\n", Encoding.UTF8.GetString(_output.ToArray()));
        Assert.Equal(
            "err\nmuster: COMMAND_EXITED: exit code 3 (input 'x') (it was started 2 times)\n", _error.ToString());
    }

    [Fact]
    public void Results_VeryManyFailures_AreCountedButNotAllShown()
    {
        using var terminal = new Terminal(_output, _error, false, false);
        var results = new TaskResultOutput(terminal, isJson: false);

        for (var n = 0; n < 500; n++)
        {
            results.Print(CommandTask("muster.command", 1, "", ""), "x", n);
        }

        Assert.Equal(500, results.FailedCount);
        Assert.Equal(TaskResultOutput.ProblemsMax + 1, _error.ToString().Count(letter => letter == '\n'));
    }

    [Fact]
    public void Results_VeryLongInput_IsCutInTheMessage()
    {
        using var terminal = new Terminal(_output, _error, false, false);
        var results = new TaskResultOutput(terminal, isJson: false);

        results.Print(CommandTask("muster.command", 1, "", ""), new string('x', 4_000_000), 0);

        Assert.True(_error.ToString().Length < 400);
        Assert.Contains("x...', 4000000 characters)", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(100, 100)]
    [InlineData(101, 101)]
    [InlineData(5_000_000_000, 101)]
    public void ExitCode_Failures_AreCountedUpToAHundred(long failed, int code) =>
        Assert.Equal(code, ExitCodes.OfFailures(failed));

    [Theory]
    [InlineData("UNAVAILABLE", 69)]
    [InlineData("DEADLINE_EXCEEDED", 69)]
    [InlineData("TASK_NOT_FOUND", 65)]
    [InlineData("BIND_REFUSED", 65)]
    [InlineData("INTERNAL", 70)]
    public void ExitCode_Code_IsMapped(string code, int exit) => Assert.Equal(exit, ExitCodes.Of(code));

    private static TestOutcome CommandTask(string handler, int exit, string output, string error)
    {
        var result = new V1.CommandResult
        {
            ExitCode = exit,
            Stdout = ByteString.CopyFromUtf8(output),
            Stderr = ByteString.CopyFromUtf8(error),
        };
        return new(EncodedTaskOptions.Create(handler, SubmitOptions.Default))
        {
            Id = new(7),
            Outcome = Outcome.Failed,
            Error = new("COMMAND_EXITED", $"exit code {exit}"),
            Executions = 2,
            Output = result.ToByteArray(),
        };
    }

    private sealed class TestOutcome(EncodedTaskOptions options) : PendingTask(options, default)
    {
        public override void OnEnded()
        {
        }
    }
}
