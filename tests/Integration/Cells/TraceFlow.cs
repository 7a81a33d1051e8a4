// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Muster.Integration.Cells;

/// <summary>Numbered tasks whose results tell which number they had and in which execution they ran.</summary>
internal static class TraceFlow
{
    public static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Trace = TaskType.Bytes("test.trace");
    public static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Wait = TaskType.Bytes("test.wait");

    /// <summary>Never ends in its first execution.</summary>
    public static readonly TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Stuck = TaskType.Bytes("test.stuck");

    public static ReadOnlyMemory<byte> Payload(long number, int waitMs = 0)
    {
        var payload = new byte[100];
        BinaryPrimitives.WriteInt64LittleEndian(payload, number);
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(8), waitMs);
        return payload;
    }

    public static long Number(ReadOnlyMemory<byte> bytes) => BinaryPrimitives.ReadInt64LittleEndian(bytes.Span);

    public static int Execution(ReadOnlyMemory<byte> result) =>
        BinaryPrimitives.ReadInt32LittleEndian(result.Span[8..]);

    /// <summary>
    /// Maps 0 to count - 1 and asserts that every number comes back once, with its own result.
    /// </summary>
    /// <returns>How many tasks ran more than once.</returns>
    public static async Task<int> MapAllAsync(
        MusterClient client,
        TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> type,
        int count,
        int waitMs,
        Action<int>? progress = null)
    {
        var seen = new bool[count];
        var reruns = 0;
        var done = 0;
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(180));
        var inputs = Enumerable.Range(0, count).Select(n => Payload(n, waitMs));
        await foreach (var (input, output) in client.MapAsync(
            type, inputs, new MapOptions { InFlightMax = 1_000 }, deadline.Token))
        {
            var number = (int)Number(output);
            Assert.Equal(Number(input), number);
            Assert.False(seen[number], $"task {number} was delivered twice");
            seen[number] = true;
            reruns += Execution(output) > 1 ? 1 : 0;
            progress?.Invoke(++done);
        }

        Assert.DoesNotContain(false, seen);
        return reruns;
    }
}
