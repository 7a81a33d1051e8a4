// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Google.Protobuf;
using Muster.Core;
using Muster.Worker.Commands;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>Real programs: what they get, what they give, and how mistakes are told apart.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly CommandReactor _reactor = new(new CommandIsolation(new MusterCommandOptions()));
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-commands-").FullName;

    public void Dispose()
    {
        _reactor.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(42)]
    [InlineData(255)]
    public async Task Command_ThatExits_TellsItsCode(int code)
    {
        var result = await RunAsync(CommandRun.Shell($"exit {code}"));
        Assert.Equal(code, result.ExitCode);
        Assert.Equal(0, result.Signal);
    }

    [Fact]
    public async Task Command_ThatKillsItself_TellsTheSignal()
    {
        var result = await RunAsync(CommandRun.Shell("kill -USR1 $$"));
        Assert.Equal(10, result.Signal);
    }

    [Fact]
    public async Task Command_WithOutput_GivesBothStreamsApart()
    {
        var result = await RunAsync(CommandRun.Shell("echo out; echo err >&2"));
        Assert.Equal("out\n", result.Stdout.ToStringUtf8());
        Assert.Equal("err\n", result.Stderr.ToStringUtf8());
        Assert.False(result.StdoutCut);
        Assert.False(result.StderrCut);
    }

    [Fact]
    public async Task Command_WithArguments_GetsThemAsTheyAre()
    {
        var result = await RunAsync(CommandRun.Of("printf", "[%s]", "a b", "$HOME", "*", "", "ü;|&"));
        Assert.Equal("[a b][$HOME][*][][ü;|&]", result.Stdout.ToStringUtf8());
    }

    [Fact]
    public async Task Shell_WithFurtherArguments_NumbersThemFromZero()
    {
        var result = await RunAsync(CommandRun.Shell("echo $0 $1 $2", "zero", "one", "two"));
        Assert.Equal("zero one two\n", result.Stdout.ToStringUtf8());
    }

    [Fact]
    public async Task Command_WithInput_ReadsItToItsEnd()
    {
        var input = new byte[3_000_000];
        new Random(1).NextBytes(input);
        var command = CommandRun.Of("sha256sum");
        command.Stdin = ByteString.CopyFrom(input);
        var result = await RunAsync(command);
        var expected = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(input));
        Assert.StartsWith(expected, result.Stdout.ToStringUtf8(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_WithInputThatItDoesNotRead_EndsAllTheSame()
    {
        var command = CommandRun.Of("true");
        command.Stdin = ByteString.CopyFrom(new byte[1_000_000]);
        Assert.Equal(0, (await RunAsync(command)).ExitCode);
    }

    [Fact]
    public async Task Command_WithoutInput_ReadsTheEndAtOnce()
    {
        var result = await RunAsync(CommandRun.Of("wc", "-c"));
        Assert.Equal("0", result.Stdout.ToStringUtf8().Trim());
    }

    [Fact]
    public async Task Command_WithOutputOverTheLimit_IsCutAndFlagged()
    {
        var command = CommandRun.Shell("head -c 100000 /dev/zero; head -c 10 /dev/zero >&2");
        command.OutputBytesMax = 1_000;
        var result = await RunAsync(command);
        Assert.Equal(1_000, result.Stdout.Length);
        Assert.True(result.StdoutCut);
        Assert.Equal(10, result.Stderr.Length);
        Assert.False(result.StderrCut);
        Assert.Equal(0, result.ExitCode);
    }

    [Fact]
    public async Task Command_WithTenMegabytesOnBothStreams_IsReadWithoutStalling()
    {
        var script = "for i in $(seq 160); do head -c 65536 /dev/zero; head -c 65536 /dev/zero >&2; done";
        var command = CommandRun.Shell(script);
        command.OutputBytesMax = 64 * 1024 * 1024;
        var result = await RunAsync(command);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(Muster.Worker.WorkerLimits.CommandOutputBytesMax, result.Stdout.Length);
        Assert.Equal(Muster.Worker.WorkerLimits.CommandOutputBytesMax, result.Stderr.Length);
        Assert.True(result.StdoutCut && result.StderrCut);
    }

    [Fact]
    public async Task Command_WithEnvironment_GetsItOverTheWorkersOwn()
    {
        var command = CommandRun.Shell("echo \"$MUSTER_TEST|$HOME|$EMPTY|${EMPTY+set}\"");
        command.Env["MUSTER_TEST"] = "a=b c";
        command.Env["HOME"] = "/elsewhere";
        command.Env["EMPTY"] = "";
        var result = await RunAsync(command);
        Assert.Equal("a=b c|/elsewhere||set\n", result.Stdout.ToStringUtf8());
        Assert.Equal(
            Environment.GetEnvironmentVariable("PATH") + "\n",
            (await RunAsync(CommandRun.Shell("echo $PATH"))).Stdout.ToStringUtf8());
    }

    [Fact]
    public async Task Command_WithFolder_RunsThere()
    {
        var command = CommandRun.Of("pwd");
        command.Cwd = _folder;
        Assert.Equal(_folder + "\n", (await RunAsync(command)).Stdout.ToStringUtf8());
    }

    [Fact]
    public async Task Command_WithRelativeProgram_IsFoundInItsFolder()
    {
        MakeScript("tool", "#!/bin/sh\necho here\n");
        var command = CommandRun.Of("./tool");
        command.Cwd = _folder;
        Assert.Equal("here\n", (await RunAsync(command)).Stdout.ToStringUtf8());
    }

    [Fact]
    public async Task Command_WithOwnPath_IsLookedUpThere()
    {
        MakeScript("muster-only-here", "#!/bin/sh\necho found\n");
        var command = CommandRun.Of("muster-only-here");
        Assert.Equal(FaultCode.CommandNotFound, CommandRun.Start(_reactor, command).Fault.Code);
        command.Env["PATH"] = "/bin:" + _folder;
        Assert.Equal("found\n", (await RunAsync(command)).Stdout.ToStringUtf8());
    }

    [Fact]
    public void Command_ThatDoesNotExist_IsNotFound()
    {
        Refused(FaultCode.CommandNotFound, CommandRun.Of("no-such-program-anywhere"));
        Refused(FaultCode.CommandNotFound, CommandRun.Of("/no/such/program"));
        Refused(FaultCode.CommandNotFound, CommandRun.Of("/etc/passwd/x"));
    }

    [Fact]
    public void Command_ThatIsNoProgram_IsNotExecutable()
    {
        File.WriteAllText(Path.Combine(_folder, "text"), "hello");
        MakeScript("bad-interpreter", "#!/no/such/interpreter\n");
        MakeScript("no-format", "hello");
        Refused(FaultCode.CommandNotExecutable, CommandRun.Of(Path.Combine(_folder, "text")));
        Refused(FaultCode.CommandNotExecutable, CommandRun.Of(_folder));
        Refused(FaultCode.CommandNotExecutable, CommandRun.Of(Path.Combine(_folder, "bad-interpreter")));
        Refused(FaultCode.CommandNotExecutable, CommandRun.Of(Path.Combine(_folder, "no-format")));
        var inPath = CommandRun.Of("text");
        inPath.Env["PATH"] = _folder;
        Refused(FaultCode.CommandNotExecutable, inPath);
    }

    [Fact]
    public void Command_WhoseFolderIsMissing_SaysSo()
    {
        var command = CommandRun.Of("true");
        command.Cwd = Path.Combine(_folder, "missing");
        Refused(FaultCode.CommandFolderMissing, command);
        command.Cwd = "/etc/passwd";
        Refused(FaultCode.CommandFolderMissing, command);
        var neither = CommandRun.Of("no-such-program-anywhere");
        neither.Cwd = Path.Combine(_folder, "missing");
        Refused(FaultCode.CommandFolderMissing, neither);
    }

    [Fact]
    public void Command_ThatIsMalformed_IsInvalid()
    {
        Refused(FaultCode.CommandInvalid, new V1.Command());
        Refused(FaultCode.CommandInvalid, CommandRun.Of(""));
        Refused(FaultCode.CommandInvalid, CommandRun.Of("echo", "a\0b"));
        Refused(FaultCode.CommandInvalid, CommandRun.Of([.. Enumerable.Repeat("x", 4_097)]));
        Refused(FaultCode.CommandInvalid, CommandRun.Of("echo", new string('x', 3_000_000)));
        var environment = CommandRun.Of("true");
        environment.Env["A=B"] = "c";
        Refused(FaultCode.CommandInvalid, environment);
        var fault = CommandRequest.Parse([0x0a, 0xff], WorkerEnvironment.Own(), 10, out _);
        Assert.Equal(FaultCode.CommandInvalid, fault.Code);
    }

    [Fact]
    public async Task Command_Always_HasFreshSignalsAndNoForeignDescriptors()
    {
        using var foreign = File.OpenHandle("/dev/null");
        var script = "ls /proc/self/fd | wc -l; grep -E 'SigBlk|SigIgn' /proc/self/status";
        var result = await RunAsync(CommandRun.Shell(script));

        // 0, 1, 2 and the one with which ls reads the folder.
        var lines = result.Stdout.ToStringUtf8().Split('\n');
        Assert.Equal("4", lines[0].Trim());
        Assert.EndsWith("0000000000000000", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("0000000000000000", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_Always_LeadsItsOwnSession()
    {
        var result = await RunAsync(CommandRun.Shell("cut -d' ' -f1,5,6 /proc/$$/stat"));
        var ids = result.Stdout.ToStringUtf8().Trim().Split(' ');
        Assert.Equal(ids[0], ids[1]);
        Assert.Equal(ids[0], ids[2]);
    }

    private async Task<V1.CommandResult> RunAsync(V1.Command command) =>
        await CommandRun.Start(_reactor, command).ResultAsync();

    private void Refused(FaultCode expected, V1.Command command)
    {
        var fault = CommandRun.Start(_reactor, command).Fault;
        Assert.Equal(expected, fault.Code);
        Assert.NotEmpty(fault.Message);
    }

    private void MakeScript(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
