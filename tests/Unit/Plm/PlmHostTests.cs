// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.Core;
using Muster.Plm;
using Muster.Server.PlmHosting;
using Muster.Transport;
using Muster.Transport.Wire;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Plm;

public sealed class PlmHostTests
{
    private static DateTime Soon => DateTime.UtcNow.AddSeconds(20);

    [Fact]
    public async Task Session_GeneratedMessagesOfAClient_AreUnderstoodAndAnswered()
    {
        await using var cell = await HostedCell.StartAsync();
        using var call = cell.Submission.Session(deadline: Soon);
        await call.RequestStream.WriteAsync(new SessionRequest
        {
            Hello = new V1.SessionHello { WireVersion = 1, ClientId = 77, Name = "test" },
            Submit = Batch(1, "abc", "def", "ghi"),
        });
        Assert.True(await call.ResponseStream.MoveNext(default));
        var answer = call.ResponseStream.Current;
        Assert.Equal(cell.Arena.CellId, answer.Welcome.CellId);
        Assert.Equal(0ul, answer.Welcome.DecidedRef);
        var accepted = Assert.Single(answer.Accepted);
        Assert.Equal(1ul, accepted.FirstRef);
        Assert.Equal(3, accepted.TaskIds.Distinct().Count());
        cell.Finish(3);
        var results = await ReadResults(call.ResponseStream, 3);
        var outputs = results.OrderBy(result => result.Ref).Select(result => result.Output.ToStringUtf8());
        Assert.Equal(["cba", "fed", "ihg"], outputs);
        Assert.All(results, result => Assert.Equal(Muster.V1.Outcome.Succeeded, result.Outcome));
        var timings = results[0].Timings;
        Assert.True(timings.SubmittedUnixUs > 0 && timings.ReadyUs > 0 && timings.DeliveredUs >= timings.ReadyUs);
        Assert.Equal((10ul, 20ul), (timings.ReceivedUs, timings.StartedUs));
        Assert.Equal((30ul, 40ul), (timings.FinishedUs, timings.ReportedUs));
        await call.RequestStream.WriteAsync(new SessionRequest { ConfirmedTotal = 3, Submit = Batch(4, "") });
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.Equal(4ul, Assert.Single(call.ResponseStream.Current.Accepted).FirstRef);
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
    }

    [Fact]
    public async Task Session_StreamLost_ResumesWithoutLossOrRepetition()
    {
        await using var cell = await HostedCell.StartAsync();
        ulong[] ids;
        using (var call = cell.Submission.Session(deadline: Soon))
        {
            await call.RequestStream.WriteAsync(new SessionRequest { Hello = Hello(), Submit = Batch(1, "ab", "cd") });
            await call.ResponseStream.MoveNext(default);
            ids = [.. call.ResponseStream.Current.Accepted[0].TaskIds];
            cell.Finish(1);
            await ReadResults(call.ResponseStream, 1);
        }

        cell.Finish(1);
        using var again = cell.Submission.Session(deadline: Soon);
        var hello = Hello();
        (hello.UnresolvedFirst, hello.UnresolvedLast) = (1, 4);
        await again.RequestStream.WriteAsync(new SessionRequest { Hello = hello });
        await again.ResponseStream.MoveNext(default);
        var welcome = again.ResponseStream.Current.Welcome;
        Assert.Equal([1ul, 2ul], welcome.KnownRefs);
        Assert.Equal(ids, welcome.KnownTaskIds);
        Assert.Equal(2ul, welcome.DecidedRef);
        var results = await ReadResults(again.ResponseStream, 2);
        Assert.Equal(["ba", "dc"], results.Select(result => result.Output.ToStringUtf8()).Order());
    }

    [Fact]
    public async Task Session_TakenOver_EndsTheEarlierStreamAborted()
    {
        await using var cell = await HostedCell.StartAsync();
        using var first = cell.Submission.Session(deadline: Soon);
        await first.RequestStream.WriteAsync(new SessionRequest { Hello = Hello() });
        await first.ResponseStream.MoveNext(default);
        using var second = cell.Submission.Session(deadline: Soon);
        await second.RequestStream.WriteAsync(new SessionRequest { Hello = Hello() });
        await second.ResponseStream.MoveNext(default);
        var end = await Assert.ThrowsAsync<RpcException>(async () => await first.ResponseStream.MoveNext(default));
        AssertFault(FaultCode.SessionTakenOver, StatusCode.Aborted, end);
    }

