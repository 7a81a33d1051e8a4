// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.V1;
using Xunit;
using Health = Muster.Arena.Tables.WorkerHealth;

namespace Muster.Unit.Plm;

public sealed class AdminCallsTests
{
    private static DateTime Soon => DateTime.UtcNow.AddSeconds(20);

    [Fact]
    public async Task GetTask_WaitingTask_SaysWhyItWaits()
    {
        await using var cell = await HostedCell.StartAsync();
        var id = await Submit(cell, 1);
        Assert.Contains("no Scheduler is running", await ReasonOf(cell, id[0]), StringComparison.Ordinal);
        Assert.True(cell.Arena.TryTakeRole(Role.Scheduler, "", out var lease).IsNone);
        using (lease)
        {
            Assert.Contains("no worker is connected", await ReasonOf(cell, id[0]), StringComparison.Ordinal);
            Register(cell, Health.Alive, []);
            Assert.Equal("no worker offers handler 'reverse'", await ReasonOf(cell, id[0]));
            Assert.True(cell.Arena.Handlers.TryFind("reverse"u8, out var handler));
            Register(cell, Health.Suspect, [handler]);
            Assert.Contains("is suspect", await ReasonOf(cell, id[0]), StringComparison.Ordinal);
            Register(cell, Health.Alive, [handler]);
            Assert.Contains("connected to the Scheduler", await ReasonOf(cell, id[0]), StringComparison.Ordinal);
            cell.Arena.Workers[0].Dispatching = 1;
            cell.Arena.Workers[0].InFlight = 2;
            Assert.Contains("all 2 slots", await ReasonOf(cell, id[0]), StringComparison.Ordinal);
            cell.Arena.Workers[0].InFlight = 1;
            Assert.Equal("", await ReasonOf(cell, id[0]));
        }
    }

