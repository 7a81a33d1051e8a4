// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Core;
using Muster.Server.PlmHosting;
using Muster.Server.RegisterHosting;
using Muster.Server.SchedulerHosting;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Unit.Cell;

/// <summary>
/// What the three roles allocate for a task, from the bytes of a message to the bytes of another: streams, hosts with
/// their threads, cores and journal, all but the connection. The whole process is measured, so nothing else may run.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class RoleAllocationTests(ITestOutputHelper output)
{
    private const int WarmTasks = 60_000;
    private const int Tasks = 100_000;

    // The runtime's own doings (tables that grow, code that is compiled anew as it becomes hot) are in some windows and
    // not in others; what a task costs is in all of them.
    private const int Windows = 4;

    // Some kilobytes for names and handles of a new segment of the journal, of which there is one in each window.
    private const double SegmentsShare = 0.05;

    [Theory]
    [InlineData(Durability.Memory)]
    [InlineData(Durability.Durable)]
    public async Task ManyTasks_ThroughAllRoles_AllocateNothing(Durability durability)
    {
        var folder = Directory.CreateTempSubdirectory("muster-alloc-").FullName;
        using var arena = ArenaFile.CreatePrivate(new ArenaLimits
        {
            // Many more than are in flight: the Register gives blocks back when it gets to it.
            TasksMax = 65_536, WorkersMax = 16, ClientsMax = 16, PayloadBytesMax = 32 << 20, ResultBytesMax = 32 << 20,
        });
        using var plm = new PlmHost(new PlmHostOptions
        {
            Arena = arena, Addresses = "unix:/plm", StateFolder = durability == Durability.Memory ? null : folder,
        });
        using var scheduler = new SchedulerHost(new SchedulerHostOptions { Arena = arena, Addresses = "unix:/s" });
        using var register = new RegisterHost(new RegisterHostOptions { Arena = arena, Addresses = "unix:/r" });
        Assert.Equal(Fault.None, plm.Start());
        Assert.Equal(Fault.None, scheduler.Start());
        Assert.Equal(Fault.None, register.Start());
        var client = new SteadyClient(durability);
        var worker = new SteadyWorker();
        var beats = new HeartbeatStream(register, worker.Beats, 4 << 20);
        var assignments = new DispatchStream(scheduler, worker.Assignments, 16 << 20);
        var session = new SessionStream(plm, client);
        Task[] calls =
        [
            Serve(() => beats.ServeAsync(worker.Beats, worker.Beats)),
            Serve(() => assignments.ServeAsync(worker.Assignments, worker.Assignments)),
            Serve(() => session.ServeAsync(client, client)),
        ];

        Assert.True(client.Run(WarmTasks), client.Ended?.Message ?? client.Refusal);
        var least = double.MaxValue;
        for (var window = 0; window < Windows; window++)
        {
            var before = AllocatedBytes(client, worker);
            Assert.True(client.Run(Tasks), client.Ended?.Message ?? client.Refusal);
            least = Math.Min(least, (double)(AllocatedBytes(client, worker) - before) / Tasks);
        }

        output.WriteLine($"{least} bytes per task");
        Assert.Equal(0, client.Bad);
        client.Stop();
        worker.Stop();
        await Task.WhenAll(calls).WaitAsync(TimeSpan.FromSeconds(30));
        Directory.Delete(folder, recursive: true);
        Assert.InRange(least, 0, durability == Durability.Memory ? 0 : SegmentsShare);
    }

    private static long AllocatedBytes(SteadyClient client, SteadyWorker worker) =>
        GC.GetTotalAllocatedBytes(precise: true)
        - client.OwnBytes - worker.Beats.OwnBytes - worker.Assignments.OwnBytes;

    private static Task Serve(Func<Task> serve) => Task.Factory.StartNew(
        () => serve().GetAwaiter().GetResult(),
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
}
