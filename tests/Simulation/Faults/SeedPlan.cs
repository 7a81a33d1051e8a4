// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Plm;
using Muster.Register;
using Muster.Scheduler;
using Muster.Simulation.Kernel;

namespace Muster.Simulation.Faults;

/// <summary>
/// What a seed is like, drawn before it begins: who is there, what there is to do, and what goes wrong.
/// </summary>
internal sealed class SeedPlan
{
    // What came back from a journal keeps payloads and results in one region, which must hold both.
    private const long JournaledPayloadBytesMax = 16 << 20;

    private static readonly ArenaLimits s_arena = new()
    {
        TasksMax = ArenaLimits.TasksMaxMin,
        WorkersMax = 32,
        ClientsMax = ArenaLimits.RowsMin,
        PayloadBytesMax = ArenaLimits.PayloadBytesMin,
        ResultBytesMax = ArenaLimits.ResultBytesMin,
    };

    private const FaultKind NeedsJournal = FaultKind.PowerLossInside | FaultKind.DiskFails | FaultKind.DiskFull
        | FaultKind.SlowDisk | FaultKind.Damage;

    private static readonly FaultKind[] s_kinds = Enum.GetValues<FaultKind>()[1..];

    public SeedPlan(SimRandom random, FaultKind focus)
    {
        HasJournal = random.Chance(600) || (focus & NeedsJournal) != 0;
        Arena = HasJournal ? s_arena with { PayloadBytesMax = JournaledPayloadBytesMax } : s_arena;
        Faults = Draw(random) | focus;
        FlushUsMax = Faults.HasFlag(FaultKind.SlowDisk) ? random.Skewed(20_000, 400_000) : 5_000;
        SnapshotBytesMin = (int)random.Skewed(4 << 10, 256 << 10);
        FaultsUs = random.Skewed(500_000, 8_000_000);
        Clients = 1 + random.Below(3);
        Workers = 1 + random.Below(4);
        Tasks = (int)random.Skewed(4, 90);
        var isPressed = Faults.HasFlag(FaultKind.Pressure);
        var isSmall = Faults.HasFlag(FaultKind.Spill);
        Tasks = isSmall ? Math.Max(Tasks, (int)random.Range(40, 160)) : Tasks;
        Plm = new PlmOptions
        {
            OutstandingMax = isPressed ? (uint)random.Range(3, 20) : 0,
            HoldFrom = isSmall ? (uint)random.Range(1, 6) : 0,
            ExtentTasks = isSmall ? 1 + random.Below(4) : 0,
        };
        OutboxBytesMax = isPressed ? random.Range(200, 4_000) : 256 * 1024;
        ResultsPerMessage = (int)random.Skewed(1, 64);
        FillerBytesMax = isPressed && random.Chance(100) ? 120_000 : 64;

        // Small ones are changed often; all facts of a turn must fit into one.
        SegmentBytes = FillerBytesMax > 64 ? 2 << 20 : Tasks <= 30 ? 32 << 10 : 128 << 10;
        WakeDelayUsMax = Faults.HasFlag(FaultKind.SlowWakes) ? random.Skewed(1_000, 40_000) : 300;
        DuplicatePermille = Faults.HasFlag(FaultKind.Duplicate) ? 100 : 0;
        GoesFirstPermille = Faults.HasFlag(FaultKind.Interleave) ? (int)random.Range(20, 300) : 0;
        LatencyUsMax = Faults.HasFlag(FaultKind.SlowNetwork) ? random.Skewed(2_000, 300_000) : 800;
        WorkUsMax = random.Skewed(2_000, 1_500_000);
    }

    public FaultKind Faults { get; }

    /// <summary>The cell has a disk, and so more to promise than memory.</summary>
    public bool HasJournal { get; }

    /// <summary>The longest that a flush takes.</summary>
    public long FlushUsMax { get; }

    public int SegmentBytes { get; }

    public int SnapshotBytesMin { get; }

    /// <summary>For how long things go wrong.</summary>
    public long FaultsUs { get; }

    public int Clients { get; }

    public int Workers { get; }

    public int Tasks { get; }

    public ArenaLimits Arena { get; }

    public PlmOptions Plm { get; }

    public SchedulerOptions Scheduler { get; } = new();

    public RegisterOptions Register { get; } = new();

    public long OutboxBytesMax { get; }

    public int ResultsPerMessage { get; }

    public int FillerBytesMax { get; }

    public long WakeDelayUsMax { get; set; }

    public int DuplicatePermille { get; set; }

    public int GoesFirstPermille { get; set; }

    public long LatencyUsMax { get; set; }

    /// <summary>The longest that a task runs.</summary>
    public long WorkUsMax { get; }

    /// <summary>How long this flush takes.</summary>
    public long FlushUs(SimRandom random) => random.Skewed(50, FlushUsMax);

    /// <summary>How long before a power loss relaxed tasks may have been accepted that it takes along.</summary>
    public long RelaxedWindowUs => 10_000 + (2 * FlushUsMax) + 1_000;

    /// <summary>How long until a dead role's successor is there.</summary>
    public static long RestartUs(SimRandom random) => random.Skewed(20_000, 2_000_000);

    /// <summary>
    /// Within how long everything must end once nothing goes wrong: two leases and the brake's one more, the longest
    /// back-off, ten seconds, and the time that the work itself takes.
    /// </summary>
    public long EndWithinUs => (3 * Register.LeaseMs * 1_000L) + 60_000_000 + (Tasks * ((4L * WorkUsMax) + 8_000_000));

    private FaultKind Draw(SimRandom random)
    {
        if (random.Chance(60))
        {
            return FaultKind.None;
        }

        var share = random.Skewed(40, 500);
        var faults = FaultKind.None;
        foreach (var kind in s_kinds)
        {
            // A cell without a journal promises little once its memory is gone, which would blind the other checks.
            var isLoss = kind is FaultKind.PowerLoss or FaultKind.ArenaLoss && !HasJournal;
            faults |= random.Chance(isLoss ? 60 : (int)share) ? kind : FaultKind.None;
        }

        return HasJournal ? faults : faults & ~NeedsJournal;
    }
}
