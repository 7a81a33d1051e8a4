// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler;

/// <summary>
/// The workers that offer the same handlers, with their room. Two tiers of 64 FIFO lists each: a list holds the workers
/// with about the same room, a bitmap says which lists hold any. Owned by <see cref="CapacityIndex"/>.
/// </summary>
internal sealed class WorkerGroup
{
    public const int TierCount = 2;
    public const int ListCount = 64;
    public const int HandlerWords = 16;

    public readonly ulong[] Handlers = new ulong[HandlerWords];

    /// <summary>Row + 1 of the first and last worker of each list; 0 for none.</summary>
    public readonly uint[] Heads = new uint[TierCount * ListCount];
    public readonly uint[] Tails = new uint[TierCount * ListCount];

    /// <summary>Per tier, which lists are not empty.</summary>
    public readonly ulong[] Filled = new ulong[TierCount];

    /// <summary>Per tier, the room of all its workers together.</summary>
    public readonly ulong[] Room = new ulong[TierCount];

    public int Workers;

    /// <summary>Credit is kept back in this pass; see <see cref="CapacityIndex.HoldCredit"/>.</summary>
    public bool CreditHeld;

    public bool Offers(ushort handler) => (Handlers[handler >> 6] & (1UL << (handler & 63))) != 0;

    public bool Equals(ReadOnlySpan<ulong> handlers) => handlers.SequenceEqual(Handlers);
}
