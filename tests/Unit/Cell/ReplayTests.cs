// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Cell;

/// <summary>
/// Every call of the protocol is made a second time with the very same message, as a network that lost the answer makes
/// clients do. The second answer is the first one's, and nothing is done twice.
/// </summary>
public sealed class ReplayTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    /// <summary>A call that is not in here has not been thought about.</summary>
    private static readonly Dictionary<string, Func<TemporaryCell, Task>> s_cases = new()
    {
        ["SubmissionService.SubmitTask"] = SubmitTaskAsync,
        ["SubmissionService.SubmitTasks"] = SubmitTasksAsync,
        ["SubmissionService.AwaitTask"] = AwaitTaskAsync,
        ["SubmissionService.CancelTasks"] = CancelTasksAsync,
        ["SubmissionService.ReleaseTasks"] = ReleaseTasksAsync,
        ["SubmissionService.Session"] = SessionAsync,
        ["RegistryService.RegisterClient"] = RegisterClientAsync,
        ["RegistryService.Heartbeat"] = HeartbeatAsync,
        ["DispatchService.Dispatch"] = DispatchAsync,
        ["AdminService.GetCell"] = ReadOnlyAsync,
        ["AdminService.GetTask"] = ReadOnlyAsync,
        ["AdminService.ListTasks"] = ReadOnlyAsync,
        ["AdminService.ListWorkers"] = ReadOnlyAsync,
        ["AdminService.RetryTasks"] = RetryTasksAsync,
    };

    public static TheoryData<string> Calls => new(
        from service in new[]
        {
            SubmissionService.Descriptor,
            RegistryService.Descriptor,
            DispatchService.Descriptor,
            AdminService.Descriptor,
        }
        from method in service.Methods
        select $"{service.Name}.{method.Name}");

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Call_MadeTwice_IsDoneOnce(string call)
    {
        Assert.True(s_cases.ContainsKey(call), $"nobody has said what {call} does when it comes twice");
        await using var cell = new TemporaryCell();
        await cell.StartAsync();
        await s_cases[call](cell);
    }

    private static SubmitTaskRequest Request() => new()
    {
        WireVersion = 1,
        Options = new TaskOptions { Handler = "work", Durability = V1.Durability.Memory },
        Item = new TaskItem { Payload = ByteString.CopyFromUtf8("in") },
    };

    // A key makes them one; without one two submissions are two tasks, and the contract says so.
    private static async Task SubmitTaskAsync(TemporaryCell cell)
    {
        var client = cell.Submission();
        var first = await client.SubmitTaskAsync(Request());
        var second = await client.SubmitTaskAsync(Request());
        Assert.NotEqual(first.TaskId, second.TaskId);
        var request = Request();
        request.Item.IdempotencyKey = "once";
        first = await client.SubmitTaskAsync(request);
        second = await client.SubmitTaskAsync(request);
        Assert.Equal(first.TaskId, second.TaskId);
    }

    private static async Task SubmitTasksAsync(TemporaryCell cell)
    {
        var client = cell.Submission();
        var request = new SubmitTasksRequest { WireVersion = 1, Options = Request().Options };
        request.Items.Add(Request().Item);
        request.Items.Add(Request().Item);
        request.Items[1].IdempotencyKey = "once";
        var first = await client.SubmitTasksAsync(request);
        var second = await client.SubmitTasksAsync(request);
        Assert.NotEqual(first.TaskIds[0], second.TaskIds[0]);
        Assert.Equal(first.TaskIds[1], second.TaskIds[1]);
    }

    private static async Task AwaitTaskAsync(TemporaryCell cell)
    {
        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7));
        var client = cell.Submission();
        var id = (await client.SubmitTaskAsync(Request())).TaskId;
        await worker.SucceedAsync((await worker.AssignedAsync()).Groups[0].Assignments[0], "out");
        var first = await client.AwaitTaskAsync(new() { TaskId = id });
        var second = await client.AwaitTaskAsync(new() { TaskId = id });

        // All but the moment at which it was handed over.
        (first.Result.Timings.DeliveredUs, second.Result.Timings.DeliveredUs) = (0, 0);
        Assert.Equal(first, second);
        Assert.Equal("out", second.Result.Output.ToStringUtf8());
    }

    private static async Task CancelTasksAsync(TemporaryCell cell)
    {
        var client = cell.Submission();
        var id = (await client.SubmitTaskAsync(Request())).TaskId;
        var request = new CancelTasksRequest { TaskIds = { id } };
        Assert.Equal([CancelStatus.Cancelled], (await client.CancelTasksAsync(request)).Statuses);

        // It had ended before the second, by the first: both say that it does not run.
        Assert.Equal([CancelStatus.AlreadyCancelled], (await client.CancelTasksAsync(request)).Statuses);
        var result = (await client.AwaitTaskAsync(new() { TaskId = id })).Result;
        Assert.Equal(V1.Outcome.Cancelled, result.Outcome);
    }

    private static async Task ReleaseTasksAsync(TemporaryCell cell)
    {
        var client = cell.Submission();
        var id = (await client.SubmitTaskAsync(Request())).TaskId;
        await client.CancelTasksAsync(new() { TaskIds = { id } });
        var request = new ReleaseTasksRequest { TaskIds = { id } };
        Assert.Equal(1u, (await client.ReleaseTasksAsync(request)).Released);

        // The slot has another task by now; the old id means nobody.
        var next = (await client.SubmitTaskAsync(Request())).TaskId;
        Assert.Equal(0u, (await client.ReleaseTasksAsync(request)).Released);
        Assert.Equal([CancelStatus.Cancelled], (await client.CancelTasksAsync(new() { TaskIds = { next } })).Statuses);
    }

    // That a quarantined task is submitted anew once is tried on the core; here that a refusal is the same one.
    private static async Task RetryTasksAsync(TemporaryCell cell)
    {
        var id = (await cell.Submission().SubmitTaskAsync(Request())).TaskId;
        var request = new RetryTasksRequest { TaskIds = { id, 99 } };
        var admin = new AdminService.AdminServiceClient(cell.Invoker());
        var first = await admin.RetryTasksAsync(request);
        var second = await admin.RetryTasksAsync(request);
        Assert.Equal(first, second);
        Assert.Equal([0ul, 0ul], first.TaskIds);
        Assert.Equal(["INVALID_ARGUMENT", "TASK_NOT_FOUND"], first.Errors.Select(error => error.Code));
    }

    private static async Task SessionAsync(TemporaryCell cell)
    {
        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7));
        var client = cell.Submission();
        var batch = new SubmitBatch { FirstRef = 1, Options = Request().Options };
        batch.Items.Add(Request().Item);
        ulong id;
        using (var first = client.Session())
        {
            await first.RequestStream.WriteAsync(Hello());
            Assert.Equal(0ul, (await NextAsync(first)).Welcome.DecidedRef);
            await first.RequestStream.WriteAsync(new() { Submit = batch });
            id = Assert.Single(Assert.Single((await NextAsync(first)).Accepted).TaskIds);

            // The batch again on the same stream: its refs are decided, and the stream is told to look first.
            await first.RequestStream.WriteAsync(new() { Submit = batch });
            await Assert.ThrowsAsync<RpcException>(() => NextAsync(first));
        }

        using var second = client.Session();
        await second.RequestStream.WriteAsync(Hello(unresolved: 1));
        var welcome = (await NextAsync(second)).Welcome;
        Assert.Equal((1ul, id), (welcome.DecidedRef, Assert.Single(welcome.KnownTaskIds)));
        await worker.SucceedAsync((await worker.AssignedAsync()).Groups[0].Assignments[0], "out");
        var result = Assert.Single((await NextAsync(second)).Results);

        // A confirmation and a cancellation that come twice.
        for (var times = 0; times < 2; times++)
        {
            await second.RequestStream.WriteAsync(new() { ConfirmedTotal = 1, Cancel = { id } });
        }

        Assert.Equal("out", result.Output.ToStringUtf8());
        batch.FirstRef = 2;
        await second.RequestStream.WriteAsync(new() { Submit = batch, ConfirmedTotal = 1 });
        Assert.NotEqual(id, Assert.Single(Assert.Single((await NextAsync(second)).Accepted).TaskIds));
    }

    private static async Task RegisterClientAsync(TemporaryCell cell)
    {
        var client = new RegistryService.RegistryServiceClient(cell.Invoker());
        var request = new RegisterClientRequest { WireVersion = 1, Name = "twice" };
        var first = await client.RegisterClientAsync(request);
        var second = await client.RegisterClientAsync(request);

        // An id is a name that nobody else has, and nothing more: one that is never used costs nothing.
        Assert.NotEqual(first.ClientId, second.ClientId);
        Assert.Equal(first.PlmAddresses, second.PlmAddresses);
    }

    private static async Task HeartbeatAsync(TemporaryCell cell)
    {
        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7));
        var client = cell.Submission();
        var id = (await client.SubmitTaskAsync(Request())).TaskId;
        var assignment = (await worker.AssignedAsync()).Groups[0].Assignments[0];
        var beat = new HeartbeatRequest { EndedTotal = 1 };
        beat.Results.Add(new AttemptResult
        {
            TaskId = id,
            Attempt = assignment.Attempt,
            Outcome = V1.Outcome.Succeeded,
            Output = ByteString.CopyFromUtf8("out"),
            ResultNumber = 1,
        });
        var first = await worker.BeatAsync(beat);
        beat.Results[0].Output = ByteString.CopyFromUtf8("other");
        var second = await worker.BeatAsync(beat);
        Assert.Equal((1ul, 1ul), (first.ConfirmedResultNumber, second.ConfirmedResultNumber));
        Assert.Empty(second.Superseded);
        Assert.Equal("out", (await client.AwaitTaskAsync(new() { TaskId = id })).Result.Output.ToStringUtf8());
    }

    private static async Task DispatchAsync(TemporaryCell cell)
    {
        await using var worker = new ScriptedWorker(cell.Address);
        var welcome = await worker.StartAsync(ScriptedWorker.Hello(7));
        var id = (await cell.Submission().SubmitTaskAsync(Request())).TaskId;
        var first = (await worker.AssignedAsync()).Groups[0].Assignments[0];

        // The hello again, of a worker that got nothing: it gets the same attempt, not another one.
        var hello = new DispatchHello { WireVersion = 1, WorkerId = welcome.WorkerId, Nonce = 7 };
        await worker.DispatchAsync(hello);
        var again = (await worker.AssignedAsync()).Groups[0].Assignments[0];
        Assert.Equal((id, first.Attempt, first.Execution), (again.TaskId, again.Attempt, again.Execution));
    }

    private static async Task ReadOnlyAsync(TemporaryCell cell)
    {
        var id = (await cell.Submission().SubmitTaskAsync(Request())).TaskId;
        var admin = new AdminService.AdminServiceClient(cell.Invoker());
        for (var times = 0; times < 2; times++)
        {
            Assert.Equal(id, (await admin.GetTaskAsync(new() { TaskId = id })).Task.TaskId);
            Assert.Equal(id, Assert.Single((await admin.ListTasksAsync(new())).Tasks).TaskId);
            Assert.Empty((await admin.ListWorkersAsync(new())).Workers);
            Assert.NotEqual(0ul, (await admin.GetCellAsync(new())).CellId);
        }
    }

    private static SessionRequest Hello(ulong unresolved = 0) => new()
    {
        Hello = new SessionHello
        {
            WireVersion = 1,
            ClientId = 77,
            Name = "twice",
            UnresolvedFirst = unresolved,
            UnresolvedLast = unresolved,
        },
    };

    private static async Task<SessionResponse> NextAsync(AsyncDuplexStreamingCall<SessionRequest, SessionResponse> call)
    {
        using var over = new CancellationTokenSource(s_patience);
        return await call.ResponseStream.MoveNext(over.Token)
            ? call.ResponseStream.Current
            : throw new InvalidOperationException("the stream has ended");
    }
}
