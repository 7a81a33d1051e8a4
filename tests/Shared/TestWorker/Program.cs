// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Globalization;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Hosting;
using Muster.Shared.Histories;

namespace Muster.TestWorker;

/// <summary>
/// The worker process of the tests. Usage: Muster.TestWorker ADDRESS SLOTS. Its handlers:
/// test.trace returns the payload's first 8 bytes and the execution number; test.wait does the same after as many
/// milliseconds as the payload's bytes 8 to 11 say; test.stuck never ends in its first execution; test.fail throws;
/// chaos.trace is the task of fault runs.
/// </summary>
internal static class Program
{
    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_trace = TaskType.Bytes("test.trace");
    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_wait = TaskType.Bytes("test.wait");
    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_stuck = TaskType.Bytes("test.stuck");
    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_fail = TaskType.Bytes("test.fail");

    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_poison =
        TaskType.Bytes(PoisonTask.Handler);

    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_chaos =
        TaskType.Bytes(TraceTask.Handler);

    public static async Task Main(string[] args)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var options = new MusterWorkerOptions
        {
            Address = args[0],
            Slots = int.Parse(args[1], CultureInfo.InvariantCulture),
        };
        builder.AddMusterWorker(options)
            .Handle(s_trace, (payload, context, _) => ValueTask.FromResult(Trace(payload, context)))
            .Handle(s_wait, WaitAsync)
            .Handle(s_stuck, StuckAsync)
            .Handle(s_fail, Fail)
            .Handle(s_poison, (payload, _, cancel) => PoisonTask.RunAsync((Poison)payload.Span[0], cancel))
            .Handle(s_chaos, ChaosAsync);
        await builder.Build().RunAsync();
    }

    private static ReadOnlyMemory<byte> Trace(ReadOnlyMemory<byte> payload, TaskContext context)
    {
        var result = new byte[12];
        payload.Span[..8].CopyTo(result);
        BinaryPrimitives.WriteInt32LittleEndian(result.AsSpan(8), context.Execution);
        return result;
    }

    private static async ValueTask<ReadOnlyMemory<byte>> WaitAsync(
        ReadOnlyMemory<byte> payload, TaskContext context, CancellationToken cancel)
    {
        await Task.Delay(BinaryPrimitives.ReadInt32LittleEndian(payload.Span[8..]), cancel);
        return Trace(payload, context);
    }

    private static async ValueTask<ReadOnlyMemory<byte>> ChaosAsync(
        ReadOnlyMemory<byte> payload, TaskContext context, CancellationToken cancel)
    {
        var waitMs = TraceTask.WaitMs(payload.Span);
        if (waitMs < 0 && context.Execution == 1)
        {
            throw new InvalidOperationException("the task was asked to fail at first");
        }

        await Task.Delay(Math.Max(waitMs, 0), cancel);
        return TraceTask.Result(payload.Span, context.Execution, context.Attempt);
    }

    private static async ValueTask<ReadOnlyMemory<byte>> StuckAsync(
        ReadOnlyMemory<byte> payload, TaskContext context, CancellationToken cancel)
    {
        if (context.Execution == 1)
        {
            await Task.Delay(Timeout.Infinite, cancel);
        }

        return Trace(payload, context);
    }

    private static ReadOnlyMemory<byte> Fail(ReadOnlyMemory<byte> payload) =>
        throw new InvalidOperationException("the handler was asked to fail");
}
