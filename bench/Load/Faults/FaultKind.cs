// SPDX-License-Identifier: Apache-2.0
namespace Muster.Load.Faults;

/// <summary>What is done to a cell in one round.</summary>
internal enum FaultKind
{
    KillPlm,
    KillScheduler,
    KillRegister,
    KillTwoRoles,
    KillAllRoles,

    /// <summary>The PLM again while it takes over from the one just killed.</summary>
    KillPlmTwice,
    KillWorker,
    KillAllWorkers,
    KillRoleAndWorker,
    KillClient,

    /// <summary>Roles, workers and the client's process at once.</summary>
    KillEverything,

    /// <summary>All roles, and the arena with them, as a reboot leaves it. Not with durability memory.</summary>
    KillAllAndArena,

    /// <summary>A role for up to four seconds, then it goes on.</summary>
    StopRole,

    /// <summary>
    /// A worker past its lease, while further rounds go on; then it wakes and must drop what it holds.
    /// </summary>
    StopWorker,
}
