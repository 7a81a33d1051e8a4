// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Hosting;
using Muster.Shared.Cells;

namespace Muster.Load;

/// <summary>The worker process of every workload: handlers that do next to nothing.</summary>
internal static class LoadWorker
{
    /// <summary>Takes any payload, returns 32 bytes.</summary>
    public static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> NoOp = TaskType.Bytes("bench.noop");

    /// <summary>Returns the payload's first 8 bytes and the number of the execution, so that a re-run shows.</summary>
    public static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Trace = TaskType.Bytes("bench.trace");

    private static readonly byte[] s_result = new byte[32];

    /// <summary>Starts a cell of three role processes and this many worker processes.</summary>
    public static async Task<CellProcesses> StartCellAsync(int workers)
    {
        var cell = await CellProcesses.StartAsync();
        for (var n = 0; n < workers; n++)
        {
            cell.StartWorker(Environment.ProcessPath!, "worker", "--address", cell.Address);
        }

        return cell;
    }

    public static async Task RunAsync(LoadOptions options)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.AddMusterWorker(new MusterWorkerOptions { Address = options.Address, Slots = 2 })
            .Handle(NoOp, _ => s_result)
            .Handle(Trace, TraceAsync);
        await builder.Build().RunAsync();
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
