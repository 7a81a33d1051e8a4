// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;
using Muster.Arena.Native;
using Muster.Integration.Cells;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Faults;

/// <summary>Processes that are stopped, and deaths that nobody reaps.</summary>
public sealed class PauseTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("register", 5_000)]
    [InlineData("scheduler", 4_000)]
    [InlineData("plm", 4_000)]
    public async Task Role_StoppedPastTheLease_DeclaresNobodyDeadWhenItGoesOn(string role, int lengthMs)
    {
        await using var run = await FaultRun.StartAsync();
        var process = run.Cell.Role(role);
        Signal.Send((uint)process.Id, Signal.SIGSTOP);
        await Task.Delay(lengthMs);
        Signal.Send((uint)process.Id, Signal.SIGCONT);
        if (process.HasExited)
        {
            // It held a lock that the others needed: they killed it, and its successor takes over.
            output.WriteLine("killed as the holder of a lock");
            await run.Cell.StartRoleAsync(role);
        }

        output.WriteLine($"progress after {await run.FlowsAsync(200, TimeSpan.FromSeconds(13))}");
        Assert.Empty(run.Lines(" is Lost: "));
        var counts = await run.EndCleanAsync();
        Assert.Equal(0, counts.Reruns);
    }

    [Fact]
    public async Task Worker_DiesUnderAParentThatDoesNotReap_IsKnownDeadAtOnce()
    {
        await using var run = await FaultRun.StartAsync(workers: 1);
        var pidFile = Path.Combine(run.Cell.Folder, "pid");
        var parent = run.StartWorkerWrapped(
            ["sh", "-c", $"\"$0\" \"$@\" & echo $! > {pidFile}; exec sleep 1000"], run.Cell.Address);
        await run.UntilAsync(() => File.Exists(pidFile) && File.ReadAllText(pidFile).EndsWith('\n'));
        var pid = uint.Parse(File.ReadAllText(pidFile), null);
        await CellCondition.WaitAsync(run.Cell, "workers", $"{pid}", TimeSpan.FromSeconds(20));

        Process.GetProcessById((int)pid).Kill();
        var start = Stopwatch.GetTimestamp();
        await run.UntilAsync(() => run.Lines(" is Gone: ").Count > 0, TimeSpan.FromSeconds(3), () => "its death");
        output.WriteLine($"known after {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms, unreaped");
        Assert.True(Directory.Exists($"/proc/{pid}"), "the worker was reaped, so this proved nothing");
        parent.Kill();
        await run.EndCleanAsync();
    }
}
