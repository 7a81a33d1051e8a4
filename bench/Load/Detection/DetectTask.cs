// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Load.Detection;

/// <summary>
/// The task that is on a worker when that one dies. Its payload is the path of a file: the first execution writes the
/// number of its worker there and never ends; the next one returns when it started. All processes of a host read the
/// same monotonic clock. Without a path it returns the number of its worker, which also has the code compiled before it
/// is timed.
/// </summary>
internal static class DetectTask
{
    public static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Type = TaskType.Bytes("bench.detect");

    public static async ValueTask<ReadOnlyMemory<byte>> RunAsync(
        ReadOnlyMemory<byte> payload, TaskContext context, int worker, CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        if (context.Execution > 1)
        {
            return Number(started);
        }

        if (payload.IsEmpty)
        {
            return Number(worker);
        }

        var path = Encoding.UTF8.GetString(payload.Span);
        await File.WriteAllTextAsync(path + ".new", worker.ToString(CultureInfo.InvariantCulture), cancel);
        File.Move(path + ".new", path);
        await Task.Delay(Timeout.Infinite, cancel);
        return ReadOnlyMemory<byte>.Empty;
    }

    public static ReadOnlyMemory<byte> Number(long number)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        return bytes;
    }

    public static long ReadNumber(ReadOnlyMemory<byte> bytes) => BinaryPrimitives.ReadInt64LittleEndian(bytes.Span);
}