    [Fact]
    public async Task Session_BadFirstMessage_EndsTheStreamWithItsCode()
    {
        await using var cell = await HostedCell.StartAsync();
        var cases = new (SessionRequest Request, FaultCode Code, StatusCode Status)[]
        {
            (new() { ConfirmedTotal = 1 }, FaultCode.InvalidArgument, StatusCode.InvalidArgument),
            (new() { Hello = new() { WireVersion = 9, ClientId = 1 } },
                FaultCode.WireVersionUnsupported, StatusCode.FailedPrecondition),
            (new() { Hello = new() { ClientId = 0 } }, FaultCode.InvalidArgument, StatusCode.InvalidArgument),
            (new() { Hello = Hello(), Submit = Batch(2, "x") }, FaultCode.RefOutOfOrder, StatusCode.FailedPrecondition),
            (new() { Hello = Hello(), Submit = Batch(1) }, FaultCode.InvalidArgument, StatusCode.InvalidArgument),
            (new() { Hello = Hello(), ConfirmedTotal = 5 }, FaultCode.InvalidArgument, StatusCode.InvalidArgument),
        };
        foreach (var (request, code, status) in cases)
        {
            using var call = cell.Submission.Session(deadline: Soon);
            await call.RequestStream.WriteAsync(request);
            AssertFault(code, status, await EndOf(call.ResponseStream));
        }

        Assert.Equal(0ul, cell.Arena.Ready.Count);
    }

    [Fact]
    public async Task Session_DamagedBytes_EndTheStreamAndChangeNothing()
    {
        await using var cell = await HostedCell.StartAsync();
        var whole = new SessionRequest { Hello = Hello(), Submit = Batch(1, "abc", "def") }.ToByteArray();

        // Cut anywhere but between fields, or with a length that leads outside.
        for (var cut = 1; cut < whole.Length; cut += 3)
        {
            if (TryParse(whole.AsSpan(0, cut)))
            {
                continue;
            }

            using var call = cell.Calls.AsyncDuplexStreamingCall(
                RawMethods.SubmissionSession, null, new CallOptions(deadline: Soon));
            await call.RequestStream.WriteAsync(RawMessage.Copy(whole.AsSpan(0, cut)));
            var end = await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseStream.MoveNext(default));
            AssertFault(FaultCode.InvalidArgument, StatusCode.InvalidArgument, end);
        }

