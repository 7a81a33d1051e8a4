// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Unit.Http2;

/// <summary>What a peer can send for ever that brings nothing forward.</summary>
internal static class FloodKinds
{
    private const int VolleyBytes = 256 * 1_024;
    private static readonly byte[] s_open = FrameBytes.Request(1, ConformanceServer.Duplex, false);

    // Answered at once, while the peer has yet to end it.
    private static readonly byte[] s_refused = FrameBytes.Request(1, "/muster.test.Raw/Missing", false);

    public static Dictionary<string, Flood> All { get; } = new(StringComparer.Ordinal)
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

    /// <summary>The number of the nth stream of a client.</summary>
    public static uint Id(int n) => (uint)((2 * n) + 1);

    private static Func<int, byte[]> Repeat(byte[] frame) => _ => frame;

    /// <summary>Sends without end.</summary>
    /// <returns>How many frames were taken until the server closed.</returns>
    public static async Task<long> SendAsync(FrameClient attacker, Flood flood, CancellationToken over)
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

    /// <summary>One kind: what comes first, and what then comes for ever.</summary>
    internal sealed record Flood(byte[] First, Func<int, byte[]> Frame)
    {
        /// <summary>The attacker does not read, so it does not learn the code.</summary>
        public bool IsDeaf { get; init; }
    }
}
