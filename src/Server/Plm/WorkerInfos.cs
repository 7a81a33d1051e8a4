// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.V1;
using WireHealth = Muster.V1.WorkerHealth;
using WorkerHealth = Muster.Arena.Tables.WorkerHealth;

namespace Muster.Server.PlmHosting;

/// <summary>Reads muster.v1.WorkerInfo from the worker table.</summary>
internal static class WorkerInfos
{
    // A clock that is this far off is worth showing.
    private const long ClockOffsetUsShown = 1_000_000;

    /// <summary>What the row holds; false when it never held a worker.</summary>
    public static bool TryRead(ArenaMap arena, uint row, long nowMs, [NotNullWhen(true)] out WorkerInfo? info)
    {
        var workers = arena.Workers;
        var health = workers.Health(row);
        if (health == WorkerHealth.Free)
        {
            info = null;
            return false;
        }

        ref var fact = ref workers[row];
        info = new WorkerInfo
        {
            WorkerId = workers.IdOf(row),
            Name = workers.Name(row),
            Health = HealthOf(health),
            Reason = Describe((WorkerReason)fact.HealthReason),
            SinceUnixUs = fact.HealthSinceUnixUs,
            Slots = fact.Slots,
            Running = fact.Running,
            Host = workers.Host(row),
            Pid = fact.Pid,
            SilentMs = (ulong)Math.Max(0, nowMs - fact.LastBeatMs),
            FinishedTotal = fact.FinishedTotal,
            ClockOffsetUs = fact.ClockOffsetUs is >= -ClockOffsetUsShown and <= ClockOffsetUsShown
                ? 0
                : fact.ClockOffsetUs,
            Version = workers.Version(row),
            Load = new WorkerLoad
            {
                CpuMilli = fact.CpuMilli,
                MemoryBytes = fact.MemoryBytes,
                PoolDelayUs = fact.PoolDelayUs,
                GcPauseTotalUs = fact.GcPauseTotalUs,
            },
        };
        var names = arena.Handlers;
        for (var handler = 0; handler < names.Count; handler++)
        {
            if (workers.Offers(row, (ushort)handler))
            {
                info.Handlers.Add(names.Name((ushort)handler));
            }
        }

        return true;
    }

    private static WireHealth HealthOf(WorkerHealth health) => health switch
    {
        WorkerHealth.Alive => WireHealth.Alive,
        WorkerHealth.Suspect => WireHealth.Suspect,
        WorkerHealth.Lost => WireHealth.Lost,
        WorkerHealth.Draining => WireHealth.Draining,
        WorkerHealth.Gone => WireHealth.Gone,
        _ => WireHealth.Unspecified,
    };

    private static string Describe(WorkerReason reason) => reason switch
    {
        WorkerReason.Registered => "registered",
        WorkerReason.BeatLate => "its heartbeat is late",
        WorkerReason.StreamClosed => "its heartbeat stream was closed",
        WorkerReason.LeaseExpired => "it was silent for longer than its lease",
        WorkerReason.ProcessExited => "its process has ended",
        WorkerReason.ConnectionsClosed => "its connections were closed at its end, and it did not come back",
        WorkerReason.LivedAfterAll =>
            "its connections were closed at its end; it came back too late, and has another row",
        WorkerReason.Goodbye => "it said goodbye",
        WorkerReason.Drains => "it drains",
        WorkerReason.CameBack => "it came back",
        WorkerReason.ReplacedByNewProcess => "another process took its place",
        WorkerReason.RegisterRestarted => "the Register was restarted and gave it a fresh lease",
        _ => string.Empty,
    };
}
