// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;

namespace Muster.Core.Tasks;

/// <summary>
/// Which role may move a task from which state to which. Every change of a state word goes through this table; it is
/// the heart of the system and is tried exhaustively by a test. <c>Model/task.pml</c> beside it is the same table with
/// every fault that it must survive; a test holds the two together, and <c>make model</c> searches it.
/// </summary>
internal static class Transitions
{
    /// <summary>One permitted step and why it exists.</summary>
    internal readonly record struct Step(Role Role, TaskState From, TaskState To, string Why);

    /// <summary>Every permitted step. What is not listed is a bug in the role that tries it.</summary>
    public static IReadOnlyList<Step> Table { get; } =
    [
        new(Role.Plm, TaskState.Free, TaskState.Accepted, "a submission was validated and written"),
        new(Role.Plm, TaskState.Accepted, TaskState.Ready, "pushed to the task heap"),
        new(Role.Plm, TaskState.Accepted, TaskState.Waiting, "it depends on other tasks"),
        new(Role.Plm, TaskState.Accepted, TaskState.Done, "cancelled before it was pushed"),
        new(Role.Plm, TaskState.Waiting, TaskState.Ready, "the last task it depends on succeeded"),
        new(Role.Plm, TaskState.Waiting, TaskState.Done, "cancelled, or a task it depends on failed"),
        new(Role.Scheduler, TaskState.Ready, TaskState.Assigned, "placed on a worker under a new attempt"),
        new(Role.Plm, TaskState.Ready, TaskState.Done, "cancelled or expired while waiting"),
        new(Role.Scheduler, TaskState.Assigned, TaskState.Ready, "its worker gave it back unstarted, or is cut off"),
        new(Role.Register, TaskState.Accepted, TaskState.Assigned, "its worker kept it while the arena was made anew"),
        new(Role.Register, TaskState.Assigned, TaskState.Running, "its worker said that it runs"),
        new(Role.Register, TaskState.Assigned, TaskState.Reported, "its worker reported the result"),
        new(Role.Register, TaskState.Running, TaskState.Reported, "its worker reported the result"),
        new(Role.Plm, TaskState.Assigned, TaskState.Ready, "its worker was lost"),
        new(Role.Plm, TaskState.Running, TaskState.Ready, "its worker was lost"),
        new(Role.Plm, TaskState.Assigned, TaskState.Done, "cancelled, or lost with no attempt left"),
        new(Role.Plm, TaskState.Running, TaskState.Done, "cancelled, or lost with no attempt left"),
        new(Role.Plm, TaskState.Reported, TaskState.Done, "the result was accepted as the outcome"),
        new(Role.Plm, TaskState.Reported, TaskState.Ready, "the attempt failed and is repeated at once"),
        new(Role.Plm, TaskState.Reported, TaskState.Delayed, "the attempt failed and is repeated later"),
        new(Role.Plm, TaskState.Delayed, TaskState.Ready, "its moment has come"),
        new(Role.Plm, TaskState.Delayed, TaskState.Done, "cancelled or expired while waiting"),
        new(Role.Plm, TaskState.Done, TaskState.Free, "confirmed by the client, or its retention ended"),
    ];

    private const int States = 16;

    private static readonly ushort[] s_targets = BuildTargets();

    /// <summary>
    /// Whether <paramref name="role"/> may move a task from one state to the other. One load and one test. A damaged
    /// state word can hold values that are no state; nothing is allowed from or to those.
    /// </summary>
    public static bool IsAllowed(Role role, TaskState from, TaskState to) =>
        (uint)from < States
        && (uint)to < States
        && (s_targets[((int)role * States) + (int)from] & (1 << (int)to)) != 0;

    private static ushort[] BuildTargets()
    {
        var targets = new ushort[3 * States];
        foreach (var step in Table)
        {
            targets[((int)step.Role * States) + (int)step.From] |= (ushort)(1 << (int)step.To);
        }

        return targets;
    }
}
