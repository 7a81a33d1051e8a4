// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;

namespace Muster.Plm;

/// <summary>What became of a batch. Refers to the core's own buffers: read it before the next batch begins.</summary>
/// <param name="ids">One for each item, in order; 0 where it was refused.</param>
/// <param name="faults">The refused items, in order.</param>
/// <param name="duplicates">Positions, in order, of items whose key was known: their ids are the first tasks'.</param>
/// <param name="sequence">What the journal must have reached before the batch is acknowledged; 0: nothing.</param>
/// <param name="durability">How it must have reached it.</param>
internal readonly ref struct BatchReceipt(
    ReadOnlySpan<ulong> ids, List<ItemFault> faults, List<int> duplicates, ulong sequence, byte durability)
{
    public ReadOnlySpan<ulong> Ids { get; } = ids;

    public List<ItemFault> Faults { get; } = faults;

    public List<int> Duplicates { get; } = duplicates;

    public ulong Sequence { get; } = sequence;

    public byte Durability { get; } = durability;
}