    [Fact]
    public async Task GetTask_FreeSlotsKeptForATaskWhoseWorkerDied_SaysSo()
    {
        await using var cell = await HostedCell.StartAsync();
        var ids = await Submit(cell, 2);
        Assert.True(cell.Arena.TryTakeRole(Role.Scheduler, "", out var lease).IsNone);
        using (lease)
        {
            Assert.True(cell.Arena.Handlers.TryFind("reverse"u8, out var handler));
            Register(cell, Health.Alive, [handler]);
            cell.Arena.Workers[0].Dispatching = 1;
            cell.Arena.Tasks[new TaskId(ids[1]).Slot].Crashes = 1;
            Assert.Contains("have one to themselves, now 1", await ReasonOf(cell, ids[0]), StringComparison.Ordinal);
            Assert.Contains("waits for a worker of its own", await ReasonOf(cell, ids[1]), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ListTasks_PagesAndFilters_CoverEveryTaskOnce()
    {
        await using var cell = await HostedCell.StartAsync();
        var ids = await Submit(cell, 25);
        cell.Finish(5);
        await cell.Submission.AwaitTaskAsync(new AwaitTaskRequest { TaskId = ids[4] }, deadline: Soon);
        var seen = new List<ulong>();
        var token = string.Empty;
        do
        {
            var page = await cell.Admin.ListTasksAsync(
                new ListTasksRequest { PageSize = 10, PageToken = token }, deadline: Soon);
            seen.AddRange(page.Tasks.Select(task => task.TaskId));
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        Assert.Equal(ids, seen);
        var done = await cell.Admin.ListTasksAsync(
            new ListTasksRequest { States = { TaskState.Done }, Handler = "reverse" }, deadline: Soon);
        Assert.Equal(ids.Take(5), done.Tasks.Select(task => task.TaskId));
        Assert.All(done.Tasks, task => Assert.Equal(3ul, task.OutputBytes));
        var others = await cell.Admin.ListTasksAsync(new ListTasksRequest { Handler = "other" }, deadline: Soon);
        Assert.Empty(others.Tasks);
        foreach (var request in new ListTasksRequest[] { new() { PageSize = 1_001 }, new() { PageToken = "zz" } })
        {
            var end = await Assert.ThrowsAsync<RpcException>(
                async () => await cell.Admin.ListTasksAsync(request, deadline: Soon));
            Assert.Equal(StatusCode.InvalidArgument, end.StatusCode);
        }
    }

    [Fact]
    public async Task GetCellAndListWorkers_ShowCountersRolesAndWorkers()
    {
        await using var cell = await HostedCell.StartAsync();
        var ids = await Submit(cell, 3);
        cell.Finish(2);
        await cell.Submission.AwaitTaskAsync(new AwaitTaskRequest { TaskId = ids[1] }, deadline: Soon);
        Register(cell, Health.Alive, [0]);
        var info = await cell.Admin.GetCellAsync(new GetCellRequest(), deadline: Soon);
        var counters = info.Counters;
        Assert.Equal((3ul, 2ul), (counters.SubmittedTotal, counters.SucceededTotal));
        Assert.Equal((1ul, 2ul), (counters.Ready, counters.Done));
        Assert.Equal((1ul, 2ul), (info.Counters.Workers, info.Counters.WorkerSlots));
        var plm = info.Roles.Single(role => role.Role == "plm");
        Assert.True(plm.Alive && plm.Address.StartsWith("unix:", StringComparison.Ordinal));
        Assert.Contains(info.Arena, use => use is { Part: "tasks", Used: 3, Capacity: 4_096 });
        var workers = await cell.Admin.ListWorkersAsync(new ListWorkersRequest(), deadline: Soon);
        var worker = Assert.Single(workers.Workers);
        Assert.Equal(("w", "muster.command"), (worker.Name, Assert.Single(worker.Handlers)));
    }

    [Fact]
    public async Task ListWorkers_EachHealth_SaysWhyAndSinceWhen()
    {
        await using var cell = await HostedCell.StartAsync();
        var said = new HashSet<string>();
        foreach (var reason in Enum.GetValues<WorkerReason>().Where(reason => reason != WorkerReason.None))
        {
            Register(cell, Health.Gone, [0]);
            cell.Arena.Workers[0].HealthReason = (uint)reason;
            cell.Arena.Workers[0].HealthSinceUnixUs = 1_000 + (long)reason;
            var worker = Assert.Single(
                (await cell.Admin.ListWorkersAsync(new ListWorkersRequest(), deadline: Soon)).Workers);
            Assert.Equal((V1.WorkerHealth.Gone, 1_000 + (long)reason), (worker.Health, worker.SinceUnixUs));
            Assert.True(worker.Reason.Length > 0 && said.Add(worker.Reason), $"{reason}: '{worker.Reason}'");
        }
    }

    [Fact]
    public async Task GetTask_UnknownId_IsNotFound()
    {
        await using var cell = await HostedCell.StartAsync();
        var end = await Assert.ThrowsAsync<RpcException>(
            async () => await cell.Admin.GetTaskAsync(new GetTaskRequest { TaskId = 5 }, deadline: Soon));
        Assert.Equal(StatusCode.NotFound, end.StatusCode);
    }

    private static async Task<ulong[]> Submit(HostedCell cell, int count)
    {
        var request = new SubmitTasksRequest { Options = new TaskOptions { Handler = "reverse" } };
        request.Items.AddRange(Enumerable.Repeat(new TaskItem { Payload = ByteString.CopyFromUtf8("abc") }, count));
        return [.. (await cell.Submission.SubmitTasksAsync(request, deadline: Soon)).TaskIds];
    }

    private static async Task<string> ReasonOf(HostedCell cell, ulong id) =>
        (await cell.Admin.GetTaskAsync(new GetTaskRequest { TaskId = id }, deadline: Soon)).Task.Reason;

    private static void Register(HostedCell cell, Health health, ushort[] handlers)
    {
        cell.Arena.Workers.SetTexts(0, "w", "host", "1");
        cell.Arena.Workers.SetHandlers(0, handlers);
        cell.Arena.Workers[0].Slots = 2;
        cell.Arena.Workers[0].Health = (uint)health;
        cell.Arena.Workers.HighWater = 1;
    }
}
