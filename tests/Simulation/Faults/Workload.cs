// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Checking;
using Muster.Client.Sessions;
using Muster.Simulation.Actors;
using Muster.Simulation.Kernel;

namespace Muster.Simulation.Faults;

/// <summary>What the clients of a seed will submit, and when.</summary>
internal static class Workload
{
    private static readonly string[] s_handlers = ["first", "second"];
    private static readonly TimeSpan s_long = TimeSpan.FromDays(20);

    public static void Plan(
        SimRandom random,
        SeedPlan plan,
        IReadOnlyList<ClientProcess> clients,
        IReadOnlyList<CallerProcess> callers)
    {
        var key = 0x5eed_0000UL;
        var moments = new long[Math.Max(1, plan.Tasks / 6)];
        for (var at = 0; at < moments.Length; at++)
        {
            moments[at] = random.Range(0, plan.FaultsUs);
        }

        Array.Sort(moments);
        var left = plan.Tasks;
        for (var at = 0; at < moments.Length; at++)
        {
            var count = at == moments.Length - 1 ? left : Math.Min(left, 1 + random.Below(12));
            left -= count;
            if (count == 0)
            {
                break;
            }

            var items = new List<PlannedTask>();
            var kind = KindOf(random);
            for (var item = 0; item < count; item++)
            {
                items.Add(MakeTask(random, plan, ++key, random.Chance(200) ? KindOf(random) : kind));
            }

            // Few classes, so that each has more than the arena shall hold.
            var isSmall = plan.Faults.HasFlag(FaultKind.Spill) && random.Chance(800);
            var handler = s_handlers[isSmall ? 0 : random.Below(2)];
            var durability = DurabilityOf(random, plan);
            var level = (durability, plan.HasJournal) switch
            {
                (Durability.Memory, _) or (_, false) => HistoryLevel.Memory,
                (Durability.Relaxed, _) => HistoryLevel.Relaxed,
                _ => HistoryLevel.Durable,
            };
            var options = OptionsOf(random, durability);
            options = isSmall ? options with { Priority = 4 } : options;
            if (callers.Count == 0 || random.Chance(700))
            {
                var client = clients[random.Below(clients.Count)];
                client.Plan(new(moments[at], level, EncodedTaskOptions.Create(handler, options), items));
                continue;
            }

            // Who calls again with the same key asks for a result that no session keeps; the clock may jump meanwhile.
            var kept = options with { KeyRetention = s_long, Retention = s_long };
            callers[random.Below(callers.Count)].Plan(
                new(moments[at], level, EncodedTaskOptions.Create(handler, kept), items));
        }
    }

    private static Durability DurabilityOf(SimRandom random, SeedPlan plan) => random.Below(10) switch
    {
        0 or 1 => Durability.Memory,
        2 or 3 when plan.HasJournal => Durability.Relaxed,
        4 or 5 when plan.HasJournal => Durability.Durable,
        _ => Durability.CellDefault,
    };

    private static SubmitOptions OptionsOf(SimRandom random, Durability durability)
    {
        var attemptsMax = random.Chance(250) ? 1 : 1 + random.Below(4);
        return new()
        {
            Durability = durability,
            Priority = random.Chance(500) ? 4 : random.Below(8),
            AttemptsMax = attemptsMax,
            RetryDelay = random.Chance(500) ? TimeSpan.FromMilliseconds(random.Range(20, 900)) : null,
            RetryFactor = random.Chance(300) ? 1 + (random.Below(300) / 100.0) : 2,
            RetryJitter = random.Chance(300) ? random.Below(101) / 100.0 : 0,
            Timeout = random.Chance(500) ? TimeSpan.FromMilliseconds(random.Range(30, 900)) : null,
            ProgressTimeout = random.Chance(200) ? TimeSpan.FromMilliseconds(random.Range(30, 900)) : null,
            KeyRetention = TimeSpan.FromSeconds(5),
            Retention = TimeSpan.FromSeconds(1),
            ExpiresAfter = random.Chance(80) ? TimeSpan.FromMilliseconds(random.Range(50, 4_000)) : null,

            // Of tasks with one attempt: the checker takes a timed-out end of others for their last failure.
            TotalTimeout = attemptsMax == 1 && random.Chance(300)
                ? TimeSpan.FromMilliseconds(random.Range(50, 4_000))
                : null,
        };
    }

    private static TaskKind KindOf(SimRandom random) => random.Below(20) switch
    {
        0 => TaskKind.KillsWorker,
        1 => TaskKind.Hangs,
        2 or 3 => TaskKind.FailsAlways,
        4 or 5 or 6 => TaskKind.FailsFirst,
        _ => TaskKind.Succeeds,
    };

    private static PlannedTask MakeTask(SimRandom random, SeedPlan plan, ulong key, TaskKind kind) => new(
        key,
        TaskBytes.MakePayload(
            key,
            kind,
            1 + random.Below(3),
            (uint)random.Skewed(100, plan.WorkUsMax),
            random.Chance(900) ? random.Below(40) : random.Below(1_500),
            random.Below(plan.FillerBytesMax)));
}
