// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.Arena;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Server.SchedulerHosting;
using Muster.Unit.Cell;
using Muster.V1;
using Xunit;
using WorkerHealth = Muster.Arena.Tables.WorkerHealth;

namespace Muster.Unit.Scheduler;

/// <summary>Cancellations for a worker that does not read its stream for a while.</summary>
public sealed class OwedCancelTests
{
    private const int OutboxBytesMax = 64;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Cancels_OfAWorkerThatDoesNotRead_ReachItOnceItDoes()
    {
        using var arena = NewArena();
        using var host = Start(arena);
        var call = new SlowCall(arena);
        var serving = Task.Run(() => new DispatchStream(host, call, OutboxBytesMax).ServeAsync(call, call));
        await UntilAsync(() => arena.Workers[0].Dispatching == 1);

        // The first message is on its way, a few wait behind it, and there is no room for the others.
        ulong[] ids = [.. Enumerable.Range(1, 40).Select(id => (ulong)id)];
        foreach (var id in ids)
        {
            Cancel(arena, id);
            await UntilAsync(() => arena.Cancels.Count == 0);
        }

        Assert.False(serving.IsCompleted);
        call.Read();
        await UntilAsync(() => call.Cancelled.Count == ids.Length);
        Assert.Equal(ids, call.Cancelled);
        call.Stop();
        await serving.WaitAsync(s_patience);
    }

    [Fact]
    public async Task Cancels_MoreThanAreKept_EndTheStreamSoThatItIsOpenedAgain()
    {
        using var arena = NewArena();
        using var host = Start(arena);
        var call = new SlowCall(arena);
        var serving = Task.Run(() => new DispatchStream(host, call, OutboxBytesMax).ServeAsync(call, call));
        await UntilAsync(() => arena.Workers[0].Dispatching == 1);
        for (var sent = 0ul; call.Ended is null; sent++)
        {
            Assert.True(sent < 10_000);
            Cancel(arena, sent + 1);
            if (sent % 64 == 0)
            {
                await UntilAsync(() => arena.Cancels.Count == 0);
            }
        }

        Assert.Equal(StatusCode.Unavailable, call.Ended.StatusCode);
        call.Read();
        await serving.WaitAsync(s_patience);
    }

    private static ArenaMap NewArena()
    {
        var arena = ArenaFile.CreatePrivate(new ArenaLimits { TasksMax = 1_024, WorkersMax = 16 });
        arena.Set(CellCounter.Populated, 1);
        arena.Workers.HighWater = 1;
        ref var row = ref arena.Workers[0];
        row.Epoch = 1;
        row.Nonce = 5;
        row.Slots = 1;
        Assert.True(arena.Handlers.TryIntern("work"u8, out var handler));
        arena.Workers.SetHandlers(0, [handler]);
        Volatile.Write(ref row.Health, (uint)WorkerHealth.Alive);
        arena.Workers.MarkChanged(0);
        return arena;
    }

    private static SchedulerHost Start(ArenaMap arena)
    {
        var host = new SchedulerHost(new SchedulerHostOptions { Arena = arena, Addresses = "unix:/s" });
        Assert.Equal(Fault.None, host.Start());
        return host;
    }

    private static void Cancel(ArenaMap arena, ulong id)
    {
        Assert.Equal(1, arena.Cancels.TryWrite([new CancelRecord(id, 1, 0)]));
        arena.Wake(Role.Scheduler).Signal();
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(s_patience);
        while (!holds())
        {
            await Task.Delay(1, patience.Token);
        }
    }

    /// <summary>A worker's Dispatch stream that takes its first answer only when it is told to read.</summary>
    private sealed class SlowCall(ArenaMap arena) : StraightCall
    {
        private readonly TaskCompletionSource _reads = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _over = new();
        private bool _greeted;

        public ConcurrentQueue<ulong> Cancelled { get; } = new();

        public void Read() => _reads.TrySetResult();

        public void Stop() => _over.Set();

        public override async ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> framed)
        {
            await _reads.Task;
            return await base.WriteAsync(framed);
        }

        protected override ReadOnlySpan<byte> NextRequest()
        {
            if (_greeted)
            {
                Assert.True(_over.Wait(s_patience * 2));
                return default;
            }

            _greeted = true;
            return new DispatchRequest
            {
                Hello = new DispatchHello { WireVersion = 1, WorkerId = arena.Workers.IdOf(0), Nonce = 5 },
            }.ToByteArray();
        }

        protected override void Answered(ReadOnlySpan<byte> message)
        {
            foreach (var cancel in DispatchResponse.Parser.ParseFrom(message).Cancel)
            {
                Cancelled.Enqueue(cancel.TaskId);
            }
        }

        protected override void Wake() => _over.Set();
    }
}
