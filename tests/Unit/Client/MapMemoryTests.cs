// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Threading.Tasks;
using Muster.Client;
using Muster.Unit.Cell;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Unit.Client;

/// <summary>
/// A map keeps what is under way and nothing else, however long it is. Ten million inputs with `make map-memory`.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class MapMemoryTests(ITestOutputHelper output)
{
    // A list that had to double once more. An object kept for each input would be twenty megabytes and more.
    private const long SlackBytes = 4 << 20;

    private static readonly TaskType<int, int> s_echo = TaskType.Create<int, int>(
        "echo",
        (value, output) =>
        {
            BitConverter.TryWriteBytes(output.GetSpan(sizeof(int)), value);
            output.Advance(sizeof(int));
        },
        bytes => BitConverter.ToInt32(bytes),
        (_, _) => throw new InvalidOperationException("the client writes no outputs"),
        bytes => BitConverter.ToInt32(bytes));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Map_OverMillionsOfInputs_KeepsItsMemory(bool inputOrder)
    {
        var inputs = int.Parse(
            Environment.GetEnvironmentVariable("MUSTER_MAP_INPUTS") ?? "1000000", CultureInfo.InvariantCulture);
        await using var client = new MusterClient(
            new CellConnection("unix:/answering", "test"), new AnsweringConnector(), new());
        var values = client.MapAsync(s_echo, Numbers(inputs), new() { InFlightMax = 10_000, InputOrder = inputOrder });

        long sum = 0;
        long early = 0;
        var count = 0;
        await foreach (var (input, value) in values)
        {
            sum += input == value ? value : throw new InvalidOperationException($"{value} is not of {input}");
            if (++count == inputs / 10)
            {
                early = GC.GetTotalMemory(forceFullCollection: true);
            }
            else if (count == inputs - (inputs / 100))
            {
                // The window is full here as it was then.
                var late = GC.GetTotalMemory(forceFullCollection: true);
                output.WriteLine($"{early:N0} bytes after a tenth of {inputs:N0} inputs, {late:N0} near the end");
                Assert.InRange(late - early, long.MinValue, SlackBytes);
            }
        }

        Assert.Equal(inputs, count);
        Assert.Equal((long)inputs * (inputs - 1) / 2, sum);
    }

    private static IEnumerable<int> Numbers(int count)
    {
        for (var n = 0; n < count; n++)
        {
            yield return n;
        }
    }
}
