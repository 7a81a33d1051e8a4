// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;
using Muster.Arena.Native;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Arena.Files;

public sealed class ProcessTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void IsAlive_ThisProcess_OnlyUnderItsStartTime()
    {
        var pid = (uint)Environment.ProcessId;
        Assert.True(ProcStat.IsAlive(pid, ProcStat.OwnStart));
        Assert.False(ProcStat.IsAlive(pid, ProcStat.OwnStart + 1));
        Assert.False(ProcStat.IsAlive(0, 0));
        Assert.Null(PidWatch.TryOpen(pid, ProcStat.OwnStart + 1));
    }

    [Fact]
    public void TryProcessOf_ThreadOfThisProcess_FindsTheProcess()
    {
        foreach (ProcessThread thread in Process.GetCurrentProcess().Threads)
        {
            if (ProcStat.TryProcessOf((uint)thread.Id, out var pid))
            {
                Assert.Equal((uint)Environment.ProcessId, pid);
            }
        }

        Assert.False(ProcStat.TryProcessOf(int.MaxValue, out _));
    }

    [Fact]
    public void TryRead_NameWithSpacesAndParentheses_IsNoObstacle()
    {
        var link = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"a) R 1 (b {Guid.NewGuid():n}"[..15]);
        System.IO.File.CreateSymbolicLink(link, "/bin/cat");
        try
        {
            using var process = Process.Start(new ProcessStartInfo(link) { RedirectStandardInput = true })!;
            Assert.True(ProcStat.TryRead((uint)process.Id, out var stat));
            Assert.InRange(stat.Start, ProcStat.OwnStart, ulong.MaxValue);
            Assert.False(stat.IsDead);
            process.StandardInput.Close();
            Assert.True(process.WaitForExit(s_patience));
        }
        finally
        {
            System.IO.File.Delete(link);
        }
    }

    [Fact]
    public void IsAlive_Zombie_IsDead()
    {
        // The shell becomes cat, which knows of no child and so never reaps it. Only then may the child end: a shell
        // reaps what ends before.
        var start = new ProcessStartInfo("sh") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("sleep 1000 & echo $!; exec cat");
        using var parent = Process.Start(start)!;
        var pid = uint.Parse(parent.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
        var name = $"/proc/{parent.Id}/comm";
        Assert.True(SpinWait.SpinUntil(() => File.ReadAllText(name).Trim() == "cat", s_patience));
        using var child = Process.GetProcessById((int)pid);
        child.Kill();
        ProcStat stat = default;
        Assert.True(SpinWait.SpinUntil(() => ProcStat.TryRead(pid, out stat) && stat.IsDead, s_patience));
        Assert.False(ProcStat.IsAlive(pid, stat.Start));
        Assert.Null(PidWatch.TryOpen(pid, stat.Start));
        parent.StandardInput.Close();
        Assert.True(parent.WaitForExit(s_patience));
    }

    [Fact]
    public void PollExited_SomeOfManyExit_TellsWhich()
    {
        var processes = new Process[6];
        var watches = new PidWatch?[7];
        for (var i = 0; i < processes.Length; i++)
        {
            processes[i] = Process.Start(new ProcessStartInfo("cat") { RedirectStandardInput = true })!;
            Assert.True(ProcStat.TryRead((uint)processes[i].Id, out var stat));
            watches[i] = PidWatch.TryOpen((uint)processes[i].Id, stat.Start);
            Assert.NotNull(watches[i]);
        }

        var exited = new int[8];
        Assert.Equal(0, PidWatcher.PollExited(watches, exited, 0));
        Assert.True(watches[3]!.Kill());
        Assert.Equal(1, PidWatcher.PollExited(watches, exited, (int)s_patience.TotalMilliseconds));
        Assert.Equal(3, exited[0]);
        Assert.True(watches[5]!.Kill());
        Assert.True(SpinWait.SpinUntil(() => PidWatcher.PollExited(watches, exited, 100) == 2, s_patience));
        Assert.Equal([3, 5], exited[..2]);
        Assert.Equal(1, PidWatcher.PollExited(watches, exited.AsSpan(0, 1), 0));
        foreach (var (process, index) in System.Linq.Enumerable.Select(processes, (process, index) => (process, index)))
        {
            watches[index]!.Kill();
            Assert.True(process.WaitForExit(s_patience));
            Assert.False(watches[index]!.Kill());
            watches[index]!.Dispose();
            process.Dispose();
        }
    }

    [Fact]
    public void EnsureFiles_MoreThanTheHardLimit_RefusedNamingBoth()
    {
        Assert.True(FileLimit.Ensure(64).IsNone);
        Assert.True(FileLimit.Present >= 64);
        var fault = FileLimit.Ensure(ulong.MaxValue - 1);
        Assert.Equal(FaultCode.FileLimitTooLow, fault.Code);
        Assert.Contains("LimitNOFILE=", fault.Message, StringComparison.Ordinal);
    }
}
