// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler.Policies;

/// <summary>
/// Most room first, and an even share for each: when fewer tasks wait than there is room, a worker gets only its part
/// of them. Idle slots are filled everywhere before anything is sent ahead.
/// </summary>
internal sealed class SpreadPolicy : SchedulerPolicy
{
    public override string Name => "spread";

    public override bool TryPick(CapacityIndex index, ushort handler, uint ready, bool mayPrefetch, out Pick pick) =>
        TryTier(index, handler, RoomTier.Idle, ready, out pick)
        || (mayPrefetch && TryTier(index, handler, RoomTier.Credit, ready, out pick));

    private static bool TryTier(CapacityIndex index, ushort handler, RoomTier tier, uint ready, out Pick pick)
    {
        if (!index.TryMostRoom(handler, tier, out var row, out var room))
        {
            pick = default;
            return false;
        }

        // Rounded up, so that the last tasks are given too; what rounding gives too much is less for the next.
        var total = index.Room(handler, tier);
        var share = ready >= total ? room : (uint)((((ulong)room * ready) + total - 1) / total);
        pick = new(row, Math.Min(share, ready));
        return true;
    }
}
