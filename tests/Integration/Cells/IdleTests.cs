// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Cells;

/// <summary>A cell that has nothing to do costs next to nothing: processor time, and wake-ups, which cost batteries and
/// other tenants more than their time says.</summary>
public class IdleTests(ITestOutputHelper output)
{
    private const double CorePercentMax = 1;

    // Each process alone sleeps 5 to 50 times a second: beats, answers, the Register's ticks, the runtime's own timers.
    private const double SleepsPerSecondMax = 150;

    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task SeparateRolesAndTwoWorkers_AtRest_UseLessThanOnePercentOfACore()
    {
        await using var cell = await CellProcesses.StartAsync();
        for (var worker = 0; worker < 2; worker++)
        {
            cell.StartWorker(CellProcesses.Executable, "worker", "--address", cell.Address);
        }

        await RunOneTaskAsync(cell);
        await AssertIdleAsync([.. CellProcesses.Roles.Select(cell.Role), .. cell.Workers]);
    }

    [Fact]
    public async Task WholeCellInOneProcess_AtRest_UsesLessThanOnePercentOfACore()
    {
        await using var cell = await CellProcesses.StartAsync(new CellSetup { IsOneProcess = true });
        await RunOneTaskAsync(cell);
        await AssertIdleAsync([cell.Role("up")]);
    }

    private static async Task RunOneTaskAsync(CellProcesses cell)
    {
        var (exit, _, error) = await cell.RunAsync("submit", "--wait", "--address", cell.Address, "--", "/bin/true");
        Assert.True(exit == 0, error);
    }

    // What has just begun is still being compiled anew by the runtime, which takes longer the busier the host is. So
    // there are several windows, and the first one that is quiet is the cell at rest: what wakes up for ever is in all.
    private async Task AssertIdleAsync(Process[] processes)
    {
        var start = Stopwatch.GetTimestamp();
        double percent, sleeps;
        do
        {
            var before = Sum(processes);
            var windowStart = Stopwatch.GetTimestamp();
            await Task.Delay(s_window);
            var seconds = Stopwatch.GetElapsedTime(windowStart).TotalSeconds;
            var after = Sum(processes);
            percent = (after.CpuSeconds - before.CpuSeconds) / seconds * 100;
            sleeps = (after.Sleeps - before.Sleeps) / seconds;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{percent:F2} % of a core, {sleeps:F0} sleeps a second"));
        }
        while ((percent >= CorePercentMax || sleeps >= SleepsPerSecondMax)
            && Stopwatch.GetElapsedTime(start) < s_patience);
        Assert.True(percent < CorePercentMax, $"{percent:F2} % of a core at rest");
        Assert.True(sleeps < SleepsPerSecondMax, $"{sleeps:F0} sleeps a second at rest");
    }

    private static (double CpuSeconds, double Sleeps) Sum(Process[] processes)
    {
        double cpu = 0, sleeps = 0;
        foreach (var process in processes)
        {
            Assert.False(process.HasExited);
            process.Refresh();
            cpu += process.TotalProcessorTime.TotalSeconds;
            sleeps += Directory
                .GetDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Id}/task"))
                .Sum(SleepsOf);
        }

        return (cpu, sleeps);
    }

    private static double SleepsOf(string thread)
    {
        const string Name = "voluntary_ctxt_switches:";
        try
        {
            var line = File.ReadLines($"{thread}/status")
                .First(line => line.StartsWith(Name, StringComparison.Ordinal));
            return double.Parse(line[Name.Length..], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // The thread has ended since the folder was listed.
            return 0;
        }
    }
}
