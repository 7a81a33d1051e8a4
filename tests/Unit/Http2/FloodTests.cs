// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport;
using Muster.Transport.Http2;
using Muster.Transport.Wire;
using Muster.Unit.Endpoint;
using Xunit;

namespace Muster.Unit.Http2;

/// <summary>
/// Peers that send for ever what brings nothing forward. Each is cut with the code of the table, soon and in little
/// memory, while an honest client of the same server is served.
/// </summary>
public sealed class FloodTests(ConformanceServer server) : IClassFixture<ConformanceServer>
{
    private const long GrowthBytesMax = 64 << 20;
    private static readonly TimeSpan s_cutTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_memoryTime = TimeSpan.FromSeconds(60);

    public static TheoryData<string> Names => new(FloodKinds.All.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Flood_OfKind_IsCutWhileOthersAreServed(string name)
    {
        var flood = FloodKinds.All[name];
        using var attacker = await FrameClient.ConnectAsync(server.Port);
        await using var channel = GrpcChannel.ForAddress(server.Address);
        await CallAsync(channel);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var over = new CancellationTokenSource(s_cutTime);
        var code = flood.IsDeaf ? null : attacker.ReadGoAwayAsync();
        var sending = FloodKinds.SendAsync(attacker, flood, over.Token);
        var calls = 0;
        while (!sending.IsCompleted)
        {
            await CallAsync(channel);
            calls++;
        }

        var frames = await sending;
        Assert.False(over.IsCancellationRequested, $"{frames} frames were taken and no end was in sight");
        if (code is not null)
        {
            Assert.Equal(Http2ErrorCode.EnhanceYourCalm, await code);
        }

        await CallAsync(channel);

        // Other tests of this process use memory too, and let it go again.
        var grown = long.MaxValue;
        for (var watch = Stopwatch.StartNew(); grown >= GrowthBytesMax && watch.Elapsed < s_memoryTime;)
        {
            grown = GC.GetTotalMemory(forceFullCollection: true) - before;
            await CallAsync(channel);
        }

        Assert.True(grown < GrowthBytesMax, $"{grown} bytes more");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    public async Task Cancels_OfAnHonestClient_AreNotAFlood(int afterMs)
    {
        // 600 a second for three seconds, each of a call of its own: some as soon as they began, some later.
        using var client = await FrameClient.ConnectAsync(server.Port);
        var reading = client.ReadGoAwayAsync();
        var running = new Queue<int>();
        var watch = Stopwatch.StartNew();
        for (var n = 0; n < 1_800 && !reading.IsCompleted;)
        {
            for (; n < watch.ElapsedMilliseconds * 6 / 10 && n < 1_800; n++)
            {
                await client.SendAsync(FrameBytes.Request(FloodKinds.Id(n), ConformanceServer.Duplex, false));
                running.Enqueue(n);
                while (running.Count > afterMs * 6 / 10)
                {
                    await client.SendAsync(FrameBytes.ResetOf(FloodKinds.Id(running.Dequeue())));
                }
            }

            await Task.Delay(1);
        }

        Assert.False(reading.IsCompleted, $"cut after {watch.ElapsedMilliseconds} ms");
    }

    [Fact]
    public async Task ManyConnections_ThatSayNothing_CostLittleEach()
    {
        const int Count = 500;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var clients = new List<FrameClient>();
        for (var n = 0; n < Count; n++)
        {
            clients.Add(await FrameClient.ConnectAsync(server.Port));
        }

        foreach (var client in clients)
        {
            Assert.NotNull(await client.ReadAsync(FrameType.Settings));
        }

        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / Count;
        clients.ForEach(client => client.Dispose());

        // Both ends of each connection are in this process; the decoder of the client alone takes 4 KiB.
        Assert.True(each < 40_000, $"{each} bytes for each connection");
    }

    private static async Task CallAsync(GrpcChannel channel)
    {
        using var call = channel.CreateCallInvoker().AsyncUnaryCall(
            RawService.Unary, null, new CallOptions(deadline: DateTime.UtcNow + FrameClient.Patience),
            RawMessage.Copy([1, 2, 3]));
        using var answer = await call.ResponseAsync;
        Assert.Equal(3, answer.Length);
    }
}
