// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Scheduler.Decisions;
using Muster.Scheduler.Decisions.Orders;
using Muster.Simulator;
using Xunit;
using Run = Muster.Simulator.Simulation;

namespace Muster.Unit.Simulator;

/// <summary>What holds for every policy, over random clusters and tasks. A failure names its seed.</summary>
public class PropertyTests
{
    private const int Seeds = 12;

    public static TheoryData<string> Policies => new(PolicyCatalog.Names);

    [Theory]
    [MemberData(nameof(Policies))]
    public void Policy_RandomClusters_NoCapacityExceededAndEveryTaskEnds(string policy)
    {
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var (workload, workers) = Draw(seed, isWide: true);
            var run = Run.Run(workload, new() { Workers = workers, Policy = policy, ChecksInvariants = true });
            Assert.All(run.EndUs, end => Assert.True(end > 0, $"seed {seed}"));
            AssertWithinCapacity(run, seed);
            AssertParentsFirst(run, seed);
        }
    }

    [Theory]
    [MemberData(nameof(Policies))]
    public void Policy_SameSeed_DecidesTheSame(string policy)
    {
        var (workload, workers) = Draw(5, isWide: true);
        var options = new SimulationOptions { Workers = workers, Policy = policy, SlowPart = 0.05, Copies = true };
        var first = Run.Run(workload, options);
        var second = Run.Run(workload, options);
        Assert.Equal(first.Order, second.Order);
        Assert.Equal(first.StartUs, second.StartUs);
        Assert.Equal(first.Worker, second.Worker);
    }

    [Fact]
    public void Adaptive_HigherBand_StartsFirstWheneverBothWait()
    {
        var policy = new CentralPolicy(new AdaptiveOrder());
        var shape = policy.Intern(new(1));
        policy.AddWorker(0, new(1), 1);
        for (var task = 0; task < 80; task++)
        {
            policy.Admit(task, new() { Band = (byte)(task % 8), Shape = shape, User = task % 3 });
            policy.Ready(task, 0);
        }

        var bands = new List<int>();
        for (var now = 1L; policy.TryStart(now, out var start); now++)
        {
            bands.Add(start.Task % 8);
            policy.Ended(start.Task, 0, 1, now);
        }

        // The window is nothing: one slot, one decision, the highest band that waits.
        Assert.Equal(bands.OrderDescending(), bands);
        Assert.Equal(80, bands.Count);
    }

    [Fact]
    public void Fair_Weights_AreHonouredWithinTwoPercent()
    {
        var policy = new CentralPolicy(new FairOrder());
        var shape = policy.Intern(new(1));
        double[] weights = [1, 2, 5];
        for (var worker = 0; worker < 4; worker++)
        {
            policy.AddWorker(worker, new(1), 1);
        }

        for (var user = 0; user < weights.Length; user++)
        {
            policy.SetWeight(user, 4, weights[user]);
        }

        for (var task = 0; task < 30_000; task++)
        {
            policy.Admit(task, new() { User = task % 3, Shape = shape, GivenUs = 4 });
            policy.Ready(task, 0);
        }

        var had = new double[3];
        var running = new Queue<Start>();
        for (var now = 0L; now < 8_000; now++)
        {
            while (policy.TryStart(now, out var start))
            {
                running.Enqueue(start);
                had[start.Task % 3]++;
            }

            var ended = running.Dequeue();
            policy.Ended(ended.Task, ended.Worker, 4, now + 1);
        }

        Assert.All(weights.Index(), each => Assert.Equal(
            each.Item / weights.Sum(), had[each.Index] / had.Sum(), 0.02 * each.Item / weights.Sum()));
    }

    [Fact]
    public void Adaptive_WideTaskAmongNarrowOnes_IsNotOvertakenForEver()
    {
        var builder = new WorkloadBuilder();
        for (var each = 0; each < 2_000; each++)
        {
            builder.SetUser(builder.Add("narrow", 1_000_000 + (each % 7 * 100_000), new(1), each * 250_000L), "many");
        }

        var wide = builder.Add("wide", 1_000_000, new(4), 10_000_000);
        builder.SetUser(wide, "one");
        var run = Run.Run(
            builder.TryBuild("wide", 10_000, [], out _)!,
            new() { Workers = [new(new(4)), new(new(4))], ChecksInvariants = true });

        // One narrow task's time to drain a worker, and as much again for what was guessed wrongly.
        Assert.InRange(run.StartUs[wide] - run.ReadyUs[wide], 0, 6_000_000);
    }

    [Fact]
    public void Adaptive_LongTaskAmongShortOnes_StartsWithinItsPatience()
    {
        var builder = new WorkloadBuilder();
        var slow = builder.Add("long", 1_000_000, new(1), 1);
        for (var each = 0; each < 30_000; each++)
        {
            builder.Add("short", 10_000, new(1), each * 9_990L);
        }

        var run = Run.Run(
            builder.TryBuild("long", 10_000, [], out _)!,
            new() { Workers = [new(new(1))], KnowsDurations = true });
        Assert.InRange(run.StartUs[slow], 0, 66_000_000);
    }

    [Fact]
    public void Copies_SlowStart_EndsSoonerAndIsCountedOnce()
    {
        var builder = new WorkloadBuilder();
        for (var each = 0; each < 400; each++)
        {
            builder.Add("alike", 1_000_000, new(1));
        }

        var workload = builder.TryBuild("alike", 10_000, [], out _)!;
        var options = new SimulationOptions
        {
            Workers = [.. Enumerable.Repeat(new WorkerShape(new(1)), 50)], SlowPart = 0.02, SlowFactor = 10, Seed = 3,
        };
        var without = Run.Run(workload, options);
        var with = Run.Run(workload, options with { Copies = true });
        Assert.True(with.Copies > 0);
        Assert.True(with.MakespanUs < without.MakespanUs, $"{with.MakespanUs} against {without.MakespanUs}");
        Assert.All(with.EndUs, end => Assert.True(end > 0));
    }

    [Theory]
    [InlineData(1_000_000, 1_000, 0)]
    [InlineData(3_001, 1_000, 0)]
    [InlineData(500, 1_000, 2)]
    [InlineData(10, 1_000, 16)]
    [InlineData(0, 1_000, 0)]
    public void PrefetchRule_Ahead_FillsARoundTripOfShortTasks(double p50Us, double roundTripUs, int ahead) =>
        Assert.Equal(ahead, PrefetchRule.Ahead(p50Us, roundTripUs));

    [Fact]
    public void Decisions_ManyWaiting_AllocateNothing()
    {
        var policy = new CentralPolicy(new AdaptiveOrder());
        var shape = policy.Intern(new(1));
        policy.AddWorker(0, new(1), 1);
        for (var task = 0; task < 20_000; task++)
        {
            policy.Admit(task, new() { User = task % 5, Handler = task % 50, Shape = shape });
            policy.Ready(task, task);
        }

        Turn(policy, 10_000, 100_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Turn(policy, 9_000, 200_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Turn(CentralPolicy policy, int times, long nowUs)
    {
        for (var turn = 0; turn < times; turn++)
        {
            policy.TryStart(nowUs + turn, out var start);
            policy.Ended(start.Task, start.Worker, 100 + (turn % 1_000), nowUs + turn);
        }
    }

    private static void AssertWithinCapacity(SimulationResult run, int seed)
    {
        for (var worker = 0; worker < run.Options.Workers.Count; worker++)
        {
            var events = Enumerable.Range(0, run.Workload.Count).Where(task => run.Worker[task] == worker)
                .SelectMany(task => new (long At, long Slots)[]
                {
                    (run.StartUs[task], run.Workload.SlotsOf(task)), (run.EndUs[task], -run.Workload.SlotsOf(task)),
                })
                .OrderBy(each => each.At).ThenBy(each => each.Slots);
            var used = 0L;
            foreach (var (_, slots) in events)
            {
                used += slots;
                Assert.True(used <= run.Options.Workers[worker].Has.Slots, $"seed {seed}, worker {worker}");
            }
        }
    }

    private static void AssertParentsFirst(SimulationResult run, int seed)
    {
        var workload = run.Workload;
        for (var task = 0; task < workload.Count; task++)
        {
            for (var edge = workload.ChildStart[task]; edge < workload.ChildStart[task + 1]; edge++)
            {
                Assert.True(run.StartUs[workload.Children[edge]] >= run.EndUs[task], $"seed {seed}");
            }
        }
    }

    private static (Workload Workload, IReadOnlyList<WorkerShape> Workers) Draw(int seed, bool isWide)
    {
        var random = new Random(seed);
        var workers = Enumerable.Range(0, random.Next(1, 9))
            .Select(each => new WorkerShape(new(8, 1_000), seed % 3 == 0 ? 1 + (each % 2) : 1)).ToList();
        var builder = new WorkloadBuilder();
        for (var task = 0; task < 300; task++)
        {
            var need = new Resources(isWide ? random.Next(1, 9) : 1, random.Next(0, 400));
            builder.Add($"class {random.Next(6)}", random.Next(1, 5_000_000), need, random.Next(0, 20_000_000));
            builder.SetUser(task, $"user {random.Next(4)}");
            for (var parent = random.Next(0, 4); seed % 2 == 0 && task > 0 && parent > 2; parent--)
            {
                builder.AddEdge(random.Next(task), task);
            }
        }

        return (builder.TryBuild("random", 10_000, [], out _)!, workers);
    }
}
