// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Muster.Client.Sessions;
using Xunit;

namespace Muster.Unit.Client;

public class SessionEngineTests
{
    private static readonly EncodedTaskOptions s_options = EncodedTaskOptions.Create("test", SubmitOptions.Default);

    private readonly FakeConnector _connector = new();
    private readonly PlmModel _plm = new();

    [Fact]
    public async Task Submit_LoneTask_ComesBackAndIsConfirmedSoon()
    {
        await using var engine = new SessionEngine(_connector, new());
        var task = await SubmitAsync(engine, 5);
        var (stream, hello) = await _connector.AcceptAsync(_plm);

        stream.Send(_plm.Take(await stream.NextAsync()));
        stream.Send(_plm.Finish(1));
        await EndAsync(task);

        Assert.Equal(1ul, hello.ClientId);
        Assert.Equal([5], task.Output.ToArray());
        Assert.Equal(1ul, (await stream.NextAsync()).ConfirmedTotal);
    }

    [Fact]
    public async Task Submit_WhileTheWireIsBusy_GathersABatch()
    {
        await using var engine = new SessionEngine(_connector, new());
        await SubmitAsync(engine, 0);
        var (stream, _) = await _connector.AcceptAsync(_plm);
        Assert.Single((await stream.NextAsync()).Submit.Items);
        stream.HoldWrites();
        await SubmitAsync(engine, 1);
        Assert.Single((await stream.NextAsync()).Submit.Items);

        for (byte value = 2; value < 102; value++)
        {
            await SubmitAsync(engine, value);
        }

        stream.ReleaseWrites();

        Assert.Equal(100, (await stream.NextAsync()).Submit.Items.Count);
    }

    [Fact]
    public async Task Stream_Breaks_ReconnectsWithTheSameIdAndFinishes()
    {
        await using var engine = new SessionEngine(_connector, new());
        var tasks = await Task.WhenAll(Enumerable.Range(0, 20).Select(value => SubmitAsync(engine, (byte)value)));
        var (first, hello) = await _connector.AcceptAsync(_plm);
        first.Send(_plm.Take(await first.NextAsync()));
        first.Send(_plm.Finish(1));
        first.End(FakeConnector.Unavailable());

        var (second, again) = await _connector.AcceptAsync(_plm);
        using var end = new CancellationTokenSource();
        var pump = ServeAsync(second, end.Token);
        await Task.WhenAll(tasks.Select(EndAsync));

        Assert.Equal(hello.ClientId, again.ClientId);
        Assert.All(tasks, task => Assert.Equal(Outcome.Succeeded, task.Outcome));
        Assert.All(_plm.AcceptedCounts.Values, count => Assert.Equal(1, count));
        await end.CancelAsync();
        await pump;
    }

    [Fact]
    public async Task Message_Damaged_IsABrokenStreamAndNothingIsLost()
    {
        await using var engine = new SessionEngine(_connector, new());
        var task = await SubmitAsync(engine, 1);
        var (first, _) = await _connector.AcceptAsync(_plm);
        first.Send(_plm.Take(await first.NextAsync()));
        first.SendBytes([0x1a, 0x7f, 1]);

        var (second, _) = await _connector.AcceptAsync(_plm);
        second.Send(_plm.Finish(1));
        await EndAsync(task);

        Assert.Equal(Outcome.Succeeded, task.Outcome);
    }

    [Fact]
    public async Task Session_TakenOver_FailsWhatWaitsAndStartsAnewLater()
    {
        await using var engine = new SessionEngine(_connector, new());
        var task = await SubmitAsync(engine, 1);
        var (first, _) = await _connector.AcceptAsync(_plm);
        first.End(new("SESSION_TAKEN_OVER", "another stream has it"));
        await EndAsync(task);
        Assert.Equal("SESSION_TAKEN_OVER", Assert.Throws<MusterException>(task.ThrowIfRefused).Code);

        var later = await SubmitAsync(engine, 2);
        var (second, hello) = await _connector.AcceptAsync(new PlmModel());
        Assert.Equal(2ul, hello.ClientId);
        Assert.Single((await second.NextAsync()).Submit.Items);
        Assert.Equal(PendingStage.Sent, later.Stage);
    }

