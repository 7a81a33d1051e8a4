// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Unit.Cell;

/// <summary>
/// What a task costs the three roles, from the bytes of a message to the bytes of another: streams, hosts with their
/// threads, cores and journal, all but the connection. The whole process is measured, so nothing else may run.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class RoleAllocationTests(ITestOutputHelper output)
{
    private const int WarmTasks = 60_000;
    private const int Tasks = 100_000;

    // The runtime's own doings (tables that grow, code that is compiled anew as it becomes hot) are in some windows and
    // not in others; what a task costs is in all of them.
    private const int Windows = 10;

    // Some kilobytes in a window: names and handles of a new segment of the journal, a buffer that grows once more when
    // a busy disk lets more gather, threads of tests before. One object in a batch would already be above it.
    private const double BytesOfTaskMax = 0.15;

    [Theory]
    [InlineData(Durability.Memory)]
    [InlineData(Durability.Durable)]
    public async Task ManyTasks_ThroughAllRoles_AllocateNothing(Durability durability)
    {
        await using var cell = new SteadyCell(durability);
        cell.Run(WarmTasks);
        var least = double.MaxValue;
        for (var window = 0; window < Windows && least > BytesOfTaskMax; window++)
        {
            var before = cell.AllocatedBytes;
            cell.Run(Tasks);
            least = Math.Min(least, (double)(cell.AllocatedBytes - before) / Tasks);
        }

        output.WriteLine($"{least} bytes per task");
        Assert.InRange(least, 0, BytesOfTaskMax);
    }

    [Fact]
    public async Task ManyTasks_OnTheWire_TakeTheirBytesAndFewMore()
    {
        await using var cell = new SteadyCell(Durability.Memory);
        cell.Run(WarmTasks);

        // 100 bytes of payload, 32 of result; what comes on top is told in docs/PERFORMANCE.md.
        Check("submitted", cell.Client.AskedBytes, 110);
        Check("accepted and given as results", cell.Client.AnsweredBytes, 106);
        Check("assigned", cell.Worker.Assignments.AnsweredBytes, 125);
        Check("reported", cell.Worker.Beats.AskedBytes, 65);

        void Check(string what, long bytes, double most)
        {
            var each = (double)bytes / WarmTasks;
            output.WriteLine($"{what}: {each:F1} bytes per task");
            Assert.InRange(each, 1, most);
        }
    }
}
