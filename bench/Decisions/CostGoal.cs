// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Linq;
using System.Text.Json.Nodes;
using Muster.Scheduler.Decisions;

namespace Muster.Decisions;

/// <summary>
/// What one decision costs: a task ends, its model learns, a new one becomes ready, and the next one is started, with
/// 1,000 and with 1,000,000 waiting, of 16 users and 256 handlers on 64 workers. The clock's own cost is taken off.
/// </summary>
internal static class CostGoal
{
    private const int Rounds = 5;
    private const double InterruptedNs = 20_000;
    private const int Turns = 100_000;
    private const int Workers = 64;
    private const int Users = 16;
    private const int Handlers = 256;

    public static JsonObject Measure()
    {
        // What else the machine does lands on some round or other; the least of several is nearest to the cost itself.
        Run(1_000);
        var few = Enumerable.Range(0, Rounds).Select(_ => Run(1_000)).MinBy(round => round.MeanNs);
        var many = Enumerable.Range(0, Rounds).Select(_ => Run(1_000_000)).MinBy(round => round.MeanNs);
        Console.WriteLine(
            $"G7 1 k waiting: mean {few.MeanNs:F0} ns, p99 {few.P99Ns:F0} ns; 1 M waiting: mean {many.MeanNs:F0} ns, "
            + $"p99 {many.P99Ns:F0} ns; allocated {many.Bytes} bytes");
        return new()
        {
            ["mean_ns"] = Figures.Round(many.MeanNs),
            ["p99_ns"] = Figures.Round(many.P99Ns),
            ["mean_ns_1k"] = Figures.Round(few.MeanNs),
            ["ratio_1m_1k"] = Figures.Round(many.MeanNs / few.MeanNs),
            ["allocated_bytes"] = many.Bytes,
            ["turn_mean_ns"] = Figures.Round(many.TurnNs),
        };
    }

    private static (double MeanNs, double P99Ns, double TurnNs, long Bytes) Run(int waiting)
    {
        var random = new RandomStream(3);
        var policy = PolicyCatalog.Create("adaptive", Placement.Pack, copies: false)!;
        var shape = policy.Intern(new(1));
        for (var worker = 0; worker < Workers; worker++)
        {
            policy.AddWorker(worker, new(1), 1);
        }

        for (var task = 0; task < waiting + Workers; task++)
        {
            policy.Admit(task, Facts(random, shape));
            policy.Ready(task, task);
        }

        var running = new (int Task, int Worker)[Workers];
        for (var each = 0; each < Workers; each++)
        {
            policy.TryStart(waiting, out var start);
            running[each] = (start.Task, start.Worker);
        }

        long nowUs = waiting;
        Turn(policy, random, shape, running, ref nowUs, new long[Turns / 4]);
        var ticks = new long[Turns];
        var before = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        Turn(policy, random, shape, running, ref nowUs, ticks);
        var turnNs = clock.Elapsed.TotalNanoseconds / Turns;
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        var empty = ClockNs();
        Array.Sort(ticks);

        // In a turn of 20 us or more the machine gave the processor to somebody else.
        var own = ticks.TakeWhile(each => each * NsPerTick < InterruptedNs);
        return (
            Math.Max(0, (own.Average() * NsPerTick) - empty),
            Math.Max(0, (ticks[(int)(Turns * 0.99)] * NsPerTick) - empty), turnNs, bytes);
    }

    private static double NsPerTick => 1e9 / Stopwatch.Frequency;

    private static void Turn(
        ISchedulingPolicy policy, RandomStream random, int shape, (int Task, int Worker)[] running, ref long nowUs,
        long[] ticks)
    {
        for (var turn = 0; turn < ticks.Length; turn++)
        {
            ref var slot = ref running[turn % running.Length];
            var (task, worker) = slot;
            nowUs += 10;
            var ran = 100 + random.Next(100_000);
            var facts = Facts(random, shape);
            policy.Ended(task, worker, ran, nowUs);
            policy.Admit(task, facts);
            policy.Ready(task, nowUs);
            var before = Stopwatch.GetTimestamp();
            policy.TryStart(nowUs, out var start);
            ticks[turn] = Stopwatch.GetTimestamp() - before;
            slot = (start.Task, start.Worker);
        }
    }

    private static double ClockNs()
    {
        var least = double.MaxValue;
        for (var batch = 0; batch < 50; batch++)
        {
            var before = Stopwatch.GetTimestamp();
            var last = before;
            for (var each = 0; each < 1_000; each++)
            {
                last = Stopwatch.GetTimestamp();
            }

            least = Math.Min(least, (last - before) * NsPerTick / 1_000);
        }

        return least;
    }

    private static TaskFacts Facts(RandomStream random, int shape) => new()
    {
        User = random.Next(Users), Handler = random.Next(Handlers), Shape = shape,
    };
}
