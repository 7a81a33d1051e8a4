// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Core.Tasks;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Arena;

/// <summary>
/// Kills a process with SIGKILL inside its critical sections, at random instants, and looks whether the next holder
/// finds and mends what was half done. MUSTER_KILL_ROUNDS sets the number of kills of each test (50).
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int RoundsDefault = 50;
    private const int LifeMsMax = 30;

    private static int Rounds =>
        int.TryParse(Environment.GetEnvironmentVariable("MUSTER_KILL_ROUNDS"), CultureInfo.InvariantCulture, out var n)
            ? n
            : RoundsDefault;

    [Fact]
    public void ArenaLock_HolderIsKilled_NextHolderIsToldAndMends()
    {
        using var cell = new TestCell();
        using var map = cell.Open();
        var (diedInside, halfDone) = (0, 0);
        var longest = TimeSpan.Zero;
        ForEachKill("words", cell, round =>
        {
            var start = Stopwatch.GetTimestamp();
            using var scope = map.NamesLock.Enter();
            longest = Longer(longest, Stopwatch.GetElapsedTime(start));
            var words = map.ProofWords;
            if (scope.NeedsRepair)
            {
                diedInside++;
                halfDone += words[0] == words[1] ? 0 : 1;
                Assert.InRange(words[0] - words[1], 0UL, 1UL);
                words[1] = words[0];
                scope.MarkRepaired();
            }

            Assert.True(words[0] == words[1], $"round {round}: {words[0]} and {words[1]} without being told");
            Assert.True(words[0] > 0);
        });

        output.WriteLine(
            $"{Rounds} kills: {diedInside} inside, {halfDone} half done, all mended; lock had after at most {longest}");
        Assert.True(halfDone * 10 >= Rounds, $"only {halfDone} of {Rounds} kills hit a half-done change");
        Assert.Equal(0u, map.NamesLock.Killed);
    }

    [Fact]
    public void TaskHeap_HolderIsKilled_ListsAreRebuiltAndNoTaskIsLost()
    {
        using var cell = new TestCell();
        using var map = cell.Open();
        var classes = new ReadyClass[16];
        var longest = TimeSpan.Zero;
        var ready = 0UL;
        ForEachKill("heap", cell, _ =>
        {
            var start = Stopwatch.GetTimestamp();
            map.Ready.ReadyClasses(classes);
            longest = Longer(longest, Stopwatch.GetElapsedTime(start));
            map.Ready.CheckInvariants();
            ready += map.Ready.Count;
            for (var slot = 0u; slot < map.Tasks.HighWater; slot++)
            {
                Assert.True(map.Tasks.Read(slot).State is TaskState.Free or TaskState.Accepted or TaskState.Ready
                    or TaskState.Assigned or TaskState.Reported or TaskState.Done);
            }
        });

        output.WriteLine($"{Rounds} kills: the lists equal the slots each time; lock had after at most {longest}");
        Assert.True(ready > 0);
        DrainAll(map);
    }

    private static void DrainAll(ArenaMap map)
    {
        var tasks = new TakenTask[1_024];
        var classes = new ReadyClass[16];
        var count = map.Ready.ReadyClasses(classes);
        foreach (var each in classes.AsSpan(0, count))
        {
            var taken = map.Ready.Take(each.Id, 0, map.Epoch, 0, tasks);
            Assert.Equal(each.Count, (uint)taken);
        }

        Assert.Equal(0UL, map.Ready.Count);
        map.Ready.CheckInvariants();
    }

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static void ForEachKill(string work, TestCell cell, Action<int> check)
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < Rounds; round++)
        {
            using var dummy = Dummy.StartReady(work, cell.Name);
            if (!dummy.RunsFor(random.Next(1, LifeMsMax)))
            {
                Assert.Fail($"seed {seed}, round {round}: it ended by itself: {dummy.ReadLine()}");
            }

            dummy.Kill();
            check(round);
            Assert.Null(dummy.ReadLine());
        }
    }
}
