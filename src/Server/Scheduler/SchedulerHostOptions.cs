// SPDX-License-Identifier: Apache-2.0
using Muster.Scheduler;
using Muster.Server.Roles;

namespace Muster.Server.SchedulerHosting;

/// <summary>What a <see cref="SchedulerHost"/> needs to know.</summary>
internal sealed record SchedulerHostOptions : RoleHostOptions
{
    public SchedulerOptions Core { get; init; } = new();

    /// <summary>
    /// Bytes of assignments that wait for one slow worker. Default 16,777,216: four of the largest messages; more stays
    /// in the task heap.
    /// </summary>
    public int OutboxBytesMax { get; init; } = 16 << 20;
}
