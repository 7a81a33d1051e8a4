// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler;

/// <summary>
/// What kind of room a worker has. A worker is in one tier at most: credit counts once its slots are full.
/// </summary>
internal enum RoomTier : byte
{
    /// <summary>Slots that nothing was sent for.</summary>
    Idle = 0,

    /// <summary>Slots are full; attempts may be sent ahead.</summary>
    Credit = 1,
}
