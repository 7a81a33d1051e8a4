// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Simulation.Roles;

/// <summary>
/// The role's process was killed at this very instruction: unwinds its turn up to the world, which drops the core.
/// </summary>
internal sealed class SimulatedDeath(RoleProcess process) : Exception("killed inside a turn")
{
    public RoleProcess Process { get; } = process;
}
