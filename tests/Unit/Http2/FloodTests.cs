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
    private const int VolleyBytes = 256 * 1_024;
    private const long GrowthBytesMax = 64 << 20;
    private static readonly TimeSpan s_cutTime = TimeSpan.FromSeconds(10);
    private static readonly byte[] s_open = FrameBytes.Request(1, ConformanceServer.Duplex, false);

    // Answered at once, while the peer has yet to end it.
    private static readonly byte[] s_refused = FrameBytes.Request(1, "/muster.test.Raw/Missing", false);

    private static readonly Dictionary<string, Flood> s_floods = new(StringComparer.Ordinal)
    {
        ["PING"] = new([], Repeat(FrameBytes.Of(FrameBytes.Ping, 0, 0, new byte[8]))),
        ["SETTINGS"] = new([], Repeat(FrameBytes.SettingsOf((4, 65_535)))),
        ["answers to SETTINGS"] = new([], Repeat(FrameBytes.Of(FrameBytes.Settings, FrameBytes.Ack, 0))),
        ["empty DATA"] = new(s_open, Repeat(FrameBytes.DataOf(1, [], false))),
        ["DATA of padding"] = new(s_open, Repeat(FrameBytes.Of(FrameBytes.Data, FrameBytes.Padded, 1, [1, 0]))),
        ["DATA of a stream that has ended"] = new(
            [.. s_open, .. FrameBytes.ResetOf(1)], Repeat(FrameBytes.DataOf(1, [], false))),
        ["ends of a stream that we have ended"] = new(s_refused, Repeat(FrameBytes.DataOf(1, [], true))),
        ["headers for a stream that we have ended"] = new(
            s_refused, Repeat(FrameBytes.HeadersOf(1, true, ("a", "b")))),
        ["PRIORITY"] = new([], Repeat(FrameBytes.Of(FrameBytes.Priority, 0, 3, new byte[5]))),
        ["unknown frames"] = new([], Repeat(FrameBytes.Of(0x2a, 0, 0))),
        ["GOAWAY"] = new([], Repeat(FrameBytes.Of(FrameBytes.GoAway, 0, 0, new byte[8]))),
        ["WINDOW_UPDATE"] = new([], Repeat(FrameBytes.WindowUpdateOf(0, 1))),
        ["WINDOW_UPDATE of a stream"] = new(s_open, Repeat(FrameBytes.WindowUpdateOf(1, 1))),
        ["rapid reset"] = new(
            [], n => [.. FrameBytes.Request(Id(n), ConformanceServer.Duplex, false), .. FrameBytes.ResetOf(Id(n))]),
        ["rapid reset of unary calls"] = new(
            [], n => [.. FrameBytes.Request(Id(n), ConformanceServer.Unary, false), .. FrameBytes.ResetOf(Id(n))]),
        ["made you reset: updates of 0"] = new(
            [],
            n =>
            [
                .. FrameBytes.Request(Id(n), ConformanceServer.Duplex, false), .. FrameBytes.WindowUpdateOf(Id(n), 0),
            ]),
        ["made you reset: malformed requests"] = new([], n => FrameBytes.HeadersOf(Id(n), true, ("a", "b"))),
        ["streams over the limit"] = new([], n => FrameBytes.Request(Id(n), ConformanceServer.Deaf, false)),
        ["CONTINUATION with headers"] = new(
            FrameBytes.Of(FrameBytes.Headers, 0, 1, [0x83]),
            Repeat(FrameBytes.Of(FrameBytes.Continuation, 0, 1, [0x40, 1, (byte)'a', 1, (byte)'b']))),
        ["empty CONTINUATION"] = new(
            FrameBytes.Of(FrameBytes.Headers, 0, 1, [0x83]), Repeat(FrameBytes.Of(FrameBytes.Continuation, 0, 1))),
        ["large CONTINUATION"] = new(
            FrameBytes.Of(FrameBytes.Headers, 0, 1, [0x83]),
            Repeat(FrameBytes.Of(FrameBytes.Continuation, 0, 1, new byte[16_384]))),
        ["PING without reading"] = new([], Repeat(FrameBytes.Of(FrameBytes.Ping, 0, 0, new byte[8]))) { IsDeaf = true },
    };

    public static TheoryData<string> Names => new(s_floods.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Flood_OfKind_IsCutWhileOthersAreServed(string name)
    {
        var flood = s_floods[name];
        using var attacker = await FrameClient.ConnectAsync(server.Port);
        await using var channel = GrpcChannel.ForAddress(server.Address);
        await CallAsync(channel);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var over = new CancellationTokenSource(s_cutTime);
        var code = flood.IsDeaf ? null : attacker.ReadGoAwayAsync();
        var sending = SendAsync(attacker, flood, over.Token);
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
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < GrowthBytesMax, $"{grown} bytes more");
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

    private static uint Id(int n) => (uint)((2 * n) + 1);

    private static Func<int, byte[]> Repeat(byte[] frame) => _ => frame;

    private static async Task<long> SendAsync(FrameClient attacker, Flood flood, CancellationToken over)
    {
        var sent = 0L;
        if (!await attacker.TrySendAsync(flood.First, over))
        {
            return 0;
        }

        for (var n = 0; !over.IsCancellationRequested;)
        {
            var volley = new List<byte>(VolleyBytes + 16_400);
            for (; volley.Count < VolleyBytes; n++, sent++)
            {
                volley.AddRange(flood.Frame(n));
            }

            if (!await attacker.TrySendAsync(volley.ToArray(), over))
            {
                return sent;
            }
        }

        return sent;
    }

    private static async Task CallAsync(GrpcChannel channel)
    {
        using var call = channel.CreateCallInvoker().AsyncUnaryCall(
            RawService.Unary, null, new CallOptions(deadline: DateTime.UtcNow + FrameClient.Patience),
            RawMessage.Copy([1, 2, 3]));
        using var answer = await call.ResponseAsync;
        Assert.Equal(3, answer.Length);
    }

    private sealed record Flood(byte[] First, Func<int, byte[]> Frame)
    {
        /// <summary>The attacker does not read, so it does not learn the code.</summary>
        public bool IsDeaf { get; init; }
    }
}
