// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Register;

/// <summary>One heartbeat as parsed; the spans live as long as the turn.</summary>
internal readonly ref struct BeatFacts
{
    /// <summary>The message; errors and outputs of results are parts of it.</summary>
    public ReadOnlySpan<byte> Bytes { get; init; }

    public ReadOnlySpan<AttemptReport> Results { get; init; }

    /// <summary>Task ids of what runs; only in beats sent at the interval.</summary>
    public ReadOnlySpan<ulong> Running { get; init; }

    /// <summary>What running attempts said; only in beats sent at the interval.</summary>
    public ReadOnlySpan<ProgressReport> Progress { get; init; }

    public ulong EndedTotal { get; init; }

    /// <summary>The beat was sent at the interval and carries a load.</summary>
    public bool HasLoad { get; init; }

    public LoadFacts Load { get; init; }

    public bool IsGoodbye { get; init; }

    public bool IsDraining { get; init; }
}