        Assert.Equal(0ul, cell.Arena.Ready.Count);
    }

    [Fact]
    public async Task Session_SlowReader_GetsEverythingInTheEnd()
    {
        await using var cell = await HostedCell.StartAsync();
        using var call = cell.Submission.Session(deadline: Soon);
        await call.RequestStream.WriteAsync(new SessionRequest { Hello = Hello() });
        await call.ResponseStream.MoveNext(default);
        var text = new string('x', 8_000);
        for (var first = 1; first <= 500; first += 50)
        {
            await call.RequestStream.WriteAsync(
                new SessionRequest { Submit = Batch((ulong)first, [.. Enumerable.Repeat(text, 50)]) });
        }

        // Some 4 MiB of results against an outbox of one: nobody reads until all of them have been reported. The
        // answers to the batches must be out before, because a session whose answer cannot go out is not read any
        // further.
        await Until(() => cell.Arena.Counter(Muster.Arena.CellCounter.Submitted) == 500);
        cell.Finish(500);
        await Until(() => cell.Arena.Counter(Muster.Arena.CellCounter.Succeeded) == 500);
        var results = await ReadResults(call.ResponseStream, 500);
        Assert.Equal(Enumerable.Range(1, 500), results.Select(result => (int)result.Ref).Order());
    }

    [Fact]
    public async Task Session_ClientThatSendsAllBeforeItReads_GetsAnswersAndResults()
    {
        await using var cell = await HostedCell.StartAsync();
        using var call = cell.Submission.Session(deadline: Soon);
        await call.RequestStream.WriteAsync(new SessionRequest { Hello = Hello() });
        var text = new string('x', 8_000);

        // Some 6 MiB of results come while batches are still being sent, and nobody reads.
        cell.Finish(800);
        for (var first = 1; first <= 800; first += 10)
        {
            await call.RequestStream.WriteAsync(
                new SessionRequest { Submit = Batch((ulong)first, [.. Enumerable.Repeat(text, 10)]) });
        }

        await Until(() => cell.Arena.Counter(Muster.Arena.CellCounter.Succeeded) == 800);
        ulong accepted = 0;
        ulong ended = 0;
        while (ended < 800 && await call.ResponseStream.MoveNext(default))
        {
            foreach (var answer in call.ResponseStream.Current.Accepted)
            {
                Assert.Equal(accepted + 1, answer.FirstRef);
                accepted += (ulong)answer.TaskIds.Count;
            }

            // No result comes before its acceptance.
            Assert.All(call.ResponseStream.Current.Results, result => Assert.True(result.Ref <= accepted));
            ended += (ulong)call.ResponseStream.Current.Results.Count;
        }

        Assert.Equal((800ul, 800ul), (accepted, ended));
    }

    [Fact]
    public async Task Session_RefusalsThatNobodyReads_AreHeldAndAllArrive()
    {
        await using var cell = await HostedCell.StartAsync();
        using var call = cell.Submission.Session(deadline: Soon);
        await call.RequestStream.WriteAsync(new SessionRequest { Hello = Hello() });
        const int Batches = 150;
        var writing = Task.Run(async () =>
        {
            for (var batch = 0; batch < Batches; batch++)
            {
                var refused =
                    new SubmitBatch { FirstRef = ((ulong)batch * 1_000) + 1, Options = new() { Priority = 9 } };
                refused.Items.AddRange(Enumerable.Repeat(new TaskItem(), 1_000));
                await call.RequestStream.WriteAsync(new SessionRequest { Submit = refused });
            }
        });

        // 150,000 refusals are far more bytes than every buffer on the way holds: the server stops reading.
        await Until(() => writing.IsCompleted && cell.Arena.Counter(Muster.Arena.CellCounter.Refused) >= 8_000);
        var refusals = 0;
        while (refusals < Batches * 1_000 && await call.ResponseStream.MoveNext(default))
        {
            refusals += call.ResponseStream.Current.Accepted.Sum(answer => answer.Errors.Count);
        }

        await writing;
        Assert.Equal(Batches * 1_000, refusals);
    }

    [Fact]
    public async Task Unary_SubmitAwaitReleaseCancel_Work()
    {
        await using var cell = await HostedCell.StartAsync();
        var client = cell.Submission;
        var submitted = await client.SubmitTaskAsync(
            new SubmitTaskRequest { Options = Options(), Item = Item("abc") }, deadline: Soon);
        var awaiting = client.AwaitTaskAsync(new AwaitTaskRequest { TaskId = submitted.TaskId }, deadline: Soon);
        cell.Finish(1);
        Assert.Equal("cba", (await awaiting).Result.Output.ToStringUtf8());
        var again = await client.AwaitTaskAsync(new AwaitTaskRequest { TaskId = submitted.TaskId }, deadline: Soon);
        Assert.Equal("cba", again.Result.Output.ToStringUtf8());
        var batch = await client.SubmitTasksAsync(
            new SubmitTasksRequest { Options = Options(), Items = { Item("x"), Item("y", new string('k', 257)) } },
            deadline: Soon);
        Assert.Equal("INVALID_ARGUMENT", Assert.Single(batch.Errors).Code);
        var cancelled = await client.CancelTasksAsync(
            new CancelTasksRequest { TaskIds = { batch.TaskIds[0], submitted.TaskId, 99 } }, deadline: Soon);
        Assert.Equal([CancelStatus.Cancelled, CancelStatus.AlreadyDone, CancelStatus.NotFound], cancelled.Statuses);
        var result = await client.AwaitTaskAsync(new AwaitTaskRequest { TaskId = batch.TaskIds[0] }, deadline: Soon);
        Assert.Equal(Muster.V1.Outcome.Cancelled, result.Result.Outcome);
        Assert.Equal("TASK_CANCELLED", result.Result.Error.Code);
        var released = await client.ReleaseTasksAsync(
            new ReleaseTasksRequest { TaskIds = { submitted.TaskId, batch.TaskIds[0], 99 } }, deadline: Soon);
        Assert.Equal(2u, released.Released);
        var request = new AwaitTaskRequest { TaskId = submitted.TaskId };
        var gone = await Assert.ThrowsAsync<RpcException>(
            async () => await client.AwaitTaskAsync(request, deadline: Soon));
        AssertFault(FaultCode.TaskNotFound, StatusCode.NotFound, gone);
    }

    [Fact]
    public async Task Keys_AcrossCallsAndSessions_NameTheFirstTaskAndItsResult()
    {
        await using var cell = await HostedCell.StartAsync();
        var client = cell.Submission;
        using var call = client.Session(deadline: Soon);
        var batch = new SubmitBatch { FirstRef = 1, Options = Options(), Items = { Item("abc", "k"), Item("def") } };
        batch.Items.Add([Item("abc", "k"), Item("abc", "k"), Item("xyz", "k")]);
        await call.RequestStream.WriteAsync(new SessionRequest { Hello = Hello(), Submit = batch });
        await call.ResponseStream.MoveNext(default);
        var accepted = call.ResponseStream.Current.Accepted[0];
        var first = accepted.TaskIds[0];
        Assert.Equal([2u, 3u], accepted.Duplicates);
        Assert.Equal([first, first], accepted.TaskIds.Skip(2).Take(2));
        Assert.Equal((4u, "IDEMPOTENCY_KEY_REUSED"), (accepted.Errors[0].Index, accepted.Errors[0].Code));

        var single = await client.SubmitTaskAsync(
            new SubmitTaskRequest { Options = Options(), Item = Item("abc", "k") }, deadline: Soon);
        Assert.Equal((first, true), (single.TaskId, single.IsDuplicate));
        var several = await client.SubmitTasksAsync(
            new SubmitTasksRequest { Options = Options(), Items = { Item("abc", "l"), Item("abc", "k") } },
            deadline: Soon);
        Assert.Equal([1u], several.Duplicates);
        cell.Finish(3);
        var result = await client.AwaitTaskAsync(new AwaitTaskRequest { TaskId = first }, deadline: Soon);
        Assert.Equal("cba", result.Result.Output.ToStringUtf8());
        var request = new SubmitTaskRequest { Options = Options(), Item = Item("xyz", "l") };
        var reused = await Assert.ThrowsAsync<RpcException>(
            async () => await client.SubmitTaskAsync(request, deadline: Soon));
        AssertFault(FaultCode.IdempotencyKeyReused, StatusCode.AlreadyExists, reused);
    }

    [Fact]
    public async Task Session_CancelsATaskThatAnotherCallAwaits_AnswersBoth()
    {
        await using var cell = await HostedCell.StartAsync();
        using var call = cell.Submission.Session(deadline: Soon);
        await call.RequestStream.WriteAsync(new SessionRequest { Hello = Hello(), Submit = Batch(1, "abc") });
        await call.ResponseStream.MoveNext(default);
        var id = call.ResponseStream.Current.Accepted[0].TaskIds[0];
        var awaiter = new AwaitCall(cell.Host);
        Assert.True(cell.Host.Run((core, _) => core.Await(new TaskId(id), awaiter, out var _, out var _)).IsNone);
        await call.RequestStream.WriteAsync(new SessionRequest { Cancel = { id }, Submit = Batch(2, "def") });
        await call.ResponseStream.MoveNext(default);
        Assert.Null(call.ResponseStream.Current.Welcome);
        Assert.Equal(2ul, Assert.Single(call.ResponseStream.Current.Accepted).FirstRef);
        var result = TaskResult.Parser.ParseFrom(await awaiter.Result);
        Assert.Equal(Muster.V1.Outcome.Cancelled, result.Outcome);
    }

    [Fact]
    public async Task AwaitTask_DeadlineFirst_EndsTheCallAndNotTheTask()
    {
        await using var cell = await HostedCell.StartAsync();
        var submitted = await cell.Submission.SubmitTaskAsync(
            new SubmitTaskRequest { Options = Options(), Item = Item("abc") }, deadline: Soon);
        var end = await Assert.ThrowsAsync<RpcException>(async () => await cell.Submission.AwaitTaskAsync(
            new AwaitTaskRequest { TaskId = submitted.TaskId }, deadline: DateTime.UtcNow.AddMilliseconds(100)));
        Assert.Equal(StatusCode.DeadlineExceeded, end.StatusCode);
        cell.Finish(1);
        var result = await cell.Submission.AwaitTaskAsync(
            new AwaitTaskRequest { TaskId = submitted.TaskId }, deadline: Soon);
        Assert.Equal("cba", result.Result.Output.ToStringUtf8());
    }

    [Fact]
    public async Task Submit_ArenaFull_SaysResourceExhaustedWithARetryDelay()
    {
        await using var cell = await HostedCell.StartAsync();
        var request = new SubmitTasksRequest { Options = Options() };
        request.Items.AddRange(Enumerable.Repeat(Item("x"), 4_096));
        Assert.Empty((await cell.Submission.SubmitTasksAsync(request, deadline: Soon)).Errors);
        var full = await Assert.ThrowsAsync<RpcException>(async () => await cell.Submission.SubmitTaskAsync(
            new SubmitTaskRequest { Options = Options(), Item = Item("x") }, deadline: Soon));
        AssertFault(FaultCode.ArenaFull, StatusCode.ResourceExhausted, full);
        Assert.True(RichStatus.TryRead(full, out var status) && status.RetryAfter > TimeSpan.Zero);
    }

    [Fact]
    public async Task Host_SecondOnTheArenaAndRepeatedStartAndStop_AreHandled()
    {
        await using var cell = await HostedCell.StartAsync();
        Assert.True(cell.Host.Start().IsNone);
        using var second = new PlmHost(new PlmHostOptions { Arena = cell.Arena, Addresses = "unix:/nowhere" });
        Assert.Equal(FaultCode.RoleTaken, second.Start().Code);
        var waiting = cell.Submission.SubmitTask(new SubmitTaskRequest { Options = Options(), Item = Item("x") });
        var awaiting = cell.Submission.AwaitTaskAsync(new AwaitTaskRequest { TaskId = waiting.TaskId }, deadline: Soon);
        cell.Host.Stop();
        cell.Host.Stop();
        var end = await Assert.ThrowsAsync<RpcException>(async () => await awaiting);
        Assert.Equal(StatusCode.Unavailable, end.StatusCode);
        Assert.Equal(FaultCode.ShuttingDown, cell.Host.Start().Code);

        // The next one goes on with what is there.
        using var third = new PlmHost(new PlmHostOptions { Arena = cell.Arena, Addresses = "unix:/nowhere" });
        Assert.True(third.Start().IsNone);
        Assert.True(third.Run((core, now) => core.Find(new TaskId(waiting.TaskId), out var slot, out var word)).IsNone);
        third.Stop();
    }

    [Fact]
    public async Task Host_InvariantBroken_StopsTheRoleAndTells()
    {
        await using var cell = await HostedCell.StartAsync();
        using var call = cell.Submission.Session(deadline: Soon);
        await call.RequestStream.WriteAsync(new SessionRequest { Hello = Hello() });
        await call.ResponseStream.MoveNext(default);
        Assert.Throws<RpcException>(() => cell.Host.Run<bool>((_, _) => throw new InvariantException("test")));
        Assert.IsType<InvariantException>(await cell.Failure.Task.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(StatusCode.Unavailable, (await EndOf(call.ResponseStream)).StatusCode);
        var refused = await Assert.ThrowsAsync<RpcException>(
            async () => await cell.Admin.GetCellAsync(new GetCellRequest(), deadline: Soon));
        AssertFault(FaultCode.Unavailable, StatusCode.Unavailable, refused);
    }

    private static async Task Until(Func<bool> holds)
    {
        for (var end = Soon; !holds(); await Task.Yield())
        {
            Assert.True(DateTime.UtcNow < end, "the condition did not come to hold in time");
        }
    }

    private static async Task<List<TaskResult>> ReadResults(IAsyncStreamReader<SessionResponse> stream, int count)
    {
        var results = new List<TaskResult>();
        while (results.Count < count && await stream.MoveNext(default))
        {
            results.AddRange(stream.Current.Results);
        }

        Assert.Equal(count, results.Count);
        return results;
    }

    private static async Task<RpcException> EndOf(IAsyncStreamReader<SessionResponse> stream) =>
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await stream.MoveNext(default))
            {
            }
        });

    private static void AssertFault(FaultCode code, StatusCode status, RpcException end)
    {
        Assert.Equal(status, end.StatusCode);
        Assert.True(RichStatus.TryRead(end, out var details));
        Assert.Equal((FaultCodes.Name(code), "muster"), (details.Error!.Reason, details.Error.Domain));
    }

    private static bool TryParse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            SessionRequest.Parser.ParseFrom(bytes);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    private static V1.SessionHello Hello() => new() { WireVersion = 1, ClientId = 77, Name = "test" };

    private static TaskOptions Options() => new() { Handler = "reverse" };

    private static TaskItem Item(string payload, string key = "") =>
        new() { Payload = ByteString.CopyFromUtf8(payload), IdempotencyKey = key };

    private static SubmitBatch Batch(ulong first, params string[] payloads)
    {
        var batch = new SubmitBatch { FirstRef = first, Options = Options() };
        batch.Items.AddRange(payloads.Select(payload => Item(payload)));
        return batch;
    }
}
