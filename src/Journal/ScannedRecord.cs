// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Journal;

/// <summary>A record as it was found, marks included. <see cref="Body"/> is valid until the scan goes on.</summary>
internal readonly ref struct ScannedRecord(
    RecordHeader header, ulong segment, long offset, ReadOnlySpan<byte> body)
{
    public RecordHeader Header { get; } = header;

    /// <summary>Number of its segment.</summary>
    public ulong Segment { get; } = segment;

    /// <summary>Where it is in its segment's file.</summary>
    public long Offset { get; } = offset;

    public ReadOnlySpan<byte> Body { get; } = body;
}
