// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Scheduler.Decisions;

namespace Muster.Simulator;

/// <summary>On what, and how, a workload is run.</summary>
internal sealed record SimulationOptions
{
    public required IReadOnlyList<WorkerShape> Workers { get; init; }

    /// <summary>A name of <see cref="PolicyCatalog"/>.</summary>
    public string Policy { get; init; } = PolicyCatalog.Default;

    public Placement Placement { get; init; } = Placement.Pack;

    /// <summary>Whether the policy is told what each task will take; otherwise it learns.</summary>
    public bool KnowsDurations { get; init; }

    /// <summary>Whether the policy sees size hints.</summary>
    public bool UsesHints { get; init; } = true;

    /// <summary>Second copies of tasks that are late; all tasks count as idempotent then.</summary>
    public bool Copies { get; init; }

    /// <summary>The part of all starts that take <see cref="SlowFactor"/> times as long, 0 to 1.</summary>
    public double SlowPart { get; init; }

    public double SlowFactor { get; init; } = 5;

    public ulong Seed { get; init; } = 1;

    /// <summary>From the end of a task to the start of the next one on the same slot, if nothing was sent ahead.
    /// </summary>
    public long RoundTripUs { get; init; }

    /// <summary>Models of earlier runs; they go on learning. Null: none.</summary>
    public ClassModels? Models { get; init; }

    /// <summary>Another policy than the named one; for tests.</summary>
    public ISchedulingPolicy? Instead { get; init; }

    /// <summary>Whether the policy checks itself after every moment; for tests.</summary>
    public bool ChecksInvariants { get; init; }
}
