// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Core;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Core;

public sealed class TransitionsTests
{
    // Written a second time on purpose, in another form than the table: columns are the states to move to, in the order
    // Free Accepted Ready Assigned Running Reported Delayed Done Waiting; letters the roles that may (P, S, R).
    private static readonly Dictionary<TaskState, string> s_expected = new()
    {
        [TaskState.Free] = "-  P  -  -  -  -  -  -  -",
        [TaskState.Accepted] = "-  -  P  R  -  -  -  P  P",
        [TaskState.Ready] = "-  -  -  S  -  -  -  P  -",
        [TaskState.Assigned] = "-  -  PS -  R  R  -  P  -",
        [TaskState.Running] = "-  -  P  -  -  R  -  P  -",
        [TaskState.Reported] = "-  -  P  -  -  -  P  P  -",
        [TaskState.Delayed] = "-  -  P  -  -  -  -  P  -",
        [TaskState.Done] = "P  -  -  -  -  -  -  -  -",
        [TaskState.Waiting] = "-  -  P  -  -  -  -  P  -",
    };

    internal static bool IsExpected(Role role, TaskState from, TaskState to)
    {
        if (!s_expected.TryGetValue(from, out var row) || (int)to >= s_expected.Count)
        {
            return false;
        }

        var roles = row.Split(' ', StringSplitOptions.RemoveEmptyEntries)[(int)to];
        return roles.Contains(role.ToString()[0], StringComparison.Ordinal);
    }

    [Fact]
    public void IsAllowed_EveryRoleAndPairOfStateBits_AgreesWithTheWrittenMatrix()
    {
        foreach (var role in Enum.GetValues<Role>())
        {
            for (var from = 0; from < 32; from++)
            {
                for (var to = 0; to < 32; to++)
                {
                    Assert.True(
                        Transitions.IsAllowed(role, (TaskState)from, (TaskState)to)
                            == IsExpected(role, (TaskState)from, (TaskState)to),
                        $"{role}: {(TaskState)from} -> {(TaskState)to}");
                }
            }
        }
    }

    [Fact]
    public void Table_EveryStep_IsListedOnceWithAReason()
    {
        var steps = Transitions.Table.Select(step => (step.Role, step.From, step.To)).ToList();
        Assert.Equal(steps.Distinct(), steps);
        Assert.All(Transitions.Table, step => Assert.False(string.IsNullOrWhiteSpace(step.Why)));
    }

    [Fact]
    public void Table_EveryState_CanBeReachedFromFreeAndLeadsBackToFree()
    {
        foreach (var state in Enum.GetValues<TaskState>())
        {
            Assert.Contains(state, ReachableFrom(TaskState.Free));
            Assert.Contains(TaskState.Free, ReachableFrom(state));
        }
    }

    [Fact]
    public void Table_Done_LeadsToFreeAlone()
    {
        var step = Assert.Single(Transitions.Table, step => step.From == TaskState.Done);
        Assert.Equal((Role.Plm, TaskState.Free), (step.Role, step.To));
    }

    private static HashSet<TaskState> ReachableFrom(TaskState start)
    {
        var reached = new HashSet<TaskState> { start };
        var open = new Queue<TaskState>(reached);
        while (open.TryDequeue(out var from))
        {
            foreach (var step in Transitions.Table.Where(step => step.From == from && reached.Add(step.To)))
            {
                open.Enqueue(step.To);
            }
        }

        return reached;
    }
}