    [Fact]
    public async Task Service_NeverThere_FailsWithUnavailableAfterTheConnectTimeout()
    {
        _connector.Refusal = () => FakeConnector.Unavailable();
        var options = new MusterClientOptions { ConnectTimeout = TimeSpan.FromMilliseconds(150) };
        await using var engine = new SessionEngine(_connector, options);

        var task = await SubmitAsync(engine, 1);
        await EndAsync(task);

        var failure = Assert.Throws<MusterException>(task.ThrowIfRefused);
        Assert.Equal("UNAVAILABLE", failure.Code);
        Assert.Contains("unix:/fake", failure.Message, StringComparison.Ordinal);
        Assert.InRange(_connector.OpenAttempts, 2, 40);
    }

    [Fact]
    public async Task Service_ComesLate_IsFoundByRetries()
    {
        var refusals = 3;
        _connector.Refusal = () => refusals-- > 0 ? FakeConnector.Unavailable() : null;
        await using var engine = new SessionEngine(_connector, new());
        var task = await SubmitAsync(engine, 1);

        var (stream, _) = await _connector.AcceptAsync(_plm);
        stream.Send(_plm.Take(await stream.NextAsync()));
        stream.Send(_plm.Finish(1));
        await EndAsync(task);

        Assert.Equal(Outcome.Succeeded, task.Outcome);
        Assert.Equal(4, _connector.OpenAttempts);
    }

    [Fact]
    public async Task Queue_Full_MakesSubmittersWaitAndLetsThemInInOrder()
    {
        var options = new MusterClientOptions { QueuedTasksMax = 2 };
        await using var engine = new SessionEngine(_connector, options);
        await SubmitAsync(engine, 0);
        await SubmitAsync(engine, 1);
        var third = Make(2);
        var waits = engine.SubmitAsync(third, CancellationToken.None);
        Assert.False(waits.IsCompleted);

        var (stream, _) = await _connector.AcceptAsync(_plm);
        await waits.WaitAsync(TimeSpan.FromSeconds(20));

        var sent = (await stream.NextAsync()).Submit.Items.Concat((await stream.NextAsync()).Submit.Items);
        Assert.Equal([0, 1, 2], sent.Select(item => (int)item.Payload[0]));
    }

