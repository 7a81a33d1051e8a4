// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.Core;
using Muster.Transport;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Access;

/// <summary>Tasks, sessions, keys and registrations of one identity as another sees them: not at all.</summary>
public class OwnershipTests(AccessCell cell) : IClassFixture<AccessCell>
{
    private const string All = "submit=* cancel=* retry=*";

    private static readonly CallOptions s_soon = new(deadline: DateTime.MaxValue);

    [Fact]
    public async Task ForeignTask_IsAnsweredAsAbsentByEveryCall()
    {
        var (mine, other) = TwoIdentities();
        var foreign = await SubmitAsync(mine);
        var absent = AbsentLike(foreign);

        await AssertAlikeAsync(
            foreign, absent, id => Submission(other).AwaitTaskAsync(new() { TaskId = id }, Deadline()));
        await AssertAlikeAsync(foreign, absent, id => Admin(other).GetTaskAsync(new() { TaskId = id }, Deadline()));
        var cancelled = await Submission(other).CancelTasksAsync(new() { TaskIds = { foreign, absent } }, Deadline());
        Assert.Equal([CancelStatus.NotFound, CancelStatus.NotFound], cancelled.Statuses);
        var released = await Submission(other).ReleaseTasksAsync(new() { TaskIds = { foreign, absent } }, Deadline());
        Assert.Equal(0u, released.Released);
        var retried = await Admin(other).RetryTasksAsync(new() { TaskIds = { foreign, absent } }, Deadline());
        Assert.Equal(["TASK_NOT_FOUND", "TASK_NOT_FOUND"], retried.Errors.Select(each => each.Code));
        Assert.Equal(
            retried.Errors[0].Message.Replace(Text(foreign), "", StringComparison.Ordinal),
            retried.Errors[1].Message.Replace(Text(absent), "", StringComparison.Ordinal));
        Assert.Empty((await Admin(other).ListTasksAsync(new(), Deadline())).Tasks);
    }

    [Fact]
    public async Task OwnTask_IsSeenCancelledAndForgotten()
    {
        var (mine, _) = TwoIdentities();
        var id = await SubmitAsync(mine);

        Assert.Equal(id, (await Admin(mine).GetTaskAsync(new() { TaskId = id }, Deadline())).Task.TaskId);
        Assert.Equal(id, Assert.Single((await Admin(mine).ListTasksAsync(new(), Deadline())).Tasks).TaskId);
        var retried = await Admin(mine).RetryTasksAsync(new() { TaskIds = { id } }, Deadline());
        Assert.Equal("INVALID_ARGUMENT", Assert.Single(retried.Errors).Code);
        var cancelled = await Submission(mine).CancelTasksAsync(new() { TaskIds = { id } }, Deadline());
        Assert.Equal([CancelStatus.Cancelled], cancelled.Statuses);
        var awaited = await Submission(mine).AwaitTaskAsync(new() { TaskId = id }, Deadline());
        Assert.Equal(V1.Outcome.Cancelled, awaited.Result.Outcome);
        var released = await Submission(mine).ReleaseTasksAsync(new() { TaskIds = { id } }, Deadline());
        Assert.Equal(1u, released.Released);
    }

    [Fact]
    public async Task CancelByFilter_FindsOwnTasksOnly()
    {
        var (mine, other) = TwoIdentities();
        var (own, foreign) = (await SubmitAsync(mine), await SubmitAsync(other));
        var request = new CancelTasksRequest { Filter = new() { Handler = "nobody" }, DryRun = true };

        var foreseen = await Submission(mine).CancelTasksAsync(request, Deadline());
        Assert.Equal(own, Assert.Single(foreseen.Tasks).TaskId);
        Assert.Equal(CancelStatus.Cancelled, foreseen.Tasks[0].Status);
        var named = new CancelTasksRequest { TaskIds = { foreign }, DryRun = true };
        var hidden = await Submission(mine).CancelTasksAsync(named, Deadline());
        Assert.Equal(CancelStatus.NotFound, Assert.Single(hidden.Statuses));
        request.DryRun = false;
        var cancelled = await Submission(mine).CancelTasksAsync(request, Deadline());
        Assert.Equal(own, Assert.Single(cancelled.Tasks).TaskId);

        Assert.NotEqual(
            V1.TaskState.Done, (await Admin(other).GetTaskAsync(new() { TaskId = foreign }, Deadline())).Task.State);
    }

