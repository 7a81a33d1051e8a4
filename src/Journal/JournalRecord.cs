// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Journal;

/// <summary>One record as it is read. <see cref="Body"/> is valid until the reader goes on.</summary>
internal readonly ref struct JournalRecord(ulong sequence, ushort kind, ReadOnlySpan<byte> body)
{
    /// <summary>Grows with every record; not by one, since the journal's own marks take numbers too.</summary>
    public ulong Sequence { get; } = sequence;

    /// <summary>What the writer called it, below <see cref="JournalLimits.KindsMax"/>.</summary>
    public ushort Kind { get; } = kind;

    public ReadOnlySpan<byte> Body { get; } = body;
}
