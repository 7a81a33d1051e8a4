// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Tasks;
using Google.Protobuf;
using Xunit;

namespace Muster.Unit.Client;

/// <summary>Submissions with idempotency keys, whose tasks may be another submission's.</summary>
public class KeyTests
{
    private static readonly TaskType<int, int> s_twice = TaskType.Json<int, int>(
        "twice", new JsonSerializerOptions { TypeInfoResolver = new DefaultJsonTypeInfoResolver() });

    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Run_KeyOfAnEarlierTask_GivesThatTaskAndItsResult()
    {
        var plm = new PlmModel();
        await using var server = new FakePlmServer(plm);
        server.Connector.Await = id => Result(id, "42");
        var first = await server.Client.SubmitAsync(s_twice, 5, new() { IdempotencyKey = "k" });
        Assert.Equal(5, await first);

        var second = await server.Client.SubmitAsync(s_twice, 5, new() { IdempotencyKey = "k" });

        Assert.Equal(first.Id, second.Id);
        Assert.Equal(42, await second.WaitAsync(new System.Threading.CancellationTokenSource(s_soon).Token));
        Assert.Equal(1, plm.AcceptedCounts[(byte)'5']);

        // The session goes on as if nothing had been.
        Assert.Equal(6, await server.Client.RunAsync(s_twice, 6, new() { IdempotencyKey = "l" }));
    }

    [Fact]
    public async Task Run_ManyWithTheSameKey_AllEndByTheOneTask()
    {
        var plm = new PlmModel();
        await using var server = new FakePlmServer(plm);
        var ended = new TaskCompletionSource<byte[]?>(TaskCreationOptions.RunContinuationsAsynchronously);
        server.Connector.Await = _ => ended.Task;
        Assert.Equal(5, await server.Client.RunAsync(s_twice, 5, new() { IdempotencyKey = "k" }));
        var runs = new List<Task<int>>();
        for (var run = 0; run < 200; run++)
        {
            runs.Add(server.Client.RunAsync(s_twice, 5, new() { IdempotencyKey = "k" }));
        }

        ended.SetResult(PlmModel.Answer(default, "7"u8.ToArray()).ToByteArray());

        Assert.All(await Task.WhenAll(runs).WaitAsync(s_soon), value => Assert.Equal(7, value));
        Assert.Equal(1, plm.AcceptedCounts[(byte)'5']);
    }

    [Fact]
    public async Task Run_ResultNotKeptAnyMore_SaysSoAndRunsNothing()
    {
        var plm = new PlmModel();
        await using var server = new FakePlmServer(plm);
        server.Connector.Await = _ => throw new MusterException("TASK_NOT_FOUND", "gone");
        await server.Client.RunAsync(s_twice, 5, new() { IdempotencyKey = "k" });

        var refusal = await Assert.ThrowsAsync<MusterException>(
            () => server.Client.RunAsync(s_twice, 5, new() { IdempotencyKey = "k" }).WaitAsync(s_soon));

        Assert.Equal("IDEMPOTENCY_RESULT_GONE", refusal.Code);
        Assert.Equal(1, plm.AcceptedCounts[(byte)'5']);
    }

    [Fact]
    public async Task Run_AwaitFailsForAWhile_IsTriedUntilTheResultIsThere()
    {
        await using var server = new FakePlmServer(new PlmModel());
        var calls = 0;
        server.Connector.Await = id => ++calls switch
        {
            1 => throw FakeConnector.Unavailable(),
            2 => Task.FromResult<byte[]?>(null),
            _ => Result(id, "42"),
        };
        await server.Client.RunAsync(s_twice, 5, new() { IdempotencyKey = "k" });

        Assert.Equal(42, await server.Client.RunAsync(s_twice, 5, new() { IdempotencyKey = "k" }).WaitAsync(s_soon));
        Assert.Equal(3, calls);
    }

