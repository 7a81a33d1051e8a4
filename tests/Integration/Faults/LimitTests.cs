// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Net.Sockets;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Muster.Shared.Faults;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Faults;

/// <summary>Too few files, processors, memory or threads: refused in words, or slow, never silently wrong.</summary>
public sealed class LimitTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(256)]
    [InlineData(1024)]
    public async Task Files_TooFewToServe_StartIsRefusedWithAdvice(int files)
    {
        await using var cell = await CellProcesses.StartAsync();
        var (exit, _, error) = await HostCommand.TryAsync(
            "sh",
            "-c",
            $"ulimit -n {files}; XDG_RUNTIME_DIR={cell.Folder} "
            + $"exec {CellProcesses.Executable} up --cell {cell.Name}x");

        Assert.NotEqual(0, exit);
        Assert.Contains("FILE_LIMIT_TOO_LOW", error, StringComparison.Ordinal);
        Assert.Contains("ulimit -n", error, StringComparison.Ordinal);
        global::Muster.Arena.ArenaFile.Remove(cell.Name + "x");
    }

    [Fact]
    public async Task Files_MoreConnectionsThanTheyAllow_RoleStaysAliveAndQuietAndRecovers()
    {
        var limit = new Dictionary<string, string[]> { ["plm"] = ["sh", "-c", "ulimit -n 4096; exec \"$0\" \"$@\""] };
        await using var run = await FaultRun.StartAsync(new CellSetup { Wrapper = limit });
        var plm = run.Cell.Role("plm");
        var endPoint = new UnixDomainSocketEndPoint($"{run.Cell.Folder}/muster/{run.Cell.Name}/plm.sock");
        List<Socket> sockets = [];
        try
        {
            for (var count = 0; count < 4_500; count++)
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                sockets.Add(socket);
                try
                {
                    // One that cannot be queued is refused by the kernel, and that is an answer too.
                    await socket.ConnectAsync(endPoint).WaitAsync(TimeSpan.FromMilliseconds(200));
                }
                catch (Exception refused) when (refused is SocketException or TimeoutException)
                {
                    break;
                }
            }

            output.WriteLine($"{sockets.Count} connections");
            Assert.False(plm.HasExited);
            await run.FlowsAsync(100, TimeSpan.FromSeconds(20));
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }

        var start = Stopwatch.GetTimestamp();
        var (exit, _, error) = await run.Cell.RunAsync("tasks", "--cell", run.Cell.Name, "-o", "json");
        Assert.True(exit == 0, error);
        output.WriteLine($"a new client was served {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms after");
        Assert.False(plm.HasExited);
        await run.EndCleanAsync();
    }

    [Fact]
    public async Task Processor_RolesGetAFifthOfOne_NobodyIsLostFalsely()
    {
        await using var group = ControlGroup.Create("cpu");
        group.LimitCpu(100);
        var all = CellProcesses.Roles.ToDictionary(role => role, _ => group.Wrapper);
        await using var run = await FaultRun.StartAsync(new CellSetup { Wrapper = all }, workers: 4, inFlight: 100);
        group.LimitCpu(20);
        await Task.Delay(TimeSpan.FromSeconds(8));
        var results = run.Oracle.Results;
        output.WriteLine($"{results} results so far");
        group.LimitCpu(100);
        await run.FlowsAsync(100);
        Assert.Empty(run.Lines(" is Lost: "));
        await run.EndCleanAsync();
    }

    [Fact]
    public async Task Memory_RoleIsKilledForIt_AnotherTakesOver()
    {
        await using var group = ControlGroup.Create("memory");
        var limited = new Dictionary<string, string[]> { ["plm"] = group.Wrapper };
        await using var run = await FaultRun.StartAsync(new CellSetup { Wrapper = limited });
        var plm = run.Cell.Role("plm");

        // A kernel that cannot get below the limit refuses it, or kills; both are tried until it has killed.
        group.SqueezeMemory(1 << 20);
        await run.UntilAsync(() => plm.HasExited, TimeSpan.FromSeconds(30), () => "the kill for memory");
        Assert.NotEqual(0, plm.ExitCode);
        group.LimitMemory(1L << 40);
        await run.Cell.StartRoleAsync("plm");
        output.WriteLine($"progress after {await run.FlowsAsync(100, TimeSpan.FromSeconds(20))}");
        await run.EndCleanAsync();
    }

    [Fact]
    public async Task Threads_TooFew_StartIsRefusedWithAdvice()
    {
        await using var group = ControlGroup.Create("pids");
        group.LimitTasks(8);
        await using var run = await FaultRun.StartAsync();
        await run.Cell.KillRoleAsync("scheduler");
        var wrapper = group.Wrapper;
        var start = new ProcessStartInfo(
            wrapper[0], [.. wrapper[1..], CellProcesses.Executable, "scheduler", "--cell", run.Cell.Name])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["XDG_RUNTIME_DIR"] = run.Cell.Folder;
        using (var starved = Process.Start(start)!)
        {
            var errors = starved.StandardError.ReadToEndAsync();
            await starved.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
            output.WriteLine($"exit {starved.ExitCode}: {await errors}");
            Assert.NotEqual(0, starved.ExitCode);
            Assert.Contains("HOST_LIMIT", await errors, StringComparison.Ordinal);
        }

        await run.Cell.StartRoleAsync("scheduler");
        await run.FlowsAsync(100, TimeSpan.FromSeconds(20));
        await run.EndCleanAsync();
    }
}
