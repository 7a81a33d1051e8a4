// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Core;

namespace Muster.Journal;

/// <summary>What a repair would do, and why.</summary>
internal sealed record RepairPlan
{
    /// <summary>What is wrong; none when nothing has to be done.</summary>
    public required Fault Damage { get; init; }

    /// <summary>Segments that stay as they are, oldest first.</summary>
    public IReadOnlyList<SegmentFacts> Kept { get; init; } = [];

    /// <summary>The segment that is made anew with the records before the damage; null for none.</summary>
    public SegmentFacts? Rebuilt { get; init; }

    /// <summary>Where the kept records of <see cref="Rebuilt"/> end.</summary>
    public long RebuiltBytes { get; init; }

    /// <summary>Files that get another name, newest first. That of <see cref="Rebuilt"/> is copied instead.</summary>
    public IReadOnlyList<string> Aside { get; init; } = [];

    /// <summary>The last sequence that is kept; 0 for none.</summary>
    public ulong LastSequence { get; init; }

    /// <summary>
    /// Not 0: records from here to the first that is kept are needed and missing, so what is kept is only a part.
    /// </summary>
    public ulong MissingFrom { get; init; }

    /// <summary>The first sequence that is kept.</summary>
    public ulong FirstSequence { get; init; }

    public bool IsNeeded => !Damage.IsNone;
}