    [Fact]
    public async Task Queue_FullAndWaitCancelled_NeverSendsTheTask()
    {
        var options = new MusterClientOptions { QueuedTasksMax = 1 };
        await using var engine = new SessionEngine(_connector, options);
        await SubmitAsync(engine, 0);
        using var cancel = new CancellationTokenSource();
        var given = engine.SubmitAsync(Make(1), cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        var third = engine.SubmitAsync(Make(2), CancellationToken.None);

        var (stream, _) = await _connector.AcceptAsync(_plm);
        Assert.Equal(0, (await stream.NextSubmitAsync()).Submit.Items[0].Payload[0]);
        await third.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(2, (await stream.NextSubmitAsync()).Submit.Items[0].Payload[0]);
    }

    [Fact]
    public async Task Queue_FullOfTasksThatNobodyWants_MakesRoomWithoutSendingThem()
    {
        var options = new MusterClientOptions { QueuedTasksMax = 2 };
        await using var engine = new SessionEngine(_connector, options);
        for (byte value = 0; value < 2; value++)
        {
            var unwanted = Make(value);
            await engine.SubmitAsync(unwanted, CancellationToken.None);
            engine.Abandon(unwanted);
        }

        var third = engine.SubmitAsync(Make(2), CancellationToken.None);
        var (stream, _) = await _connector.AcceptAsync(_plm);

        await third.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(2, Assert.Single((await stream.NextSubmitAsync()).Submit.Items).Payload[0]);
    }

    [Fact]
    public async Task Message_DamagedOnEveryStream_GivesUpInTheEnd()
    {
        var options = new MusterClientOptions { ReconnectTimeout = TimeSpan.FromMilliseconds(150) };
        await using var engine = new SessionEngine(_connector, options);
        var task = await SubmitAsync(engine, 1);
        while (!task.Ended.IsCompleted && _connector.OpenAttempts < 200)
        {
            var accept = _connector.AcceptAsync(_plm, repeats: false);
            if (await Task.WhenAny(accept, task.Ended) == accept)
            {
                (await accept).Stream.SendBytes([0x1a, 0x7f, 1]);
            }
        }

        await EndAsync(task);
        Assert.Equal("UNAVAILABLE", Assert.Throws<MusterException>(task.ThrowIfRefused).Code);
    }

    [Fact]
    public async Task Dispose_ServerStillReads_WaitsForItsEndOfTheStream()
    {
        var engine = new SessionEngine(_connector, new());
        var task = await SubmitAsync(engine, 1);
        var (stream, _) = await _connector.AcceptAsync(_plm);
        stream.Send(_plm.Take(await stream.NextAsync()));
        stream.Send(_plm.Finish(1));
        await EndAsync(task);
        var completed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        stream.Completed = completed.SetResult;

        var disposal = engine.DisposeAsync().AsTask();
        await completed.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.False(disposal.IsCompleted);
        stream.End();

        await disposal.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Payload_OverTheLimit_IsRefusedBeforeAnythingElse()
    {
        await using var engine = new SessionEngine(_connector, new());
        var huge = new AwaitedTask(s_options, new byte[4 << 20], false);

        var refusal = await Assert.ThrowsAsync<MusterException>(() => engine.SubmitAsync(huge, CancellationToken.None));

        Assert.Equal("PAYLOAD_TOO_LARGE", refusal.Code);
        Assert.Equal(0, _connector.OpenAttempts);
    }

    [Fact]
    public async Task Dispose_WithTasksUnderWay_FailsTheirWaitsAndEndsTheStream()
    {
        var engine = new SessionEngine(_connector, new());
        var task = await SubmitAsync(engine, 1);
        var (stream, _) = await _connector.AcceptAsync(_plm);
        await stream.NextAsync();

        await engine.DisposeAsync();
        await engine.DisposeAsync();

        Assert.Equal("SHUTTING_DOWN", Assert.Throws<MusterException>(task.ThrowIfRefused).Code);
        Assert.True(stream.IsCompleted);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => engine.SubmitAsync(Make(2), CancellationToken.None));
    }

    [Fact]
    public async Task Waiters_BlockingForEver_DoNotStopTheSession()
    {
        await using var engine = new SessionEngine(_connector, new());
        var first = await SubmitAsync(engine, 1);
        using var release = new ManualResetEventSlim();
        var blocked = first.Ended.ContinueWith(
            _ => release.Wait(TimeSpan.FromSeconds(20)),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        var (stream, _) = await _connector.AcceptAsync(_plm);
        using var end = new CancellationTokenSource();
        var pump = ServeAsync(stream, end.Token);

        var second = await SubmitAsync(engine, 2);
        await EndAsync(second);

        Assert.Equal(Outcome.Succeeded, second.Outcome);
        release.Set();
        await blocked;
        await end.CancelAsync();
        await pump;
    }

    private static AwaitedTask Make(byte value) => new(s_options, new[] { value }, awaitsAcceptance: false);

    private static async Task<AwaitedTask> SubmitAsync(SessionEngine engine, byte value)
    {
        var task = Make(value);
        await engine.SubmitAsync(task, CancellationToken.None);
        return task;
    }

    private static Task EndAsync(AwaitedTask task) => task.Ended.WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>Takes and finishes everything until told to end.</summary>
    private async Task ServeAsync(FakeStream stream, CancellationToken end)
    {
        stream.Send(_plm.Finish(int.MaxValue));
        while (true)
        {
            var next = stream.NextAsync();
            await ((Task)next).WaitAsync(end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (end.IsCancellationRequested)
            {
                return;
            }

            stream.Send(_plm.Take(await next));
            stream.Send(_plm.Finish(int.MaxValue));
        }
    }
}
