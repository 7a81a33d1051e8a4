// SPDX-License-Identifier: Apache-2.0
namespace Muster.Journal;

/// <summary>A segment that is there.</summary>
internal readonly record struct SegmentFacts(string Name, SegmentHeader Header)
{
    /// <summary>Position behind its last byte.</summary>
    public ulong EndPosition => Header.BasePosition + (ulong)Header.SegmentBytes;
}
