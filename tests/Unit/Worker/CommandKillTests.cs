// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Muster.Worker;
using Muster.Worker.Commands;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>Real programs that must end: whole groups, stubborn ones, and what is left behind by them.</summary>
public sealed class CommandKillTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly CommandReactor _reactor = new(new CommandIsolation(new MusterCommandOptions()));
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-kill-").FullName;

    public void Dispose()
    {
        _reactor.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Stop_OfARunningCommand_EndsItBySigterm()
    {
        var run = CommandRun.Start(_reactor, CommandRun.Of("sleep", "1000"));
        _reactor.Stop(run.Child!);
        Assert.Equal(15, (await run.ResultAsync()).Signal);
    }

    [Fact]
    public async Task Stop_OfACommandThatIgnoresSigterm_EndsItBySigkillAfterTheGrace()
    {
        var run = CommandRun.Start(
            _reactor, CommandRun.Shell("trap '' TERM; echo up > $0; while :; do read x < /dev/zero; done", Flag("up")));
        await AppearedAsync("up");
        var watch = Stopwatch.StartNew();
        _reactor.Stop(run.Child!);
        Assert.Equal(9, (await run.ResultAsync()).Signal);
        Assert.InRange(watch.ElapsedMilliseconds, WorkerLimits.CommandKillGraceMs - 50, 10_000);
    }

    [Fact]
    public async Task Stop_OfAStoppedCommand_EndsIt()
    {
        var script = "echo up > $0; kill -STOP $$; exec sleep 1000";
        var run = CommandRun.Start(_reactor, CommandRun.Shell(script, Flag("up")));
        await AppearedAsync("up");
        _reactor.Stop(run.Child!);
        Assert.NotEqual(0, (await run.ResultAsync()).Signal);
    }

    [Fact]
    public async Task Stop_OfATree_LeavesNobodyOfTheGroup()
    {
        // A child, and a grandchild whose parent is gone: a double fork.
        var script = "sleep 1000 & echo $! > $0.child; (sleep 1000 & echo $! > $0.orphan); "
            + "echo up > $0.up; wait";
        var run = CommandRun.Start(_reactor, CommandRun.Shell(script, Flag("pid")));
        await AppearedAsync("pid.up");
        _reactor.Stop(run.Child!);
        await run.ResultAsync();
        await GoneAsync("pid.child");
        await GoneAsync("pid.orphan");
    }

    [Fact]
    public async Task Exit_OfTheLeader_KillsWhomItLeftInItsGroup()
    {
        var script = "sleep 1000 > /dev/null 2>&1 & echo $! > $0";
        var run = CommandRun.Start(_reactor, CommandRun.Shell(script, Flag("pid")));
        Assert.Equal(0, (await run.ResultAsync()).ExitCode);
        await GoneAsync("pid");
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("off")]
    public async Task Exit_OfTheLeader_KillsWhomItLeftInASessionOfItsOwn(string cgroup)
    {
        // It keeps both pipes open, which is waited for only a moment.
        using var reactor = Reactor(cgroup);
        var script = "setsid sleep 1000 & echo $! > $0; echo done";
        var watch = Stopwatch.StartNew();
        var run = CommandRun.Start(reactor, CommandRun.Shell(script, Flag("pid")));
        var result = await run.ResultAsync();
        Assert.Equal("done\n", result.Stdout.ToStringUtf8());
        Assert.InRange(watch.ElapsedMilliseconds, 0, 10_000);
        await GoneAsync("pid");
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("off")]
    public async Task Exit_OfOneCommand_LeavesTheOthersAlone(string cgroup)
    {
        using var reactor = Reactor(cgroup);
        var script = "(setsid sleep 1000 & echo $! > $0); read x < $0.go";
        using (Process.Start("/bin/sh", ["-c", $"mkfifo {Flag("a")}.go"]))
        {
            await Until(() => File.Exists(Flag("a.go")));
        }

        var first = CommandRun.Start(reactor, CommandRun.Shell(script, Flag("a")));
        await AppearedAsync("a");
        await CommandRun.Start(reactor, CommandRun.Of("true")).ResultAsync();
        Assert.True(Lives(ReadPid("a")), "the end of another command killed it");
        await File.WriteAllTextAsync(Flag("a.go"), "x\n");
        Assert.Equal(0, (await first.ResultAsync()).ExitCode);
        await GoneAsync("a");
    }

    [Fact]
    public async Task Exit_OfTheLeader_WaitsAMomentForTheLastWordsOfItsGroup()
    {
        var run = CommandRun.Start(_reactor, CommandRun.Shell("(read x < /dev/null; echo late) & exit 3"));
        var result = await run.ResultAsync();
        Assert.Equal("late\n", result.Stdout.ToStringUtf8());
        Assert.Equal(3, result.ExitCode);
    }

    [Fact]
    public async Task Dispose_WithRunningCommands_KillsThemAndTellsTheirListeners()
    {
        using var reactor = new CommandReactor(new CommandIsolation(new MusterCommandOptions()));
        var command = CommandRun.Of("sleep", "1000");
        var runs = Enumerable.Range(0, 5).Select(_ => CommandRun.Start(reactor, command)).ToList();
        reactor.Dispose();
        foreach (var run in runs)
        {
            Assert.Equal(9, (await run.ResultAsync()).Signal);
        }
    }

    [Fact]
    public async Task Commands_TwoHundredAtOnce_LeaveNoDescriptorAndNoZombie()
    {
        await CommandRun.Start(_reactor, CommandRun.Of("true")).ResultAsync();
        var before = Descriptors();
        for (var round = 0; round < 2; round++)
        {
            var runs = await Task.WhenAll(Enumerable.Range(0, 200).Select(number => Task.Run(() =>
            {
                var command = CommandRun.Shell("echo $0; exit $1", $"{number}", $"{number % 7}");
                return (number, run: CommandRun.Start(_reactor, command));
            })));
            foreach (var (number, run) in runs)
            {
                var result = await run.ResultAsync();
                Assert.Equal($"{number}\n", result.Stdout.ToStringUtf8());
                Assert.Equal(number % 7, result.ExitCode);
                Assert.False(Directory.Exists($"/proc/{run.Child!.Pid}"), "a zombie is left");
            }
        }

        Assert.Equal(0, _reactor.Running);

        // The test host opens and closes some of its own meanwhile; 400 commands would leave over a thousand.
        Assert.InRange(Descriptors(), 0, before + 20 + (3 * CommandLanes.KeptMax));
    }

    [Fact]
    public async Task Commands_BesideSystemProcess_DoNotTakeEachOthersChildren()
    {
        for (var round = 0; round < 20; round++)
        {
            var run = CommandRun.Start(_reactor, CommandRun.Shell("exit 5"));
            using var process = Process.Start("/bin/sh", ["-c", "exit 6"]);
            await process.WaitForExitAsync();
            Assert.Equal(6, process.ExitCode);
            Assert.Equal(5, (await run.ResultAsync()).ExitCode);
        }
    }

    private static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    private static bool Lives(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static CommandReactor Reactor(string cgroup) =>
        new(new CommandIsolation(new MusterCommandOptions { Cgroup = cgroup }));

    private string Flag(string name) => Path.Combine(_folder, name);

    private int ReadPid(string name) => int.Parse(File.ReadAllText(Flag(name)), CultureInfo.InvariantCulture);

    private Task AppearedAsync(string name) =>
        Until(() => File.Exists(Flag(name)) && new FileInfo(Flag(name)).Length > 0);

    private Task GoneAsync(string name)
    {
        var pid = ReadPid(name);
        return Until(() => !Lives(pid));
    }

    private static async Task Until(Func<bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < s_patience, "the condition did not come true in time");
            await Task.Delay(5);
        }
    }
}
