// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Muster.Core;
using Muster.Transport.Wire;
using Muster.Worker.Links;
using Muster.Worker.Runtime;

namespace Muster.Load.Fleet;

/// <summary>
/// A worker of the fleet: connections and streams of its own to the Register and the Scheduler, beats when the Register
/// wants them, and a handler that nobody calls. It has neither threads nor slots that could run something.
/// </summary>
internal sealed class SimulatedWorker(string address, WorkerIdentity identity) : IAsyncDisposable
{
    private const string Handler = "bench.fleet";

    private readonly GrpcWorkerTransport _transport = new();
    private readonly RegisterAnswer _answer = new();
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _intervalMs = 250;

    /// <summary>Ends when both streams are open.</summary>
    public Task Connected => _connected.Task;

    /// <summary>Registers, connects, and beats until it is stopped.</summary>
    /// <exception cref="LinkException">A stream ended, which no stream should here.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        await using var register = await _transport.OpenHeartbeatAsync(address, stopping);
        await using var abort = stopping.UnsafeRegister(static stream => ((IMessageStream)stream!).Abort(), register);
        await register.WriteAsync(Message(writer =>
            HeartbeatCodec.WriteHello(writer, identity, null, [], [Handler], 0)));
        await ReadAsync(register);
        var welcome = _answer.Welcome ?? throw new LinkException(FaultCode.Unavailable, "there is no welcome");
        await using var scheduler = await _transport.OpenDispatchAsync(welcome.SchedulerAddresses[0], stopping);
        await scheduler.WriteAsync(Message(writer =>
            DispatchCodec.WriteHello(writer, welcome.WorkerId, identity.Nonce, [], [], 0)));
        _connected.SetResult();
        var first = await Task.WhenAny(ListenAsync(register), DrainAsync(scheduler), BeatAsync(register, stopping));
        await first;
        stopping.ThrowIfCancellationRequested();
        throw new LinkException(FaultCode.Unavailable, "a stream ended");
    }

    public ValueTask DisposeAsync() => _transport.DisposeAsync();

    private static RawMessage Message(Action<ProtoWriter> write)
    {
        using var writer = new ProtoWriter();
        write(writer);
        return RawMessage.Copy(writer.Written);
    }

    private async Task BeatAsync(IMessageStream register, CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(Volatile.Read(ref _intervalMs), stopping);
            var load = new LoadSample { MemoryBytes = 1 << 20 };
            await register.WriteAsync(Message(writer =>
            {
                HeartbeatCodec.WriteEndedTotal(writer, 0);
                HeartbeatCodec.WriteBeat(writer, [], load);
            }));
        }
    }

    private async Task ListenAsync(IMessageStream register)
    {
        while (await ReadAsync(register))
        {
            if (_answer.IntervalMs != 0)
            {
                Volatile.Write(ref _intervalMs, (int)_answer.IntervalMs);
            }
        }
    }

    private async Task<bool> ReadAsync(IMessageStream register)
    {
        using var message = await register.ReadAsync();
        if (message is null)
        {
            return false;
        }

        _answer.Read(message.Span);
        return true;
    }

    private static async Task DrainAsync(IMessageStream scheduler)
    {
        while (await scheduler.ReadAsync() is { } message)
        {
            message.Dispose();
        }
    }
}
