// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Muster.Shared.Faults;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Faults;

/// <summary>
/// Clients and workers reach the cell through proxies that pass bytes on badly. Whatever the links do, each accepted
/// task has one result, and progress is back within a lease and ten seconds.
/// </summary>
public sealed class ProxyTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_progressMax = TimeSpan.FromSeconds(13);

    [Fact]
    public async Task Links_ResetInTheMiddleOfMessages_NothingIsLost()
    {
        await using var run = await FaultRun.StartAsync(hasDoors: true);
        var doors = run.Doors;
        doors.Faults = LinkFaults.None with { ResetPerMille = 20, PieceBytesMax = 1_500 };
        doors.ResetAll();
        for (var round = 0; round < 10; round++)
        {
            await run.FlowsAsync(50, s_progressMax);
        }

        doors.Faults = LinkFaults.None;
        doors.ResetAll();
        var counts = await run.EndCleanAsync();
        output.WriteLine($"{run.Client.Streams} streams of the client, {doors.Connections} connections, {counts}");
        Assert.True(run.Client.Streams > 3, "the links were not reset");
    }

    [Fact]
    public async Task Links_DelayedByChance_MessagesOvertakeAcrossConnections()
    {
        await using var run = await FaultRun.StartAsync(hasDoors: true);
        var doors = run.Doors;
        doors.Faults = LinkFaults.None with { DelayMs = 10, JitterMs = 60, PieceBytesMax = 4_096 };
        await run.FlowsAsync(200, TimeSpan.FromSeconds(40));
        doors.Faults = LinkFaults.None;
        var counts = await run.EndCleanAsync();
        Assert.Equal(0, counts.Failed);
        Assert.Empty(run.Lines(" is Lost: "));
    }

    [Fact]
    public async Task Links_StalledOneAfterAnother_ProgressComesBack()
    {
        await using var run = await FaultRun.StartAsync(hasDoors: true);
        var doors = run.Doors;
        await run.FlowsAsync();

        // Stalled in one order, released in another, as clogged networks come back.
        LinkFaults[] kinds =
        [
            LinkFaults.None with { IsStalledUp = true },
            LinkFaults.None with { IsStalledDown = true },
            LinkFaults.None with { IsStalledUp = true, IsStalledDown = true },
        ];
        foreach (var kind in kinds)
        {
            foreach (var door in doors.All)
            {
                door.Faults = kind;
                await Task.Delay(150);
            }

            for (var door = doors.All.Count - 1; door >= 0; door--)
            {
                doors.All[(door + 1) % doors.All.Count].Faults = LinkFaults.None;
            }

            output.WriteLine($"progress after {await run.FlowsAsync(50, s_progressMax)}");
        }

        await run.EndCleanAsync();
    }

    [Fact]
    public async Task Links_SilentInOneDirection_AreGivenUpAndMadeAnew()
    {
        await using var run = await FaultRun.StartAsync(hasDoors: true);
        var doors = run.Doors;
        await run.FlowsAsync();

        // The Register hears nothing more of the workers, though they hear it: they are lost after their lease.
        doors.Register.Faults = LinkFaults.None with { IsSilentUp = true };
        await run.UntilAsync(() => run.Lines(" is Lost: ").Count > 0, s_progressMax, () => "a lost worker");

        // Bytes were lost, so the old connections are of no use to anybody.
        doors.Register.Faults = LinkFaults.None;
        doors.Register.ResetAll();
        output.WriteLine($"progress after {await run.FlowsAsync(100, s_progressMax)}");
        await run.EndCleanAsync();
    }

    [Fact]
    public async Task Worker_CutOffFromTheRegisterAlone_ItsResultsAreRefusedAndItComesBack()
    {
        await using var run = await FaultRun.StartAsync(workers: 1, hasDoors: true);
        var doors = run.Doors;
        var cutOff = run.StartWorker();
        await run.UntilAsync(() => doors.Scheduler.SetFaultsOf(cutOff.Id, LinkFaults.None) > 0);
        await run.FlowsAsync(200);

        var faults = LinkFaults.None with { IsStalledUp = true, IsStalledDown = true };
        Assert.NotEqual(0, doors.Register.SetFaultsOf(cutOff.Id, faults));
        await run.UntilAsync(() => run.Lines(" is Lost: ").Count > 0, s_progressMax, () => "the worker's loss");
        await run.FlowsAsync(200, s_progressMax);

        // What it sends now comes from a registration that is fenced.
        doors.Register.SetFaultsOf(cutOff.Id, LinkFaults.None);
        await run.FlowsAsync(200, s_progressMax);
        await run.EndCleanAsync();
    }

    [Fact]
    public async Task Client_StopsReading_OthersAreServedAndItsResultsComeLater()
    {
        await using var run = await FaultRun.StartAsync(inFlight: 400, hasDoors: true);
        var doors = run.Doors;
        await run.FlowsAsync();
        doors.Plm.SetFaultsOf(Environment.ProcessId, LinkFaults.None with { IsStalledDown = true });
        var before = run.Oracle.Results;

        // Another program on another connection is not held up.
        for (var round = 0; round < 5; round++)
        {
            var (exit, _, error) = await run.Cell.RunAsync("tasks", "--cell", run.Cell.Name, "-o", "json");
            Assert.True(exit == 0, error);
        }

        Assert.InRange(run.Oracle.Results - before, 0, 400);
        doors.Plm.Faults = LinkFaults.None;
        await run.FlowsAsync(400, s_progressMax);
        await run.EndCleanAsync();
    }
}
