// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Muster.Client;
using Xunit;

namespace Muster.Unit.Client;

public class MapTests
{
    private static readonly TaskType<byte, int> s_echo = TaskType.Create<byte, int>(
        "echo",
        (value, output) =>
        {
            output.GetSpan(1)[0] = value;
            output.Advance(1);
        },
        bytes => bytes[0],
        (_, _) => throw new InvalidOperationException("the client writes no outputs"),
        bytes => bytes[0] * 10);

    [Fact]
    public async Task Map_InputOrder_YieldsInOrderWhateverCompletesFirst()
    {
        await using var server = new FakePlmServer(new PlmModel());
        var values = new List<(byte, int)>();

        await foreach (var pair in server.Client.MapAsync(s_echo, Bytes(200), new() { InputOrder = true }))
        {
            values.Add(pair);
        }

        Assert.Equal(Bytes(200).Select(value => (value, value * 10)), values);
    }

    [Fact]
    public async Task Map_CompletionOrder_YieldsEachInputOnce()
    {
        await using var server = new FakePlmServer(new PlmModel());
        var values = new List<byte>();

        await foreach (var (input, value) in server.Client.MapAsync(s_echo, Bytes(250)))
        {
            Assert.Equal(input * 10, value);
            values.Add(input);
        }

        Assert.Equal(Bytes(250), values.Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Map_SlowConsumer_TakesNoMoreInputsThanTheWindow(bool inputOrder)
    {
        await using var server = new FakePlmServer(new PlmModel());
        var taken = 0;
        var worst = 0;
        var yielded = 0;
        IEnumerable<byte> Counted()
        {
            for (var n = 0; n < 200; n++)
            {
                Interlocked.Increment(ref taken);
                yield return (byte)n;
            }
        }

        var options = new MapOptions { InFlightMax = 8, InputOrder = inputOrder };
        await foreach (var _ in server.Client.MapAsync(s_echo, Counted(), options))
        {
            yielded++;
            worst = Math.Max(worst, Volatile.Read(ref taken) - yielded);
            await Task.Yield();
        }

        // The feeder holds one more in its hand while it waits for room; and one is being handed out.
        Assert.Equal(200, yielded);
        Assert.InRange(worst, 1, 8 + 2);
    }

    [Fact]
    public async Task Map_EndlessInputs_LeavingEndsThem()
    {
        await using var server = new FakePlmServer(new PlmModel());
        var isDisposed = false;
        IEnumerable<byte> Endless()
        {
            try
            {
                while (true)
                {
                    yield return 7;
                }
            }
            finally
            {
                isDisposed = true;
            }
        }

        var count = 0;
        await foreach (var _ in server.Client.MapAsync(s_echo, Endless(), new() { InFlightMax = 16 }))
        {
            if (++count == 100)
            {
                break;
            }
        }

        Assert.True(isDisposed);
    }

    [Fact]
    public async Task Map_InputsThrow_TheEnumerationThrowsIt()
    {
        await using var server = new FakePlmServer(new PlmModel());
        static IEnumerable<byte> Broken()
        {
            yield return 1;
            throw new InvalidOperationException("no more files");
        }

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (var _ in server.Client.MapAsync(s_echo, Broken()))
            {
            }
        });

        Assert.Equal("no more files", failure.Message);
    }

    [Fact]
    public async Task Map_RefusedForWantOfRoom_CompletesAllTheSame()
    {
        var refusals = 60;
        var plm = new PlmModel { OutstandingMax = 50 };
        plm.IsFull = _ => refusals-- > 0;
        await using var server = new FakePlmServer(plm);
        var count = 0;

        await foreach (var _ in server.Client.MapAsync(s_echo, Bytes(200)))
        {
            count++;
        }

        Assert.Equal(200, count);
    }

    [Fact]
    public async Task Map_ManyInputs_KeepsNoneThatHasItsResult()
    {
        // Counts what is still reachable, because the memory of the process is other tests' too.
        const int Inputs = 20_000;
        await using var server = new FakePlmServer(new PlmModel());
        var seen = new List<WeakReference>(Inputs);
        var type = TaskType.Bytes("echo");
        var count = 0;
        var reachable = 0;

        await foreach (var _ in server.Client.MapAsync(type, Made(), new() { InFlightMax = 256 }))
        {
            if (++count == Inputs)
            {
                GC.Collect();
                reachable = seen.Count(input => input.IsAlive);
            }
        }

        Assert.Equal(Inputs, count);
        Assert.InRange(reachable, 0, 2 * 256);

        IEnumerable<ReadOnlyMemory<byte>> Made()
        {
            for (var made = 0; made < Inputs; made++)
            {
                var input = new byte[32];
                seen.Add(new WeakReference(input));
                yield return input;
            }
        }
    }

    private static IEnumerable<byte> Bytes(int count) => Enumerable.Range(0, count).Select(value => (byte)value);
}
