// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Muster.Shared.Faults;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Faults;

/// <summary>
/// The wall clock of the roles jumps while they run, and a worker's monotonic clock counts from elsewhere. Leases,
/// time-outs and retries do not notice.
/// </summary>
public sealed class ClockTests(ITestOutputHelper output)
{
    private const int Jumps = 200;

    [Fact]
    public async Task WallClock_JumpsByHoursAndYears_NobodyIsLostAndNothingExpires()
    {
        await using var shim = await FaultShim.CreateAsync("/nowhere");
        var setup = new CellSetup
        {
            Environment = CellProcesses.Roles.ToDictionary(role => role, _ => shim.Environment),
        };
        await using var run = await FaultRun.StartAsync(setup);
        await using var client = MusterClient.Connect(run.Cell.Address);

        // Ends in the far future of the true clock; a jump of ten years must not end it.
        var options = new SubmitOptions { ExpiresAfter = TimeSpan.FromMinutes(30), Timeout = TimeSpan.FromMinutes(30) };
        var waiting = await client.SubmitAsync(TaskType.Bytes("no.such.handler"), new byte[8], options);
        var random = new Random(1);
        TimeSpan[] sizes = [TimeSpan.FromHours(1), TimeSpan.FromDays(3652)];
        for (var jump = 0; jump < Jumps; jump++)
        {
            shim.WallClockOffset = sizes[jump % sizes.Length] * (random.Next(2) == 0 ? 1 : -1);
            await Task.Delay(random.Next(5, 20));
        }

        output.WriteLine($"progress after {Jumps} jumps: {await run.FlowsAsync(100, TimeSpan.FromSeconds(13))}");
        Assert.False(waiting.IsEnded, "the task ended by a jump of the wall clock");

        // A task whose time to start is over ends soon all the same, by the monotonic clock.
        var soon = await client.SubmitAsync(
            TaskType.Bytes("no.such.handler"), new byte[8], new() { ExpiresAfter = TimeSpan.FromMilliseconds(500) });
        var start = Stopwatch.GetTimestamp();
        var expired = await Assert.ThrowsAsync<TaskFailedException>(
            () => soon.AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(Outcome.Expired, expired.Outcome);
        output.WriteLine($"expired after {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms");
        shim.WallClockOffset = TimeSpan.Zero;
        Assert.Empty(run.Lines(" is Lost: "));
        await run.EndCleanAsync();
    }

    [Fact]
    public async Task WorkersMonotonicClock_CountsFromElsewhere_IsComparedWithNobodys()
    {
        await using var run = await FaultRun.StartAsync(workers: 0);

        // A day ahead of the host's: as another host's clock may be. The time since boot moves with it.
        run.StartWorkerWrapped(
            ["unshare", "--time", "--monotonic", "86400", "--boottime", "86400"], run.Cell.Address);
        await run.FlowsAsync(300);
        await Task.Delay(TimeSpan.FromSeconds(1));
        await run.FlowsAsync(300, TimeSpan.FromSeconds(13));
        Assert.Empty(run.Lines(" is Lost: "));
        Assert.Empty(run.Lines(" is Gone: "));
        await run.EndCleanAsync();
    }
}