    [Fact]
    public async Task Cancel_IsByWhoTheCallerIs_WhateverItSays()
    {
        var (mine, _) = TwoIdentities();
        var id = await SubmitAsync(mine);
        var request = new CancelTasksRequest { TaskIds = { id }, Actor = "somebody-else", Reason = "late" };

        await Submission(cell.As("operate")).CancelTasksAsync(request, Deadline());

        var task = (await Admin(mine).GetTaskAsync(new() { TaskId = id }, Deadline())).Task;
        Assert.Contains("cancelled by operate: late", task.Error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("operate")]
    [InlineData("admin")]
    [InlineData("local")]
    public async Task AnybodysTask_IsAnOperatorsToSeeAndCancel(string who)
    {
        var (mine, _) = TwoIdentities();
        var id = await SubmitAsync(mine);

        Assert.Equal(id, (await Admin(cell.As(who)).GetTaskAsync(new() { TaskId = id }, Deadline())).Task.TaskId);
        Assert.Contains(
            (await Admin(cell.As(who)).ListTasksAsync(new() { PageSize = 1_000 }, Deadline())).Tasks,
            task => task.TaskId == id);
        var cancelled = await Submission(cell.As(who)).CancelTasksAsync(new() { TaskIds = { id } }, Deadline());
        Assert.Equal([CancelStatus.Cancelled], cancelled.Statuses);
    }

    [Fact]
    public async Task AnybodysTask_IsAReadersToSeeOnly()
    {
        var (mine, _) = TwoIdentities();
        var id = await SubmitAsync(mine);

        Assert.Equal(id, (await Admin(cell.As("read")).GetTaskAsync(new() { TaskId = id }, Deadline())).Task.TaskId);
        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await Submission(cell.As("read")).CancelTasksAsync(new() { TaskIds = { id } }, Deadline()));
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
    }

    [Fact]
    public async Task IdempotencyKey_OfAnother_IsAnotherKey()
    {
        var (mine, other) = TwoIdentities();

        var first = await SubmitAsync(mine, "key");
        Assert.Equal(first, await SubmitAsync(mine, "key"));
        Assert.NotEqual(first, await SubmitAsync(other, "key"));
    }

    [Fact]
    public async Task Session_UnderAnothersClientId_IsASessionOfItsOwn()
    {
        var (mine, other) = TwoIdentities();
        const ulong ClientId = 0x5e55_1011;
        using var first = Submission(mine).Session(Deadline());
        await SendAsync(first, new() { Hello = new() { ClientId = ClientId } });
        var options = new TaskOptions { Handler = "nobody" };
        var batch = new SubmitBatch { FirstRef = 1, Options = options, Items = { new TaskItem() } };
        await SendAsync(first, new() { Submit = batch });

        using var second = Submission(other).Session(Deadline());
        var welcome = (await SendAsync(second, new() { Hello = new() { ClientId = ClientId } })).Welcome;
        Assert.Equal(0u, welcome.DecidedRef);

        // The first one's stream was not taken over.
        using var again = Submission(mine).Session(Deadline());
        welcome = (await SendAsync(again, new() { Hello = new() { ClientId = ClientId } })).Welcome;
        Assert.Equal(1u, welcome.DecidedRef);
    }

