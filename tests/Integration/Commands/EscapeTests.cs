// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Commands;

/// <summary>
/// Commands that try to outlive their end, to see what is not theirs, and to take more than they may, on a worker as
/// users start it: with control groups and without them.
/// </summary>
public sealed class EscapeTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_grace = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    // Each leaves a sleep behind whose number of seconds marks it; $0 is that number.
    private static readonly string[] s_escapes =
    [
        "sleep $0 & sleep $0",
        "(sleep $0 &) ; sleep $0",
        "setsid sleep $0 & sleep $0",
        "(setsid sh -c 'setsid sleep '$0' & sleep '$0 &) ; sleep $0",
        "nohup setsid sleep $0 > /dev/null 2>&1 < /dev/null & sleep $0",
        "trap '' TERM HUP INT; (trap '' TERM; setsid sleep $0 & setsid sleep $0 & wait) & sleep $0",
        "(setsid env -i /bin/sh -c '(sleep '$0' &) ; (setsid sleep '$0' &)' &) ; sleep $0",
    ];

    [Theory]
    [InlineData("auto")]
    [InlineData("off")]
    public async Task Escapes_WhenTheLeaderExits_LeaveNobody(string cgroup)
    {
        await using var cell = await CellProcesses.StartAsync("--durability", "memory");
        await using var client = StartWorker(cell, "--cgroup", cgroup);
        foreach (var escape in s_escapes)
        {
            // The leader itself ends at once instead of sleeping on.
            var mark = Mark();
            var rest = escape[..escape.LastIndexOf("sleep", StringComparison.Ordinal)];
            var ended = await client.RunCommandAsync(Script(rest + "sleep 0.1", mark));
            Assert.True(ended.Succeeded, Encoding.UTF8.GetString(ended.StandardError.Span));
            await AssertGoneAsync(mark, $"{cgroup}: {escape}");
        }
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("off")]
    public async Task Escapes_WhenTheTimeIsOver_LeaveNobody(string cgroup)
    {
        await using var cell = await CellProcesses.StartAsync("--durability", "memory");
        await using var client = StartWorker(cell, "--cgroup", cgroup, "--slots", "8");
        await Task.WhenAll(s_escapes.Select(async escape =>
        {
            var mark = Mark();
            var options = new SubmitOptions { Timeout = TimeSpan.FromMilliseconds(400), AttemptsMax = 1 };
            await Assert.ThrowsAsync<TaskFailedException>(
                () => client.RunCommandAsync(Script(escape, mark), options));
            await AssertGoneAsync(mark, $"{cgroup}: {escape}");
        }));
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("off")]
    public async Task Commands_OfAWorkerKilledWithNine_DieWithIt(string cgroup)
    {
        await using var cell = await CellProcesses.StartAsync("--durability", "memory");
        await using var client = StartWorker(cell, "--cgroup", cgroup);
        var mark = Mark();
        var options = new SubmitOptions { AttemptsMax = 1 };
        var script = "(setsid sleep $0 &) ; sleep $0 & exec sleep $0";
        var run = client.RunCommandAsync(Script(script, mark), options);
        await UntilAsync(() => Living(mark).Count >= 3, "the command and its children run");
        cell.Workers[0].Kill();
        var watch = Stopwatch.StartNew();
        await UntilAsync(() => Living(mark).Count == 0, "everything is dead");
        output.WriteLine($"{cgroup}: dead {watch.ElapsedMilliseconds} ms after the worker");
        await Assert.ThrowsAsync<TaskFailedException>(() => run.WaitAsync(s_patience));
    }

    [Fact]
    public async Task Command_LookingAround_SeesNothingOfTheWorkersOwn()
    {
        await using var cell = await CellProcesses.StartAsync(new CellSetup
        {
            PlmOptions = ["--durability", "memory"],
            Environment = new Dictionary<string, Dictionary<string, string>>
            {
                ["worker"] = new() { ["MUSTER_CANARY"] = "canary-4711" },
            },
        });
        await using var client = StartWorker(cell);
        var descriptors = await TextAsync(client, "ls /proc/self/fd | wc -l");
        Assert.Equal("4", descriptors.Trim());
        Assert.DoesNotContain("canary-4711", await TextAsync(client, "env; set"), StringComparison.Ordinal);

        // The worker's memory, environment and descriptors are closed to its commands, though of the same user.
        foreach (var place in (string[])["environ", "mem", "fd/1", "maps"])
        {
            var tried = await TextAsync(client, $"head -c 1 /proc/$PPID/{place} 2>&1");
            Assert.Contains("Permission denied", tried, StringComparison.Ordinal);
        }

        Assert.Equal("none\n", await TextAsync(client, "umask | grep -qx 0077 && echo none"));
    }

    [Fact]
    public async Task Command_WithAForkBomb_IsHeldByItsLimitAndLeavesNobody()
    {
        await using var cell = await CellProcesses.StartAsync("--durability", "memory");
        await using var client = StartWorker(cell, "--limit", "pids=32");
        var mark = Mark();
        var bomb = "b() { sleep $0 & b & b & wait; }; b 2> /dev/null";
        var options = new SubmitOptions { Timeout = TimeSpan.FromSeconds(1), AttemptsMax = 1 };
        var most = 0;
        var run = client.RunCommandAsync(Script(bomb, mark), options);
        while (!run.IsCompleted)
        {
            most = Math.Max(most, Living(mark).Count);
            await Task.WhenAny(run, Task.Delay(50));
        }

        output.WriteLine($"{most} processes at most");
        await Assert.ThrowsAsync<TaskFailedException>(() => run);
        Assert.InRange(most, 1, 32);
        await AssertGoneAsync(mark, "fork bomb");
        Assert.Equal("alive\n", await TextAsync(client, "echo alive"));
    }

    [Fact]
    public async Task Command_ThatTakesMoreMemoryThanItsLimit_IsKilledAndTheWorkerLives()
    {
        await using var cell = await CellProcesses.StartAsync("--durability", "memory");
        await using var client = StartWorker(cell, "--limit", "memory=32M");
        var options = new SubmitOptions { AttemptsMax = 1, Timeout = TimeSpan.FromSeconds(20) };
        var hungry = Script("head -c 200000000 /dev/zero | tail -c 190000000", "0");
        var ended = await client.RunCommandAsync(hungry, options);
        Assert.False(ended.Succeeded);
        Assert.Equal("alive\n", await TextAsync(client, "echo alive"));
        Assert.False(cell.Workers[0].HasExited);
    }

    [Fact]
    public async Task Command_WithGiantOutput_IsCutAndTheWorkerStaysSmall()
    {
        await using var cell = await CellProcesses.StartAsync("--durability", "memory");
        await using var client = StartWorker(cell);
        var command = new CommandSpec
        {
            Arguments = ["head -c 300000000 /dev/zero"], Shell = true, OutputBytesMax = 10_000,
        };
        var ended = await client.RunCommandAsync(command);
        Assert.Equal(10_000, ended.StandardOutput.Length);
        Assert.True(ended.StandardOutputCut);
        cell.Workers[0].Refresh();
        Assert.InRange(cell.Workers[0].WorkingSet64, 0, 300L << 20);
    }

    private static MusterClient StartWorker(CellProcesses cell, params string[] options)
    {
        cell.StartWorker(CellProcesses.Executable, ["worker", "--address", cell.Address, .. options]);
        return MusterClient.Connect(cell.Address);
    }

    // No program of this host sleeps so long, and no two tests the same time.
    private static string Mark() =>
        Random.Shared.Next(100_000_000, 999_999_999).ToString(CultureInfo.InvariantCulture);

    private static CommandSpec Script(string script, string mark) =>
        new() { Arguments = [script, mark], Shell = true };

    private static async Task<string> TextAsync(MusterClient client, string script)
    {
        var result = await client.RunCommandAsync(Script(script, "0"));
        return Encoding.UTF8.GetString(result.StandardOutput.Span);
    }

    private static List<string> Living(string mark)
    {
        var found = new List<string>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                // A zombie has no command line any more.
                var line = File.ReadAllText($"{folder}/cmdline").Replace('\0', ' ');
                if (line.Contains(mark, StringComparison.Ordinal))
                {
                    found.Add($"{Path.GetFileName(folder)}: {line}");
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // No process, or none any more.
            }
        }

        return found;
    }

    private static async Task AssertGoneAsync(string mark, string what)
    {
        var watch = Stopwatch.StartNew();
        while (Living(mark) is { Count: > 0 } left)
        {
            Assert.True(watch.Elapsed < s_grace, $"{what} left {string.Join(" | ", left)}");
            await Task.Delay(2);
        }
    }

    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < s_patience, $"it did not come to this: {what}");
            await Task.Delay(10);
        }
    }
}
