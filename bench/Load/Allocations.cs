// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading.Tasks;

namespace Muster.Load;

/// <summary>
/// Bytes that the processes with a .NET heap of their own have allocated since they started, as they report it
/// themselves: the client, which is this process, and the workers, by a task that each has to run.
/// </summary>
internal static class Allocations
{
    /// <summary>Returns the process id and the bytes of the worker that runs it.</summary>
    public static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Report =
        TaskType.Bytes("bench.allocated");

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    public static ReadOnlyMemory<byte> Answer()
    {
        var answer = new byte[2 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(answer, Environment.ProcessId);
        BinaryPrimitives.WriteInt64LittleEndian(answer.AsSpan(sizeof(long)), GC.GetTotalAllocatedBytes());
        return answer;
    }

    public static async Task<(double Client, double Workers)> NowAsync(MusterClient client, int workers)
    {
        var bytesOf = new Dictionary<long, long>();
        var start = Stopwatch.GetTimestamp();
        while (bytesOf.Count < workers)
        {
            if (Stopwatch.GetElapsedTime(start) > s_patience)
            {
                throw new TimeoutException($"{bytesOf.Count} of {workers} workers told what they allocated");
            }

            // Many at once, so that every worker gets one.
            var answers = await Task.WhenAll(Enumerable.Range(0, 16 * workers)
                .Select(_ => client.RunAsync(Report, ReadOnlyMemory<byte>.Empty)));
            foreach (var answer in answers)
            {
                var bytes = BinaryPrimitives.ReadInt64LittleEndian(answer.Span[sizeof(long)..]);
                bytesOf[BinaryPrimitives.ReadInt64LittleEndian(answer.Span)] = bytes;
            }
        }

        return (GC.GetTotalAllocatedBytes(), bytesOf.Values.Sum());
    }
}
