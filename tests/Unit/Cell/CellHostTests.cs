// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Linq;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.Arena;
using Muster.Arena.Native;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Transport;
using Muster.Transport.Wire;
using Muster.V1;
using Xunit;
using WorkerHealth = Muster.Arena.Tables.WorkerHealth;

namespace Muster.Unit.Cell;

public sealed class CellHostTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private static SubmitTaskRequest Request(string payload = "in") => new()
    {
        WireVersion = 1,
        Options = new TaskOptions { Handler = "work" },
        Item = new TaskItem { Payload = ByteString.CopyFromUtf8(payload) },
    };

    [Fact]
    public async Task AllRoles_OneTask_GoesTheWholeWay()
    {
        await using var cell = new TemporaryCell();
        await cell.StartAsync();
        await using var worker = new ScriptedWorker(cell.Address);
        var welcome = await worker.StartAsync(ScriptedWorker.Hello(7));
        Assert.Equal(3_000u, welcome.LeaseMs);
        Assert.Equal(cell.Address, Assert.Single(welcome.SchedulerAddresses));

        var client = cell.Submission();
        var id = (await client.SubmitTaskAsync(Request())).TaskId;
        var group = Assert.Single((await worker.AssignedAsync()).Groups);
        Assert.Equal("work", group.Handler);
        var assignment = Assert.Single(group.Assignments);
        Assert.Equal((id, 1u, "in"), (assignment.TaskId, assignment.Execution, assignment.Payload.ToStringUtf8()));
        var answer = await worker.SucceedAsync(assignment, "out");
        Assert.Equal(1ul, answer.ConfirmedResultNumber);
        Assert.Empty(answer.Superseded);

        var result = (await client.AwaitTaskAsync(new AwaitTaskRequest { TaskId = id })).Result;
        Assert.Equal(V1.Outcome.Succeeded, result.Outcome);
        Assert.Equal("out", result.Output.ToStringUtf8());
    }

    [Fact]
    public async Task Results_OneByOne_AreConfirmedSoonAndABeatAtOnce()
    {
        await using var cell = new TemporaryCell();
        await cell.StartAsync();
        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7, slots: 4));
        var client = cell.Submission();
        for (var n = 0; n < 3; n++)
        {
            await client.SubmitTaskAsync(Request());
            var group = Assert.Single((await worker.AssignedAsync()).Groups);
            await worker.ReportAsync(Assert.Single(group.Assignments), "out");
        }

        // None of them asks for an answer; the worker must be able to forget them all the same.
        var answers = 0;
        while ((await worker.AnswerAsync()).ConfirmedResultNumber < 3)
        {
            answers++;
        }

        Assert.InRange(answers, 0, 2);
        Assert.Equal(3ul, (await worker.BeatAsync(new V1.HeartbeatRequest())).ConfirmedResultNumber);
    }

    [Fact]
    public async Task ThreeHosts_FindEachOther()
    {
        await using var cell = new TemporaryCell();

        // The others wait for the PLM to make the arena.
        var register = cell.StartAsync(cell.Options with { Roles = [Role.Register] });
        var scheduler = cell.StartAsync(cell.Options with { Roles = [Role.Scheduler] });
        await cell.StartAsync(cell.Options with { Roles = [Role.Plm] });
        await Task.WhenAll(register, scheduler);

        var registry = new RegistryService.RegistryServiceClient(cell.Invoker());
        var told = await registry.RegisterClientAsync(new RegisterClientRequest { WireVersion = 1, Name = "test" });
        Assert.NotEqual(0ul, told.ClientId);
        var plm = Assert.Single(told.PlmAddresses);
        Assert.EndsWith("/plm.sock", plm, StringComparison.Ordinal);

        await using var heartbeat = new ScriptedWorker(cell.Address);
        var welcome = await heartbeat.RegisterAsync(ScriptedWorker.Hello(7));
        await using var dispatch = new ScriptedWorker(Assert.Single(welcome.SchedulerAddresses));
        await dispatch.DispatchAsync(new DispatchHello { WireVersion = 1, WorkerId = welcome.WorkerId, Nonce = 7 });
        var id = (await cell.Submission(plm).SubmitTaskAsync(Request())).TaskId;
        Assert.Equal(id, (await dispatch.AssignedAsync()).Groups[0].Assignments[0].TaskId);
    }

    [Fact]
    public async Task Restart_QueuedAndRunningTasks_GoOn()
    {
        await using var cell = new TemporaryCell();
        var first = await cell.StartAsync();
        ulong id;
        ulong workerId;
        Assignment assignment;
        await using (var worker = new ScriptedWorker(cell.Address))
        {
            await worker.StartAsync(ScriptedWorker.Hello(7));
            id = (await cell.Submission().SubmitTaskAsync(Request())).TaskId;
            assignment = (await worker.AssignedAsync()).Groups[0].Assignments[0];
            workerId = worker.Id;
            await first.StopAsync(TimeSpan.Zero);
        }

        await cell.StartAsync();
        await using var again = new ScriptedWorker(cell.Address);
        var hello = ScriptedWorker.Hello(7);
        hello.WorkerId = workerId;
        var welcome = await again.RegisterAsync(hello);
        Assert.False(welcome.Fenced);
        await again.DispatchAsync(new DispatchHello
        {
            WorkerId = welcome.WorkerId,
            Nonce = 7,
            InHand = { new AttemptKey { TaskId = assignment.TaskId, Attempt = assignment.Attempt } },
        });
        Assert.Equal(1ul, (await again.SucceedAsync(assignment, "late but right")).ConfirmedResultNumber);
        var result = (await cell.Submission().AwaitTaskAsync(new AwaitTaskRequest { TaskId = id })).Result;
        Assert.Equal(("late but right", 1u), (result.Output.ToStringUtf8(), result.Executions));
    }

    [Fact]
    public async Task SecondPlm_IsRefusedByName()
    {
        await using var cell = new TemporaryCell();
        await cell.StartAsync();
        var fault = await cell.TryStartAsync(cell.Options);
        Assert.Equal(FaultCode.RoleTaken, fault.Code);
        Assert.Contains($"{Environment.ProcessId}", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SchedulerAlone_WithoutArena_GivesUpWithAReasonAfterANote()
    {
        await using var cell = new TemporaryCell();
        string? note = null;
        var fault = await cell.TryStartAsync(
            cell.Options with { Roles = [Role.Scheduler], ArenaWaitMs = 700, Note = line => note = line });
        Assert.Equal(FaultCode.ArenaMissing, fault.Code);
        Assert.Contains("waiting for the PLM", note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bind_Loopback_IsServedAndAnythingElseRefused()
    {
        await using var cell = new TemporaryCell();
        var any = await cell.TryStartAsync(cell.Options with { Bind = new(IPAddress.Any, 7_000) });
        Assert.Equal(FaultCode.BindRefused, any.Code);
        var zero = await cell.TryStartAsync(cell.Options with { Bind = new(IPAddress.Loopback, 0) });
        Assert.Equal(FaultCode.InvalidArgument, zero.Code);

        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var bind = (IPEndPoint)probe.LocalEndpoint;
        Assert.Equal(FaultCode.PortInUse, (await cell.TryStartAsync(cell.Options with { Bind = bind })).Code);
        probe.Stop();
        var host = await cell.StartAsync(cell.Options with { Bind = bind });
        Assert.Equal(2, host.Addresses.Count);
        var registry = new RegistryService.RegistryServiceClient(cell.Invoker($"http://{bind}"));
        var told = await registry.RegisterClientAsync(new RegisterClientRequest());
        Assert.Equal([cell.Address, $"http://{bind}"], told.PlmAddresses);
    }

    [Fact]
    public async Task Arena_Removed_IsNoticedAndTold()
    {
        await using var cell = new TemporaryCell();
        var failed = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await cell.StartAsync(cell.Options with { Failed = why => failed.TrySetResult(why) });
        System.IO.File.Delete(ArenaFile.PathOf(cell.Name));
        var why = await failed.Task.WaitAsync(s_patience);
        Assert.IsType<Muster.Server.ArenaRemovedException>(why);
        Assert.Contains("was removed", why.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_BeforeStartAndTwice_IsAllowed()
    {
        await using var cell = new TemporaryCell();
        var never = new Muster.Server.CellHost(cell.Options);
        await never.StopAsync(TimeSpan.Zero);
        Assert.Equal(FaultCode.ShuttingDown, (await never.StartAsync()).Code);
        var host = await cell.StartAsync(cell.Options with { RemoveArenaAtStop = true });
        await host.StopAsync(TimeSpan.FromSeconds(1));
        await host.StopAsync(TimeSpan.Zero);
        Assert.False(System.IO.File.Exists(ArenaFile.PathOf(cell.Name)));
    }

    [Theory]
    [InlineData("0a")]
    [InlineData("0a05ffffffff0f")]
    [InlineData("ffffffffffffffffffffff")]
    [InlineData("00")]
    [InlineData("0a020a02")]
    [InlineData("12021809")]
    [InlineData("1200")]
    public async Task Heartbeat_Garbage_IsInvalidArgumentAndTheRoleGoesOn(string hex)
    {
        await using var cell = new TemporaryCell();
        var host = await cell.StartAsync();
        Assert.Equal(StatusCode.InvalidArgument, await SendRawAsync(cell, RawMethods.Heartbeat, hex));
        Assert.Equal(0u, host.Arena.Workers.HighWater);
        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7));
    }

    [Theory]
    [InlineData("0a")]
    [InlineData("0a03220188")]
    [InlineData("12030a0100")]
    [InlineData("")]
    public async Task Dispatch_Garbage_IsInvalidArgumentAndTheRoleGoesOn(string hex)
    {
        await using var cell = new TemporaryCell();
        await cell.StartAsync();
        Assert.Equal(StatusCode.InvalidArgument, await SendRawAsync(cell, RawMethods.Dispatch, hex));
        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7));
    }

    [Fact]
    public async Task Dispatch_ForgedNonce_IsFenced()
    {
        await using var cell = new TemporaryCell();
        await cell.StartAsync();
        await using var worker = new ScriptedWorker(cell.Address);
        var welcome = await worker.RegisterAsync(ScriptedWorker.Hello(7));
        await worker.DispatchAsync(new DispatchHello { WorkerId = welcome.WorkerId, Nonce = 8 });
        Assert.Equal(StatusCode.FailedPrecondition, await worker.DispatchEndAsync());
        await worker.DispatchAsync(new DispatchHello { WorkerId = ulong.MaxValue, Nonce = 8 });
        Assert.Equal(StatusCode.FailedPrecondition, await worker.DispatchEndAsync());
    }

    [Fact]
    public async Task Worker_SaysGoodbye_IsGoneAndItsStreamEndsWell()
    {
        await using var cell = new TemporaryCell();
        var host = await cell.StartAsync();
        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7));
        await worker.BeatAsync(new HeartbeatRequest { Goodbye = true });
        Assert.Equal(StatusCode.OK, await worker.HeartbeatEndAsync());
        Assert.Equal(StatusCode.FailedPrecondition, await worker.DispatchEndAsync());
        Assert.Equal(WorkerHealth.Gone, host.Arena.Workers.Health(0));
    }

    [Fact]
    public async Task WorkersProcess_Killed_IsGoneInMillisecondsAndItsTaskGoesToAnother()
    {
        await using var cell = new TemporaryCell();
        var host = await cell.StartAsync();
        using var process = Process.Start(new ProcessStartInfo("/bin/sleep", "600"))!;
        Assert.True(ProcStat.TryRead((uint)process.Id, out var stat));
        var hello = ScriptedWorker.Hello(7, slots: 1);
        hello.Pid = (uint)process.Id;
        hello.PidStart = stat.Start;
        hello.BootId = HostIdentity.BootId.ToString();
        hello.PidNamespace = HostIdentity.PidNamespace;
        await using var doomed = new ScriptedWorker(cell.Address);
        await doomed.StartAsync(hello);
        var id = (await cell.Submission().SubmitTaskAsync(Request())).TaskId;
        var first = (await doomed.AssignedAsync()).Groups[0].Assignments[0];
        await using var other = new ScriptedWorker(cell.Address);
        await other.StartAsync(ScriptedWorker.Hello(8));

        process.Kill();
        var second = (await other.AssignedAsync()).Groups[0].Assignments[0];
        Assert.Equal(id, second.TaskId);
        Assert.True(second.Attempt > first.Attempt);
        Assert.Equal(WorkerHealth.Gone, host.Arena.Workers.Health(0));
        Assert.Equal(WorkerReason.ProcessExited, (WorkerReason)host.Arena.Workers[0].HealthReason);
        Assert.Equal(StatusCode.FailedPrecondition, await doomed.HeartbeatEndAsync());
    }

    [Fact]
    public async Task Worker_StreamCut_IsSuspectAtOnce()
    {
        await using var cell = new TemporaryCell();
        var host = await cell.StartAsync();
        await using (var worker = new ScriptedWorker(cell.Address))
        {
            await worker.StartAsync(ScriptedWorker.Hello(7));
        }

        Assert.True(SpinWait.SpinUntil(() => host.Arena.Workers.Health(0) == WorkerHealth.Suspect, s_patience));
        Assert.Equal(WorkerReason.StreamClosed, (WorkerReason)host.Arena.Workers[0].HealthReason);
    }

    [Fact]
    public async Task Assignments_LargePayloads_AllArriveWithinTheMessageLimit()
    {
        await using var cell = new TemporaryCell();
        await cell.StartAsync(cell.Options with { Limits = cell.Options.Limits with { PayloadBytesMax = 64 << 20 } });
        var payload = new string('x', 3_900_000);
        var client = cell.Submission();

        // One after another: together they are more than may wait for a slow disk, which refuses them. And all before
        // the worker comes, so that it gets them at once.
        const int Tasks = 8;
        for (var task = 0; task < Tasks; task++)
        {
            await client.SubmitTaskAsync(Request(payload));
        }

        await using var worker = new ScriptedWorker(cell.Address);
        await worker.StartAsync(ScriptedWorker.Hello(7, slots: 16));
        var seen = 0;
        while (seen < Tasks)
        {
            foreach (var group in (await worker.AssignedAsync()).Groups)
            {
                Assert.All(group.Assignments, assignment => Assert.Equal(payload.Length, assignment.Payload.Length));
                seen += group.Assignments.Count;
            }
        }
    }

    private static async Task<StatusCode> SendRawAsync(
        TemporaryCell cell, Method<RawMessage, RawMessage> method, string hex)
    {
        using var call = cell.Invoker().AsyncDuplexStreamingCall(method, null, default);
        await call.RequestStream.WriteAsync(RawMessage.Copy(Convert.FromHexString(hex)));
        using var over = new CancellationTokenSource(s_patience);
        try
        {
            while (await call.ResponseStream.MoveNext(over.Token))
            {
                call.ResponseStream.Current.Dispose();
            }

            return StatusCode.OK;
        }
        catch (RpcException end)
        {
            return end.StatusCode;
        }
    }
}
