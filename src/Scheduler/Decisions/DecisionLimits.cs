// SPDX-License-Identifier: Apache-2.0
using Muster.Core;

namespace Muster.Scheduler.Decisions;

/// <summary>The limits of deciding.</summary>
internal static class DecisionLimits
{
    public const int Bands = 8;
    public const int UsersMax = 1 << 20;

    /// <summary>
    /// Live classes of one user and lane; what would be one more waits in one ordered heap, which costs twice as much
    /// per decision and orders the same.
    /// </summary>
    public const int LaneClassesMax = 1_024;

    /// <summary>Live classes in all.</summary>
    public const int ClassesMax = 1 << 16;

    public const int HandlersMax = 1 << 16;

    /// <summary>Different needs.</summary>
    public const int ShapesMax = 1 << 14;

    public const int WorkersMax = 1 << 17;

    /// <summary>Above this many workers a search for the best fit looks at a sample of this size first.</summary>
    public const int SampledWorkers = 512;

    /// <summary>Edges of graphs ranked anew per decision, about 5 us.</summary>
    public const int RankEdgesMax = 2_048;

    /// <summary>Tasks that are weighed against waiting for a faster worker, per decision.</summary>
    public const int WeighedTasksMax = 64;

    /// <summary>Speeds that differ; further ones share the group of the nearest.</summary>
    public const int SpeedGroupsMax = 8;

    /// <summary>Classes that may be tried past a held reservation, per decision.</summary>
    public const int BackfillClassesMax = 4_096;

    /// <summary>The relations between the limits; checked once at the start.</summary>
    public static void Check()
    {
        Invariant.That(LaneClassesMax < ClassesMax);
        Invariant.That(SampledWorkers % 8 == 0);
        Invariant.That(WorkersMax <= 1 << 17);
    }
}
