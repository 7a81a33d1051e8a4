// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;

namespace Muster.Load;

/// <summary>What one task costs, by kind of process where that is known. Immutable.</summary>
internal sealed record PerTask
{
    /// <summary>Microseconds of CPU.</summary>
    public required IReadOnlyDictionary<string, double> CpuUs { get; init; }

    /// <summary>Times that a thread went to sleep.</summary>
    public required IReadOnlyDictionary<string, double> Sleeps { get; init; }

    /// <summary>Calls that wrote to a file or pipe.</summary>
    public required double FileWrites { get; init; }

    /// <summary>Flushes of the journal to its disk.</summary>
    public required double JournalFlushes { get; init; }

    public required double JournalWrites { get; init; }

    public double CpuUsOfAll => CpuUs.Values.Sum();

    /// <summary>The median of each kind of process.</summary>
    public static Dictionary<string, double> Medians(
        IReadOnlyCollection<PerTask> rounds, Func<PerTask, IReadOnlyDictionary<string, double>> part, int digits) =>
        part(rounds.First()).Keys.ToDictionary(
            kind => kind, kind => Spread.Of([.. rounds.Select(round => part(round)[kind])], digits).Median);

    public override string ToString() => string.Join(", ", CpuUs.Select(pair => $"{pair.Key} {pair.Value:F2}"));
}
