// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.V1;

namespace Muster.Server.PlmHosting;

/// <summary>Which tasks a list shows: those in one of the states, or that ended in one of the ways.</summary>
internal sealed class ListFilter(ListTasksRequest request)
{
    private readonly HashSet<TaskState> _states = [.. request.States];
    private readonly HashSet<Muster.V1.Outcome> _outcomes = [.. request.Outcomes];

    public bool Matches(TaskInfo task) =>
        (_states.Count == 0 && _outcomes.Count == 0)
        || _states.Contains(task.State)
        || (task.State == TaskState.Done && _outcomes.Contains(task.Outcome));
}
