// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Hosting;
using Muster.Load.Detection;
using Muster.Shared.Cells;
using Muster.Shared.Histories;

namespace Muster.Load;

/// <summary>The worker process of every workload: handlers that do next to nothing.</summary>
internal static class LoadWorker
{
    /// <summary>Takes any payload, returns 32 bytes.</summary>
    public static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> NoOp = TaskType.Bytes("bench.noop");

    /// <summary>Returns the payload's first 8 bytes and the number of the execution, so that a re-run shows.</summary>
    public static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Trace = TaskType.Bytes("bench.trace");

    /// <summary>How the messages go: through shared memory, or by gRPC when MUSTER_LINKS=off.</summary>
    public static string Path => Environment.GetEnvironmentVariable("MUSTER_LINKS") == "off" ? "grpc" : "link";

    /// <summary>The task of fault runs: waits as long as its payload says.</summary>
    private static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> s_chaos =
        TaskType.Bytes(TraceTask.Handler);

    private static readonly byte[] s_result = new byte[32];

    /// <summary>Starts a cell of three role processes and this many worker processes.</summary>
    public static async Task<CellProcesses> StartCellAsync(
        int workers, LoadOptions options, params string[] plmOptions)
    {
        if (options.IsOverTls)
        {
            return await TlsCell.StartAsync(workers, options, plmOptions);
        }

        var cell = await CellProcesses.StartAsync(["--durability", options.Durability, .. plmOptions]);
        for (var n = 0; n < workers; n++)
        {
            cell.StartWorker(Environment.ProcessPath!, "worker", "--address", cell.Address);
        }

        return cell;
    }

    public static async Task RunAsync(LoadOptions options)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var isAddressed = options.Context.Length == 0;
        builder.AddMusterWorker(new MusterWorkerOptions
            {
                Address = isAddressed ? options.Address : null,
                ContextFile = isAddressed ? null : options.Context,
                Slots = options.Slots,
            })
            .Handle(NoOp, _ => s_result)
            .Handle(Allocations.Report, _ => Allocations.Answer())
            .Handle(s_chaos, ChaosAsync)
            .Handle(Trace, TraceAsync)
            .Handle(DetectTask.Type, (payload, context, cancel) =>
                DetectTask.RunAsync(payload, context, options.Id, cancel));
        if (options.Verb == "starved-worker")
        {
            StarvedPool.Start();
        }

        await builder.Build().RunAsync();
    }

    private static async ValueTask<ReadOnlyMemory<byte>> ChaosAsync(
        ReadOnlyMemory<byte> payload, TaskContext context, CancellationToken cancel)
    {
        var waitMs = TraceTask.WaitMs(payload.Span);
        if (waitMs > 0)
        {
            await Task.Delay(waitMs, cancel);
        }

        return TraceTask.Result(payload.Span, context.Execution, context.Attempt);
    }

    private static ValueTask<ReadOnlyMemory<byte>> TraceAsync(
        ReadOnlyMemory<byte> payload, TaskContext context, CancellationToken cancel)
    {
        var result = new byte[12];
        payload.Span[..8].CopyTo(result);
        BinaryPrimitives.WriteInt32LittleEndian(result.AsSpan(8), context.Execution);
        return ValueTask.FromResult<ReadOnlyMemory<byte>>(result);
    }
}
