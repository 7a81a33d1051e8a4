// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Integration.Cells;
using Muster.Shared.Cells;
using Muster.Shared.Faults;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Faults;

/// <summary>
/// The journal's disk is full, slow, stuck, or fails: nothing accepted is lost, and nobody is told otherwise.
/// </summary>
public sealed class DiskTests(ITestOutputHelper output)
{
    private const int Eio = 5;
    private const int Enospc = 28;

    private static readonly TimeSpan s_progressMax = TimeSpan.FromSeconds(13);

    [Theory]
    [InlineData(Eio)]
    [InlineData(Enospc)]
    public async Task Flush_Fails_ProcessEndsAndWhatItHadAcknowledgedIsThere(int errno)
    {
        await using var disk = await ShimmedCell.StartAsync();
        disk.Shim.FailSyncs(20, errno);
        await disk.Run.UntilAsync(() => disk.Shim.SyncFailures > 0, null, () => "a failed flush");
        var start = Stopwatch.GetTimestamp();
        await disk.Plm.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(5));
        output.WriteLine($"ended {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms after the failed flush");
        Assert.NotEqual(0, disk.Plm.ExitCode);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 2);

        // What the process wrote last is read a little after its end.
        await CellCondition.HoldsAsync(
            () => disk.Run.Lines("muster: JOURNAL_FAILED: ").Any(), "the reason on standard error");

        // Nothing but the disk is left of the cell, so an answer that had not waited for it would be found out.
        disk.Shim.Heal();
        await disk.RebootAsync();
        await disk.Run.FlowsAsync(100, s_progressMax);
        await disk.Run.EndCleanAsync();
    }

    [Fact]
    public async Task Write_Fails_ProcessEndsAndWhatItHadAcknowledgedIsThere()
    {
        await using var disk = await ShimmedCell.StartAsync();
        disk.Shim.FailWrites(20, Eio);
        await disk.Plm.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        Assert.NotEqual(0, disk.Plm.ExitCode);
        disk.Shim.Heal();
        await disk.RebootAsync();
        await disk.Run.FlowsAsync(100, s_progressMax);
        await disk.Run.EndCleanAsync();
    }

    [Fact]
    public async Task Writes_AreShortAndInterrupted_GoOnWhereTheyStopped()
    {
        await using var disk = await ShimmedCell.StartAsync();
        disk.Shim.ShortWriteBytes = 777;
        disk.Shim.InterruptEvery = 3;
        await disk.Run.FlowsAsync(500, TimeSpan.FromSeconds(30));
        Assert.True(disk.Shim.WriteCount > 100, "the shim saw no writes");
        disk.Shim.Heal();
        await disk.RebootAsync();
        await disk.Run.FlowsAsync(100, s_progressMax);
        await disk.Run.EndCleanAsync();
    }

    [Theory]
    [InlineData(50)]
    [InlineData(1_000)]
    public async Task Flushes_AreSlow_TasksGoOnAndNobodyIsLost(int delayMs)
    {
        await using var disk = await ShimmedCell.StartAsync();
        disk.Shim.SyncDelay = TimeSpan.FromMilliseconds(delayMs);
        output.WriteLine($"400 results after {await disk.Run.FlowsAsync(400, TimeSpan.FromSeconds(30))}");
        disk.Shim.Heal();
        await disk.Run.EndCleanAsync();
        Assert.Empty(disk.Run.Lines(" is Lost: "));
    }

    [Fact]
    public async Task Flush_Hangs_NothingIsAcknowledgedQueuesStayBoundedAndAllResumes()
    {
        await using var disk = await ShimmedCell.StartAsync();
        disk.Shim.SyncDelay = TimeSpan.FromSeconds(60);
        var syncs = disk.Shim.SyncCount;
        await disk.Run.UntilAsync(() => disk.Shim.SyncCount > syncs, null, () => "a flush that hangs");

        // What was released before the flush began is still on its way for a moment.
        await Task.Delay(500);
        var acked = disk.Run.Oracle.Counts.Acked;
        disk.Plm.Refresh();
        var before = disk.Plm.WorkingSet64;
        await Task.Delay(TimeSpan.FromSeconds(5));
        disk.Plm.Refresh();
        Assert.Equal(acked, disk.Run.Oracle.Counts.Acked);
        Assert.InRange(disk.Plm.WorkingSet64 - before, long.MinValue, 64L << 20);
        Assert.False(disk.Plm.HasExited);

        // Tasks that ask for no disk do not wait for it.
        await using (var client = MusterClient.Connect(disk.Run.Cell.Address))
        {
            var options = new SubmitOptions { Durability = Durability.Memory, Priority = 7 };
            await client.RunAsync(TaskType.Bytes("test.trace"), new byte[16], options)
                .WaitAsync(TimeSpan.FromSeconds(10));
        }

        disk.Shim.Heal();
        output.WriteLine($"progress after {await disk.Run.FlowsAsync(100, s_progressMax)}");
        await disk.Run.EndCleanAsync();
        Assert.Empty(disk.Run.Lines(" is Lost: "));
    }

    [Fact]
    public async Task Disk_IsFullThenFreed_NewWorkIsRefusedRunningWorkEndsAndAllResumes()
    {
        await using var image = await LoopImage.CreateAsync("ext4", 96L << 20);
        await using var run = await FaultRun.StartAsync(
            new CellSetup { StateHome = image.Mount },
            inFlight: 400,
            durability: Durability.Durable,
            payloadBytes: 16_000);
        var filler = Path.Combine(image.Mount, "filler");
        await HostCommand.TryAsync("dd", "if=/dev/zero", $"of={filler}", "bs=64k");
        await run.UntilAsync(
            () => run.Oracle.Counts.Refused > 0, TimeSpan.FromSeconds(60), () => "a refusal for the full disk");
        output.WriteLine($"refused after {run.Oracle.Counts.Acked} acknowledged with {run.Oracle.LastRefusal}");
        Assert.Equal("DISK_FULL", run.Oracle.LastRefusal);

        // What was accepted is carried to its end on what the journal has kept for it.
        await run.UntilAsync(() => run.Oracle.Counts.Lost == 0, TimeSpan.FromSeconds(30), () => "the running work");
        Assert.False(run.Cell.Role("plm").HasExited);
        File.Delete(filler);
        var start = Stopwatch.GetTimestamp();
        var acked = run.Oracle.Counts.Acked;
        await run.UntilAsync(() => run.Oracle.Counts.Acked > acked, TimeSpan.FromSeconds(10), () => "new work");
        var resumed = Stopwatch.GetElapsedTime(start);
        output.WriteLine($"new work was accepted {resumed.TotalMilliseconds:F0} ms after there was room again");
        Assert.InRange(resumed.TotalSeconds, 0, 3);
        await run.FlowsAsync(200, s_progressMax);
        await run.EndCleanAsync();
    }

    /// <summary>A cell with durable load whose PLM is lied to about its journal's disk.</summary>
    private sealed class ShimmedCell : IAsyncDisposable
    {
        private readonly string _state;

        private ShimmedCell(string state, FaultShim shim, FaultRun run)
        {
            _state = state;
            Shim = shim;
            Run = run;
        }

        public FaultShim Shim { get; }

        public FaultRun Run { get; }

        public Process Plm => Run.Cell.Role("plm");

        public static async Task<ShimmedCell> StartAsync()
        {
            var state = Directory.CreateTempSubdirectory("muster-state-").FullName;
            var shim = await FaultShim.CreateAsync(state);
            var setup = new CellSetup
            {
                StateHome = state,
                Environment = new Dictionary<string, Dictionary<string, string>> { ["plm"] = shim.Environment },
            };
            return new(state, shim, await FaultRun.StartAsync(setup, durability: Durability.Durable));
        }

        /// <summary>What a reboot leaves: the disk alone.</summary>
        public async Task RebootAsync()
        {
            foreach (var role in CellProcesses.Roles.Where(role => !Run.Cell.Role(role).HasExited))
            {
                await Run.Cell.KillRoleAsync(role);
            }

            ArenaFile.Remove(Run.Cell.Name);
            Run.Oracle.History!.Note(Checking.HistoryOp.PowerLoss);
            await Run.Cell.StartRolesAsync(CellProcesses.Roles);
        }

        public async ValueTask DisposeAsync()
        {
            await Run.DisposeAsync();
            await Shim.DisposeAsync();
            Directory.Delete(_state, recursive: true);
        }
    }
}
