// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading.Tasks;
using Muster.Arena;

namespace Muster.Load;

/// <summary>
/// Bytes that processes have allocated on their .NET heaps since they started, as they report it themselves: the
/// client, which is this process; the workers, by a task that each has to run; the roles, by words in the arena.
/// </summary>
internal static class Allocations
{
    /// <summary>Returns the process id and the bytes of the worker that runs it.</summary>
    public static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Report =
        TaskType.Bytes("bench.allocated");

    // A role says it once a second, when it wakes or its sleep of at most a second is over.
    private static readonly TimeSpan s_rolesSay = TimeSpan.FromSeconds(2.5);

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

    /// <summary>Of each role; waits until all have said it.</summary>
    public static async Task<Dictionary<string, double>> OfRolesAsync(ArenaMap arena)
    {
        await Task.Delay(s_rolesSay);
        return new()
        {
            ["plm"] = arena.Counter(CellCounter.PlmAllocated),
            ["scheduler"] = arena.Counter(CellCounter.SchedulerAllocated),
            ["register"] = arena.Counter(CellCounter.RegisterAllocated),
        };
    }
}
