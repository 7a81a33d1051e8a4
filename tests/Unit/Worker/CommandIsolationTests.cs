// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Muster.Core;
using Muster.Worker;
using Muster.Worker.Commands;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>What a command is held to: environment, privileges, limits, folder, secrets.</summary>
public sealed class CommandIsolationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-isolation-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Environment_ByDefault_HoldsNothingButTheList()
    {
        Environment.SetEnvironmentVariable("MUSTER_TEST_CANARY", "canary");
        var names = (await RunAsync(new MusterCommandOptions(), "env"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=')[0]).ToList();
        Assert.Contains("PATH", names);
        Assert.DoesNotContain("MUSTER_TEST_CANARY", names);
        string[] allowed =
        [
            "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TERM",
            "PWD", "SHLVL", "_", "OLDPWD", "MUSTER_MARK",
        ];
        Assert.Empty(names.Except(allowed));
    }

    [Fact]
    public async Task Environment_AskedFor_IsPassedOrSet()
    {
        Environment.SetEnvironmentVariable("MUSTER_TEST_CANARY", "canary");
        var options = new MusterCommandOptions { Environment = ["MUSTER_TEST_CANARY", "COLOUR=blue=green", "ABSENT"] };
        Assert.Equal(
            "canary blue=green unset\n",
            await RunAsync(options, "echo $MUSTER_TEST_CANARY $COLOUR ${ABSENT-unset}"));
        var all = new MusterCommandOptions { Environment = ["*"] };
        Assert.Equal("canary\n", await RunAsync(all, "echo $MUSTER_TEST_CANARY"));
    }

    [Fact]
    public async Task Privileges_ByDefault_CannotBeGained()
    {
        var status = await RunAsync(new MusterCommandOptions(), "grep -E 'NoNewPrivs|CapBnd|CapEff' /proc/self/status");
        Assert.Contains("NoNewPrivs:\t1", status, StringComparison.Ordinal);
        if (Environment.UserName == "root")
        {
            Assert.Contains("CapBnd:\t0000000000000000", status, StringComparison.Ordinal);
            Assert.Contains("CapEff:\t0000000000000000", status, StringComparison.Ordinal);
        }

        var kept = await RunAsync(
            new MusterCommandOptions { KeepPrivileges = true }, "grep NoNewPrivs /proc/self/status");
        Assert.Contains("NoNewPrivs:\t0", kept, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_ByDefaultAndAskedFor_Hold()
    {
        var usual = await RunAsync(new MusterCommandOptions(), "echo $(ulimit -c) $(ulimit -n) $(umask)");
        Assert.Equal("0 1024 0077\n", usual);
        var options = new MusterCommandOptions { FileBytesMax = 4096, OpenFilesMax = 100 };
        Assert.Equal("100 4096\n", await RunAsync(
            options, "head -c 9999 /dev/zero > big; echo $(ulimit -n) $(stat -c %s big)"));
    }

    [Fact]
    public async Task Folder_OfACommandThatNamesNone_IsEmptyAndItsOwnAndRemoved()
    {
        var options = new MusterCommandOptions { Folder = Path.Combine(_folder, "work") };
        using (var reactor = new CommandReactor(new CommandIsolation(options)))
        {
            var seen = await RunAsync(reactor, "pwd; ls -A | wc -l; echo secret > left; mkdir -m 0 shut; chmod 0 .");
            var lines = seen.Split('\n');
            Assert.StartsWith(options.Folder, lines[0], StringComparison.Ordinal);
            Assert.Equal("0", lines[1].Trim());
            Assert.Equal("0", (await RunAsync(reactor, "ls -A | wc -l")).Trim());
        }

        Assert.Empty(Directory.GetFileSystemEntries(options.Folder));
    }

    [Fact]
    public async Task Folder_ReplacedByALink_IsRemovedAndTheTargetStays()
    {
        var precious = Path.Combine(_folder, "precious");
        Directory.CreateDirectory(precious);
        await File.WriteAllTextAsync(Path.Combine(precious, "file"), "kept");
        var options = new MusterCommandOptions { Folder = Path.Combine(_folder, "work") };
        using (var reactor = new CommandReactor(new CommandIsolation(options)))
        {
            await RunAsync(reactor, $"ln -s {precious} inside; d=$PWD; cd ..; mv $d $d.old; ln -s {precious} $d");
            Assert.Equal("0", (await RunAsync(reactor, "ls -A | wc -l")).Trim());
        }

        Assert.Equal("kept", await File.ReadAllTextAsync(Path.Combine(precious, "file")));
    }

    [Fact]
    public async Task Folder_OfACommandOfTheSubmitter_IsTheWorkersOwnWithItsEnvironment()
    {
        Environment.SetEnvironmentVariable("MUSTER_TEST_CANARY", "canary");
        var options = new MusterCommandOptions { IsSubmitters = true };
        Assert.Equal(
            $"{Environment.CurrentDirectory} canary\n", await RunAsync(options, "echo $PWD $MUSTER_TEST_CANARY"));
    }

    [Fact]
    public void Folder_OfAnotherOwnerOrOpenToAll_IsRefused()
    {
        var open = Path.Combine(_folder, "open");
        Directory.CreateDirectory(open);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(open, (UnixFileMode)0x1FF);
        }

        Assert.Throws<IOException>(() => new CommandIsolation(new MusterCommandOptions { Folder = open }));
        var link = Path.Combine(_folder, "link");
        File.CreateSymbolicLink(link, _folder);
        Assert.Throws<IOException>(() => new CommandIsolation(new MusterCommandOptions { Folder = link }));
    }

    [Fact]
    public void User_UnknownOrRoot_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new CommandIsolation(new MusterCommandOptions { User = "no-such-one" }));
        Assert.Throws<ArgumentException>(() => new CommandIsolation(new MusterCommandOptions { User = "root" }));
    }

    [Fact]
    public async Task User_Given_IsWhoCommandsRunAs()
    {
        if (Environment.UserName != "root")
        {
            // Only root may become somebody else, and must say so here.
            Assert.Throws<ArgumentException>(() => new CommandIsolation(new MusterCommandOptions { User = "nobody" }));
            return;
        }

        var options = new MusterCommandOptions { User = "nobody" };
        Assert.Equal("nobody nobody yes\n", await RunAsync(
            options, "touch mine && echo $(id -un) $USER $(test -r /etc/shadow && echo no || echo yes)"));
    }

    [Fact]
    public async Task Secret_ByReference_IsFoundAtTheWorkerAlone()
    {
        WriteSecret("token", "s3cr3t\n", (UnixFileMode)0x180);
        WriteSecret("open", "x", (UnixFileMode)0x1A4);
        Environment.SetEnvironmentVariable("MUSTER_SECRET_other", "from-variable");
        var options = new MusterCommandOptions { SecretsFolder = _folder };
        using var reactor = new CommandReactor(new CommandIsolation(options));
        var environment = new WorkerEnvironment(
            Environment.GetEnvironmentVariables(), ["*"], new SecretValues(_folder));

        var command = CommandRun.Shell("echo $A $B ${MUSTER_SECRET_other-hidden}");
        command.Env["A"] = "secret:token";
        command.Env["B"] = "secret:other";
        var result = await CommandRun.Start(reactor, command, environment).ResultAsync();
        Assert.Equal("s3cr3t from-variable hidden\n", result.Stdout.ToStringUtf8());

        foreach (var reference in (string[])["secret:open", "secret:absent", "secret:../token", "secret:", "secret:.x"])
        {
            command.Env["A"] = reference;
            var fault = CommandRun.Start(reactor, command, environment).Fault;
            Assert.Equal(FaultCode.SecretUnavailable, fault.Code);
            Assert.DoesNotContain("s3cr3t", fault.Message, StringComparison.Ordinal);
        }
    }

    private static async Task<string> RunAsync(MusterCommandOptions options, string script)
    {
        var isolation = new CommandIsolation(options);
        using var reactor = new CommandReactor(isolation);
        var result = await CommandRun.Start(reactor, CommandRun.Shell(script), isolation.Environment).ResultAsync();
        return result.Stdout.ToStringUtf8();
    }

    private static async Task<string> RunAsync(CommandReactor reactor, string script) =>
        (await CommandRun.Start(reactor, CommandRun.Shell(script)).ResultAsync()).Stdout.ToStringUtf8();

    private void WriteSecret(string name, string value, UnixFileMode mode)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, value);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }
}
