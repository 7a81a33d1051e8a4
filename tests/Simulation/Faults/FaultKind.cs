// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Simulation.Faults;

/// <summary>
/// What goes wrong in a seed. Each seed has some of them only: a fault that is everywhere hides what another one alone
/// would show.
/// </summary>
[Flags]
internal enum FaultKind
{
    None = 0,
    KillRole = 1 << 0,

    /// <summary>Between two writes inside a turn.</summary>
    KillInside = 1 << 1,
    KillAllRoles = 1 << 2,
    PauseRole = 1 << 3,
    KillWorker = 1 << 4,
    PauseWorker = 1 << 5,

    /// <summary>Drain and goodbye.</summary>
    WorkerLeaves = 1 << 6,
    KillClient = 1 << 7,
    PauseClient = 1 << 8,
    BreakLink = 1 << 9,
    Partition = 1 << 10,
    OneWayPartition = 1 << 11,
    ClockJump = 1 << 12,
    PowerLoss = 1 << 13,

    /// <summary>Messages of one connection take long, of others not.</summary>
    SlowNetwork = 1 << 14,

    /// <summary>Roles are scheduled late, as on a busy machine.</summary>
    SlowWakes = 1 << 15,

    /// <summary>Another role runs amid a turn.</summary>
    Interleave = 1 << 16,
    Duplicate = 1 << 17,
    Cancel = 1 << 18,

    /// <summary>Small limits, large payloads, clients that read slowly.</summary>
    Pressure = 1 << 19,

    /// <summary>The arena is gone, and every process of the cell with it; the disk has all that was written.</summary>
    ArenaLoss = 1 << 20,

    /// <summary>Power loss amid a commit.</summary>
    PowerLossInside = 1 << 21,

    /// <summary>A write or flush fails.</summary>
    DiskFails = 1 << 22,
    DiskFull = 1 << 23,
    SlowDisk = 1 << 24,

    /// <summary>A bit of the journal flips while the PLM is down.</summary>
    Damage = 1 << 25,

    /// <summary>The arena has room for a few tasks only, and others wait on disk.</summary>
    Spill = 1 << 26,
}
