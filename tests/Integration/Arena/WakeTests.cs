// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using Muster.Core;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Arena;

/// <summary>Wake words between processes.</summary>
public sealed class WakeTests(ITestOutputHelper output)
{
    private const int Rounds = 20_000;

    [Fact]
    public void Signal_OtherProcessSleepsOrSpins_EverySignalIsAnswered()
    {
        using var cell = new TestCell();
        using var map = cell.Open();
        using var dummy = Dummy.StartReady("echo", cell.Name);
        var times = new double[Rounds];
        for (var round = 0; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            map.Wake(Role.Scheduler).Signal();
            Assert.True(map.Wake(Role.Plm).Wait(30_000), $"round {round} was not answered");
            times[round] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }

        Array.Sort(times);
        var (median, p99) = (times[Rounds / 2], times[Rounds * 99 / 100]);
        output.WriteLine($"there and back: {median:f2} us median, {p99:f2} us p99, {times[^1]:f0} us worst");
    }

    [Fact]
    public void Signal_WaiterDiedAsleep_NextWaiterGetsIt()
    {
        using var cell = new TestCell();
        using var map = cell.Open();
        using (var first = Dummy.StartReady("echo", cell.Name))
        {
            map.Wake(Role.Scheduler).Signal();
            Assert.True(map.Wake(Role.Plm).Wait(30_000));
            first.Kill();
        }

        map.Wake(Role.Scheduler).Signal();
        using var second = Dummy.StartReady("echo", cell.Name);
        Assert.True(map.Wake(Role.Plm).Wait(30_000));
    }
}
