// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Muster.Core;
using Muster.Simulation.Faults;

namespace Muster.Simulation;

/// <summary>The product with one safeguard removed, which the simulation must notice.</summary>
/// <param name="Name">As people call it.</param>
/// <param name="Removed">The property of <see cref="Safeguard"/>.</param>
/// <param name="Focus">Faults without which nobody would miss it.</param>
/// <param name="Caught">Invariants of which one must show it.</param>
internal sealed record Mutant(string Name, string Removed, FaultKind Focus, string[] Caught)
{
    /// <summary>Within how many seeds it must be noticed.</summary>
    public const int SeedsMax = 3_000;

    public static Mutant[] All { get; } =
    [
        new("no fence", nameof(Safeguard.Fence), FaultKind.PauseWorker | FaultKind.Partition, ["I4", "I11"]),
        new("epoch not raised", nameof(Safeguard.CellEpoch), FaultKind.PowerLoss, ["I5", "I8"]),
        new("ack before sync", nameof(Safeguard.SyncBeforeAnswer), FaultKind.PowerLossInside, ["I1", "I7"]),
        new("deliver before journal", nameof(Safeguard.SyncBeforeDelivery), FaultKind.PowerLossInside, ["I3", "I6"]),
        new("no dedup", nameof(Safeguard.KnownRefs), FaultKind.BreakLink | FaultKind.KillRole, ["I8"]),
        new("no dedup of keys", nameof(Safeguard.KnownKeys), FaultKind.Partition | FaultKind.KillRole, ["I8"]),
        new("keys forgotten at start", nameof(Safeguard.KeptKeys), FaultKind.Partition | FaultKind.KillRole, ["I8"]),
        new("keys not journaled", nameof(Safeguard.JournaledKeys), FaultKind.Partition | FaultKind.PowerLoss, ["I8"]),
        new(
            "lease without epoch",
            nameof(Safeguard.NewAttempt),
            FaultKind.PauseWorker | FaultKind.KillWorker,
            ["I5", "I10"]),
        new(
            "left before it is marked",
            nameof(Safeguard.MarkBeforeLeaving),
            FaultKind.Spill | FaultKind.KillInside,
            ["I1", "I2", "I8", "core"]),
        new(
            "copies taken for tasks",
            nameof(Safeguard.CopiesGo),
            FaultKind.Spill | FaultKind.KillInside,
            ["I1", "I2", "I8", "I12", "core"]),
        new("answered before cancelled", nameof(Safeguard.CancelBeforeAnswer), FaultKind.Cancel, ["I17"]),
    ];

    /// <summary>Looks for the first seed that shows it; 0 when none of them does.</summary>
    public ulong Hunt(out SeedReport? report)
    {
        Safeguard.Removed = Removed;
        try
        {
            for (var seed = 1UL; seed <= SeedsMax; seed++)
            {
                report = SeedReport.Of(seed, Focus);
                if (report.Violations.Any(violation => Caught.Contains(violation.Invariant)))
                {
                    return seed;
                }
            }
        }
        finally
        {
            Safeguard.Removed = null;
        }

        report = null;
        return 0;
    }
}