    [Fact]
    public async Task Dispose_WhileAResultIsAwaitedElsewhere_FailsTheWait()
    {
        var server = new FakePlmServer(new PlmModel());
        await server.Client.RunAsync(s_twice, 5, new() { IdempotencyKey = "k" });
        var handle = await server.Client.SubmitAsync(s_twice, 5, new() { IdempotencyKey = "k" });

        await server.DisposeAsync();

        var refusal = await Assert.ThrowsAsync<MusterException>(() => handle.AsTask().WaitAsync(s_soon));
        Assert.Equal("SHUTTING_DOWN", refusal.Code);
    }

    [Fact]
    public void Ledger_DuplicateInABatch_LeavesTheSessionAndIsNotSentAgain()
    {
        var session = new LedgerSession(new PlmModel());
        session.Connect();
        session.ArriveDown();
        var tasks = new[] { Keyed("k"), Keyed("k"), Keyed(null) };
        Array.ForEach(tasks, session.Ledger.Enqueue);
        Assert.Equal(3, session.Send()!.Submit.Items.Count);
        session.ArriveUp();
        session.ArriveDown();
        Assert.Equal(2, session.Ledger.OpenCount);
        Assert.True(session.Ledger.IsElsewhere(tasks[1]));
        Assert.Equal(tasks[0].Id, tasks[1].Id);
        Assert.Equal(1, tasks[1].AcceptedCount);

        session.Connect();
        session.Settle();

        Assert.Equal([1, 0, 1], [tasks[0].EndedCount, tasks[1].EndedCount, tasks[2].EndedCount]);
        Assert.True(session.Ledger.HasWork);
        var events = new Muster.Client.Sessions.SessionEvents();
        var result = PlmModel.Answer(tasks[1].Id, [9]).ToByteArray();
        session.Ledger.ReceiveElsewhere(tasks[1], result, events);
        session.Ledger.ReceiveElsewhere(tasks[1], result, events);
        events.Tell();
        Assert.Equal(1, tasks[1].EndedCount);
        Assert.Equal([9], tasks[1].Output.ToArray());
        Assert.False(session.Ledger.HasWork);
    }

    [Fact]
    public void Ledger_AnswerOfADuplicateLost_IsAskedAgainUnderTheSameKey()
    {
        var plm = new PlmModel();
        var session = new LedgerSession(plm);
        session.Connect();
        session.ArriveDown();
        var tasks = new[] { Keyed("k"), Keyed("k") };
        Array.ForEach(tasks, session.Ledger.Enqueue);
        session.Send();
        session.ArriveUp();

        session.Connect();
        session.Settle();

        Assert.Equal(1, tasks[0].EndedCount);
        Assert.True(session.Ledger.IsElsewhere(tasks[1]));
        Assert.Equal(1, plm.AcceptedCounts[1]);
    }

    [Fact]
    public async Task Submit_KeyTooLong_IsRefusedWhereItWasWritten()
    {
        await using var server = new FakePlmServer(new PlmModel());

        var refusal = await Assert.ThrowsAsync<MusterException>(
            () => server.Client.RunAsync(s_twice, 1, new() { IdempotencyKey = new string('k', 257) }));

        Assert.Equal("INVALID_ARGUMENT", refusal.Code);
    }

    [Fact]
    public async Task Map_OneKeyForAllInputs_IsRefused()
    {
        await using var server = new FakePlmServer(new PlmModel());
        var options = new MapOptions { Task = new() { IdempotencyKey = "k" } };

        Assert.Throws<ArgumentException>(() => server.Client.MapAsync(s_twice, [1, 2], options));
    }

    private static TestTask Keyed(string? key) => TestTask.Make(key: key);

    private static Task<byte[]?> Result(TaskId id, string output) =>
        Task.FromResult<byte[]?>(PlmModel.Answer(id, System.Text.Encoding.UTF8.GetBytes(output)).ToByteArray());
}
