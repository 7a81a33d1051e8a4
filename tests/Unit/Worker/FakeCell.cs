// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Worker.Links;
using Muster.Worker.Runtime;

namespace Muster.Unit.Worker;

/// <summary>
/// A worker whose Register and Scheduler are the test: it opens streams as real ones, and every message passes through
/// its bytes, read and written here by the generated classes.
/// </summary>
internal sealed class FakeCell : IWorkerTransport
{
    public const ulong FirstWorkerId = 0x0000_0001_0000_0007;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly Channel<FakeStream> _heartbeats = Channel.CreateUnbounded<FakeStream>();
    private readonly Channel<FakeStream> _dispatches = Channel.CreateUnbounded<FakeStream>();

    public FakeCell(
        Action<MusterWorkerBuilder> configure, int slots = 2, Action<IServiceCollection>? addServices = null)
        : this(configure, new MusterWorkerOptions { Address = "unix:/fake", Slots = slots, Name = "w" }, addServices)
    {
    }

    public FakeCell(
        Action<MusterWorkerBuilder> configure,
        MusterWorkerOptions options,
        Action<IServiceCollection>? addServices = null)
    {
        var services = new ServiceCollection();
        addServices?.Invoke(services);
        var builder = new MusterWorkerBuilder(services);
        configure(builder);
        Services = services.BuildServiceProvider();
        Worker = new WorkerRuntime(
            options, builder.Build(Services), NullLoggerFactory.Instance, Time, this);
    }

    public ShiftedTime Time { get; } = new();

    public ServiceProvider Services { get; }

    public WorkerRuntime Worker { get; }

    public static V1.AttemptKey Key(ulong task, uint attempt = 1) => new() { TaskId = task, Attempt = attempt };

    public static V1.DispatchResponse Assign(
        string handler, IEnumerable<ulong> tasks, byte[]? payload = null, ulong timeoutMs = 0, uint attempt = 1)
    {
        var group = new V1.AssignmentGroup { Handler = handler, TimeoutMs = timeoutMs };
        group.Assignments.AddRange(tasks.Select(task => new V1.Assignment
        {
            TaskId = task,
            Attempt = attempt,
            Execution = 1,
            Payload = ByteString.CopyFrom(payload ?? []),
        }));
        return new() { Groups = { group } };
    }

    /// <summary>The next Heartbeat stream that the worker opens.</summary>
    public Task<FakeStream> HeartbeatAsync() => _heartbeats.Reader.ReadAsync().AsTask().WaitAsync(s_patience);

    /// <summary>The next Dispatch stream that the worker opens.</summary>
    public Task<FakeStream> DispatchAsync() => _dispatches.Reader.ReadAsync().AsTask().WaitAsync(s_patience);

    /// <summary>Answers a hello.</summary>
    public static async Task<V1.RegisterHello> WelcomeAsync(
        FakeStream heartbeat, ulong workerId = FirstWorkerId, bool fenced = false, uint leaseMs = 600_000,
        uint intervalMs = 60_000)
    {
        var first = await heartbeat.TakeAsync(V1.HeartbeatRequest.Parser);
        Xunit.Assert.NotNull(first.Hello);
        heartbeat.Give(new V1.HeartbeatResponse
        {
            Welcome = new()
            {
                WireVersion = 1,
                CellId = 9,
                WorkerId = workerId,
                LeaseMs = leaseMs,
                IntervalMs = intervalMs,
                Fenced = fenced,
                SchedulerAddresses = { "unix:/fake-scheduler" },
            },
        });
        return first.Hello;
    }

    /// <summary>Starts the worker and takes it through both hellos.</summary>
    public async Task<(FakeStream Heartbeat, FakeStream Dispatch)> StartAsync(uint leaseMs = 600_000)
    {
        Worker.Start();
        var heartbeat = await HeartbeatAsync();
        await WelcomeAsync(heartbeat, leaseMs: leaseMs);
        var dispatch = await DispatchAsync();
        var hello = await dispatch.TakeAsync(V1.DispatchRequest.Parser);
        Xunit.Assert.Equal(FirstWorkerId, hello.Hello.WorkerId);
        return (heartbeat, dispatch);
    }

    /// <summary>The next results, passing over beats.</summary>
    public static async Task<IReadOnlyList<V1.AttemptResult>> ResultsAsync(FakeStream heartbeat, int count = 1)
    {
        var results = new List<V1.AttemptResult>();
        while (results.Count < count)
        {
            results.AddRange((await heartbeat.TakeAsync(V1.HeartbeatRequest.Parser)).Results);
        }

        return results;
    }

    /// <summary>The next message that says that this many attempts have ended.</summary>
    public static Task<V1.HeartbeatRequest> EndedAsync(FakeStream heartbeat, ulong total) =>
        heartbeat.TakeAsync(V1.HeartbeatRequest.Parser, message => message.EndedTotal >= total);

    public ValueTask<IMessageStream> OpenHeartbeatAsync(string address, CancellationToken cancellationToken) =>
        Open(_heartbeats);

    public ValueTask<IMessageStream> OpenDispatchAsync(string address, CancellationToken cancellationToken) =>
        Open(_dispatches);

    /// <summary>Of the transport: the worker has no use for it any more.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Ends the worker when the test ends.</summary>
    public async Task EndAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await Worker.StopAsync(TimeSpan.Zero, now.Token);
        await Services.DisposeAsync();
    }

    private static ValueTask<IMessageStream> Open(Channel<FakeStream> opened)
    {
        var stream = new FakeStream();
        Xunit.Assert.True(opened.Writer.TryWrite(stream));
        return new(stream);
    }
}
