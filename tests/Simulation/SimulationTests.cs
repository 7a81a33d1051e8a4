// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Xunit;

namespace Muster.Simulation;

/// <summary>Many seeds, and that a seed is a seed.</summary>
public sealed class SimulationTests
{
    private const ulong Seeds = 5_000;
    private const ulong SeedsTwice = 50;

    [Fact]
    public void Seeds_Many_KeepEveryPromise()
    {
        var range = new SeedRange(first: 1, Seeds, threads: Environment.ProcessorCount);
        range.Run();
        Assert.True(range.Failed == 0, string.Join("\n\n", range.Failures.Select(failure => failure.Describe())));
    }

    [Fact]
    public void Seed_RunTwice_TellsTheSameStory()
    {
        for (var seed = 1UL; seed <= SeedsTwice; seed++)
        {
            Assert.Equal(SeedReport.Of(seed).TraceHash, SeedReport.Of(seed).TraceHash);
        }
    }

    [Fact]
    public void Seeds_Different_TellDifferentStories()
    {
        var hashes = Enumerable.Range(1, 20).Select(seed => SeedReport.Of((ulong)seed).TraceHash);
        Assert.Equal(20, hashes.Distinct().Count());
    }
}