    [Fact]
    public async Task Session_WithoutTheRightToCancel_MayNot()
    {
        var id = await SubmitAsync(cell.As("submit"));
        using var stream = Submission(cell.As("submit")).Session(Deadline());
        await SendAsync(stream, new() { Hello = new() { ClientId = 77 } });
        await stream.RequestStream.WriteAsync(new() { Cancel = { id } });

        var refused = await Assert.ThrowsAsync<RpcException>(() => stream.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
    }

    [Fact]
    public async Task Registration_OfAnotherCredential_IsNotGoneOnWith()
    {
        cell.Issue("w-one", "work=*");
        cell.Issue("w-two", "work=*");
        using var beat = Registry(Fresh("w-one")).Heartbeat(Deadline());
        var hello = new RegisterHello { Nonce = 99, Slots = 1, Handlers = { "h" }, Host = "x", Pid = 1 };
        await beat.RequestStream.WriteAsync(new() { Hello = hello });
        Assert.True(await beat.ResponseStream.MoveNext(default));
        var id = beat.ResponseStream.Current.Welcome.WorkerId;

        // It has read worker id and nonce somewhere.
        using var stolen = Registry(Fresh("w-two")).Heartbeat(Deadline());
        var forged = hello.Clone();
        forged.WorkerId = id;
        await stolen.RequestStream.WriteAsync(new() { Hello = forged });
        Assert.Equal("WORKER_FENCED", await ReasonAsync(() => stolen.ResponseStream.MoveNext(default)));
        using var dispatch = Dispatch(cell.As("w-two")).Dispatch(Deadline());
        await dispatch.RequestStream.WriteAsync(new() { Hello = new() { WorkerId = id, Nonce = 99 } });
        Assert.Equal("WORKER_FENCED", await ReasonAsync(() => dispatch.ResponseStream.MoveNext(default)));

        // Without the id, the nonce alone finds nothing either.
        forged.WorkerId = 0;
        using var fresh = Registry(cell.As("w-two")).Heartbeat(Deadline());
        await fresh.RequestStream.WriteAsync(new() { Hello = forged });
        Assert.True(await fresh.ResponseStream.MoveNext(default));
        Assert.NotEqual(id, fresh.ResponseStream.Current.Welcome.WorkerId);
    }

    private (CallInvoker Mine, CallInvoker Other) TwoIdentities()
    {
        var mark = Guid.NewGuid().ToString("n")[..8];
        cell.Issue($"a-{mark}", All);
        cell.Issue($"b-{mark}", All);
        return (Fresh($"a-{mark}"), Fresh($"b-{mark}"));
    }

    // The roles look for new identities a few times a second.
    private CallInvoker Fresh(string identity)
    {
        var invoker = cell.As(identity);
        var deadline = Environment.TickCount64 + 10_000;
        while (true)
        {
            try
            {
                new IdentityService.IdentityServiceClient(invoker).GetIdentity(new(), Deadline());
                return invoker;
            }
            catch (RpcException unknown) when (
                unknown.StatusCode == StatusCode.Unauthenticated && Environment.TickCount64 < deadline)
            {
                System.Threading.Thread.Yield();
            }
        }
    }

    private static async Task<ulong> SubmitAsync(CallInvoker invoker, string key = "")
    {
        var answer = await Submission(invoker).SubmitTaskAsync(
            new()
            {
                Options = new() { Handler = "nobody", Durability = V1.Durability.Memory },
                Item = new() { Payload = ByteString.CopyFromUtf8("x"), IdempotencyKey = key },
            },
            Deadline());
        return answer.TaskId;
    }

    // An id of the same age that nobody was given.
    private static ulong AbsentLike(ulong id)
    {
        var known = new TaskId(id);
        return new TaskId(known.Slot + 500, known.Generation).Value;
    }

    private static string Text(ulong id) => new TaskId(id).ToString();

    private static async Task AssertAlikeAsync<T>(ulong foreign, ulong absent, Func<ulong, AsyncUnaryCall<T>> call)
    {
        var one = await Assert.ThrowsAsync<RpcException>(async () => await call(foreign));
        var other = await Assert.ThrowsAsync<RpcException>(async () => await call(absent));
        Assert.Equal(StatusCode.NotFound, one.StatusCode);
        Assert.Equal(StatusCode.NotFound, other.StatusCode);
        Assert.Equal(
            one.Status.Detail.Replace(Text(foreign), "", StringComparison.Ordinal),
            other.Status.Detail.Replace(Text(absent), "", StringComparison.Ordinal));
        Assert.Equal(one.Trailers.Count, other.Trailers.Count);
    }

    private static async Task<SessionResponse> SendAsync(
        AsyncDuplexStreamingCall<SessionRequest, SessionResponse> stream, SessionRequest request)
    {
        await stream.RequestStream.WriteAsync(request);
        Assert.True(await stream.ResponseStream.MoveNext(default));
        return stream.ResponseStream.Current;
    }

    private static async Task<string?> ReasonAsync(Func<Task<bool>> read)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await read());
        return RichStatus.TryRead(refused, out var details) ? details.Error?.Reason : null;
    }

    private static CallOptions Deadline() => s_soon.WithDeadline(DateTime.UtcNow.AddSeconds(20));

    private static SubmissionService.SubmissionServiceClient Submission(CallInvoker invoker) => new(invoker);

    private static AdminService.AdminServiceClient Admin(CallInvoker invoker) => new(invoker);

    private static RegistryService.RegistryServiceClient Registry(CallInvoker invoker) => new(invoker);

    private static DispatchService.DispatchServiceClient Dispatch(CallInvoker invoker) => new(invoker);
}
