// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Muster.Shared.Faults;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Faults;

/// <summary>
/// A cell in a network of its own, with workers that reach it over TCP there: partitions in both directions and in one,
/// packets lost by chance, a slow link. Needs root, as CI has it.
/// </summary>
public sealed class NetworkTests(ITestOutputHelper output)
{
    private const int RegisterPort = 7103;
    private const int SchedulerPort = 7102;

    private static readonly TimeSpan s_progressMax = TimeSpan.FromSeconds(13);

    [Fact]
    public async Task Workers_PartitionedBothWays_AreLostAndComeBack()
    {
        await using var space = await NetworkSpace.CreateAsync();
        await using var run = await StartAsync(space);

        // One worker on the host's sockets goes on meanwhile.
        var local = run.StartWorker();
        await run.FlowsAsync(200);
        await space.SetRulesAsync("tcp dport { 7102, 7103 } drop", "tcp sport { 7102, 7103 } drop");
        await run.UntilAsync(
            () => run.Lines(" is Lost: ").Count >= 2, TimeSpan.FromSeconds(20), () => "two lost workers");
        await run.FlowsAsync(200, s_progressMax);

        await space.SetRulesAsync();
        local.Kill();
        output.WriteLine($"progress by those that were cut off after {await run.FlowsAsync(100, s_progressMax)}");
        await run.EndCleanAsync();
    }

    [Fact]
    public async Task Workers_CutInOneDirection_ComeBackWhenItHeals()
    {
        await using var space = await NetworkSpace.CreateAsync();
        await using var run = await StartAsync(space);

        // The first lasts past the lease; the others are over before anybody may be given up.
        (string Rule, int LengthMs)[] cuts =
        [
            ("tcp dport { 7102, 7103 } drop", 4_000),
            ("tcp sport { 7102, 7103 } drop", 1_500),
            ("tcp dport 7102 drop", 1_500),
            ("tcp sport 7103 drop", 1_500),
        ];
        foreach (var (rule, lengthMs) in cuts)
        {
            await space.SetRulesAsync(rule);
            await Task.Delay(lengthMs);
            await space.SetRulesAsync();
            output.WriteLine($"{rule}: progress after {await run.FlowsAsync(100, s_progressMax)}");
        }

        await run.EndCleanAsync();
    }

    [Theory]
    [InlineData(20)]
    [InlineData(30)]
    public async Task Network_LosesPackets_TasksGoOn(int percent)
    {
        await using var space = await NetworkSpace.CreateAsync();
        await using var run = await StartAsync(space);
        await space.SetRulesAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"tcp dport {{ 7102, 7103 }} numgen random mod 100 < {percent} drop"));
        output.WriteLine($"300 results after {await run.FlowsAsync(300, TimeSpan.FromSeconds(45))}");
        await space.SetRulesAsync();
        await run.EndCleanAsync();
    }

    [Fact]
    public async Task Workers_ConnectionsAreReset_NothingIsLost()
    {
        await using var space = await NetworkSpace.CreateAsync();
        await using var run = await StartAsync(space);
        for (var round = 0; round < 5; round++)
        {
            await space.SetRulesAsync("tcp dport { 7102, 7103 } reject with tcp reset");
            await Task.Delay(100);
            await space.SetRulesAsync();
            await run.FlowsAsync(50, s_progressMax);
        }

        await run.EndCleanAsync();
    }

    [Fact]
    public async Task Link_IsSlowAndPayloadsLarge_NobodyIsLost()
    {
        await using var space = await NetworkSpace.CreateAsync();
        await using var run = await StartAsync(space, payloadBytes: 100_000, inFlight: 8);
        await space.SetRateAsync("8mbit");
        output.WriteLine($"20 results of 100 KB tasks after {await run.FlowsAsync(20, TimeSpan.FromSeconds(40))}");
        await space.SetRateAsync(null);
        await run.EndCleanAsync();
        Assert.Empty(run.Lines(" is Lost: "));
    }

    private static async Task<FaultRun> StartAsync(NetworkSpace space, int payloadBytes = 100, int inFlight = 200)
    {
        var setup = new CellSetup
        {
            RoleOptions = new Dictionary<string, string[]>
            {
                ["scheduler"] = ["--bind", $"127.0.0.1:{SchedulerPort}"],
                ["register"] = ["--bind", $"127.0.0.1:{RegisterPort}"],
            },
            Wrapper = new Dictionary<string, string[]>
            {
                ["scheduler"] = space.Wrapper,
                ["register"] = space.Wrapper,
            },
        };
        var run = await FaultRun.StartAsync(setup, workers: 0, inFlight, payloadBytes: payloadBytes);
        for (var worker = 0; worker < 2; worker++)
        {
            run.StartWorkerWrapped(
                space.WrapperWithout(run.Cell.Folder), $"http://127.0.0.1:{RegisterPort}");
        }

        await run.FlowsAsync();
        return run;
    }
}
